/** Do two arms share a quantile? Valid at every look, without any assumption on the distribution (Howard & Ramdas 2022). */
import { type Probability, requireFinite, requireLevel } from '../kernel/requirements.js';
import { type BetaBinomialMixture, betaBinomialMixture, logBetaBinomialMixture } from './bernoulli.js';
import { fromLogE, type SequentialTest } from './e-values.js';

/**
 * Both arms' values, all of them: the test needs their order statistics.
 * For a candidate value of the common quantile each arm says how surprising its share below is; the least surprising candidate decides.
 * @returns logE is a lower bound over all common quantiles
 * @param quantile  which, in (0, 1)
 * @param tightestAtUnits  per arm, where the test is most powerful
 * Golden: quantile_sequential
 */
export const quantileAbTest = (input: {
  readonly control: readonly number[];
  readonly treatment: readonly number[];
  readonly quantile: number;
  readonly tightestAtUnits: number;
  readonly alphaOpt: Probability;
}): SequentialTest => {
  const { control, treatment, tightestAtUnits, alphaOpt } = input;
  const quantile = requireLevel('quantile', input.quantile);
  if (control.length === 0 || treatment.length === 0) throw new RangeError('both arms need at least one value');
  const mixture = betaBinomialMixture({
    g: quantile,
    h: 1 - quantile,
    vOpt: tightestAtUnits * quantile * (1 - quantile),
    alphaOpt,
    sides: 'two-sided',
  });
  const arms = [control, treatment].map((values) => surpriseOf(values, quantile, mixture));
  const candidates = arms.flatMap(({ sorted, calm }) => [...sorted, ...calm]);
  const logE = candidates.reduce(
    (least, x) =>
      Math.min(
        least,
        arms.reduce((sum, arm) => sum + arm.at(x), 0),
      ),
    Number.MAX_VALUE,
  );
  return fromLogE(logE);
};

interface Surprise {
  readonly sorted: readonly number[];
  /** Between these two values this arm is least surprised. */
  readonly calm: readonly [number, number];
  readonly at: (x: number) => number;
}

const surpriseOf = (values: readonly number[], quantile: number, mixture: BetaBinomialMixture): Surprise => {
  for (const value of values) requireFinite('value', value);
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const logAt = (shareBelow: number): number => logBetaBinomialMixture(mixture, (shareBelow - quantile) * n, quantile * (1 - quantile) * n);
  const calmest = minimiser(logAt);
  const orderStatistic = (rank: number): number => sorted[Math.min(n, Math.max(1, rank)) - 1] ?? 0;
  const calm: readonly [number, number] = [orderStatistic(Math.ceil(calmest * n)), orderStatistic(Math.floor(calmest * n) + 1)];
  const at = (x: number): number => {
    // A candidate outside the calm stretch counts its own ties on the side that surprises less.
    if (x < calm[0]) return logAt(countBelow(sorted, x, true) / n);
    return x > calm[1] ? logAt(countBelow(sorted, x, false) / n) : logAt(calmest);
  };
  return { sorted, calm, at };
};

/** Values below x, or up to it. */
const countBelow = (sorted: readonly number[], x: number, inclusive: boolean): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const value = sorted[middle] ?? x;
    if (value < x || (inclusive && value === x)) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Where a function that falls and then rises on [0, 1] is smallest (golden section). */
const minimiser = (f: (x: number) => number): number => {
  const RATIO = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [0, 1];
  while (high - low > 1e-10) {
    const [left, right] = [high - RATIO * (high - low), low + RATIO * (high - low)];
    if (f(left) <= f(right)) high = right;
    else low = left;
  }
  return (low + high) / 2;
};
