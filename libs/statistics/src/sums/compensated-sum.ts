/** Sums of doubles that lose nothing to the order of their terms' sizes (Neumaier 1974). */
import { requireFinite } from '../kernel/requirements.js';

/** [1, 1e100, 1, −1e100] is 2, not 0. Exact integers are better still: `fromIntegerSums`. Golden: neumaier */
export const compensatedSum = (values: readonly number[]): number => {
  let [sum, lost] = [0, 0];
  for (const value of values) {
    const next = sum + requireFinite('value', value);
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
};
