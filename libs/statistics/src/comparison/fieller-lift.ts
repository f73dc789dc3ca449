/** A lift over a control mean that may be near 0, where difference and mean depend on each other: Fieller 1954, with their covariance. */
import { studentT } from '../distributions.js';
import type { Probability } from '../kernel/requirements.js';
import { type Alternative, criticalT, type EffectEstimate, tailProbability } from './compared-effect.js';

/** What a lift is made of, and how uncertain it is. */
export interface LiftParts {
  readonly difference: number;
  /** Control's mean, which it is a share of; not 0. */
  readonly base: number;
  readonly varianceOfDifference: number;
  readonly varianceOfBase: number;
  readonly covariance: number;
}

interface Judged {
  readonly alpha: Probability;
  readonly alternative: Alternative;
  readonly nullDifference: number;
}

/** Below this many standard errors from zero a control mean makes the linear approximation of a ratio untrustworthy. */
export const NOISY_BASELINE_BELOW = 10;

/**
 * The lift as it is where control's mean is ten standard errors and more from 0; nearer to it with the set of lifts r that the contrast difference − r·|base| does
 * not reject, that contrast's own p, and `baselineNoisy`. Both limits are null where the mean can't be told from 0 at this level.
 */
export const withBaselineNoise = (
  linear: EffectEstimate,
  parts: LiftParts,
  { alpha, alternative, nullDifference }: Judged,
): EffectEstimate => {
  const { difference, varianceOfDifference, varianceOfBase } = parts;
  const base = Math.abs(parts.base);
  if (base >= NOISY_BASELINE_BELOW * Math.sqrt(varianceOfBase)) return linear;
  const covariance = Math.sign(parts.base) * parts.covariance;
  const { df } = linear;
  const varianceAt = varianceOfDifference - 2 * nullDifference * covariance + nullDifference ** 2 * varianceOfBase;
  const statistic = (difference - nullDifference * base) / Math.sqrt(varianceAt);
  const tested = { ...linear, statistic, ...tailProbability(statistic, alternative, (t) => studentT.logSf(t, df)), baselineNoisy: true };
  const t2 = criticalT(alpha, alternative, df) ** 2;
  const a = base * base - t2 * varianceOfBase;
  if (a <= 0) return { ...tested, ciLower: null, ciUpper: null };
  const b = difference * base - t2 * covariance;
  // Above 0: the lift itself is not rejected.
  const reach = Math.sqrt(Math.max(0, b * b - a * (difference * difference - t2 * varianceOfDifference)));
  return {
    ...tested,
    ciLower: alternative === 'less' ? null : (b - reach) / a,
    ciUpper: alternative === 'greater' ? null : (b + reach) / a,
  };
};
