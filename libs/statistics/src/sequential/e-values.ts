/** e-values: evidence whose expectation under the null is at most 1 at any stopping time. Kept as logarithms, since they overflow. */
import { logMeanExp } from '../kernel/log-space.js';
import type { Probability } from '../kernel/requirements.js';

export interface SequentialTest {
  /** ln of the e-value; ≥ ln(1/α) is an alarm at level α, at any look. */
  readonly logE: number;
  /** min(1, 1/E) at this look. The always-valid p is its running minimum. */
  readonly p: Probability;
  readonly logP: number;
}

export const fromLogE = (logE: number): SequentialTest => {
  // 0 − x instead of −x: a p of 1 has the logarithm 0, not −0.
  const logP = Math.min(0, 0 - logE);
  return { logE, p: Math.exp(logP), logP };
};

/** ln of the average of e-values: an e-value again, however they depend on each other. Costs at most ln(number of them). */
export const averageLogE = (logE: readonly number[]): number => {
  if (logE.length === 0) throw new RangeError('an average needs at least one e-value, got none');
  return logMeanExp(logE);
};

/** ln of κ·p^{κ−1}, an e-value made of a p-value (Vovk & Wang 2021); κ = ½ gives ½/√p. */
export const logEOfP = (p: Probability, kappa = 0.5): number => {
  if (!(p > 0 && p <= 1)) throw new RangeError(`a p-value must be in (0, 1], got ${p}`);
  if (!(kappa > 0 && kappa < 1)) throw new RangeError(`kappa must be in (0, 1), got ${kappa}`);
  return Math.log(kappa) + (kappa - 1) * Math.log(p);
};

/** Always-valid p after each look: the smallest so far. */
export const runningMinimumP = (pValues: readonly number[]): readonly number[] => {
  let smallest = 1;
  return pValues.map((p) => {
    smallest = Math.min(smallest, p);
    return smallest;
  });
};
