/** What a comparison of two arms answers: an effect with its uncertainty, or the reason why there is none. */
import { studentT } from '../distributions.js';
import type { Probability } from '../kernel/requirements.js';

export type Alternative = 'two-sided' | 'greater' | 'less';
export type Difference = 'absolute' | 'relative';

export type RefusalReason =
  | 'INSUFFICIENT_UNITS'
  | 'ZERO_NEGATIVE_VARIANCE'
  | 'ZERO_VARIANCE'
  | 'ZERO_BASELINE'
  | 'ZERO_DENOMINATOR'
  | 'TOO_FEW_OBSERVATIONS'
  /** A relative interval that holds at every look, where control's value may be 0 or less. */
  | 'NOISY_BASELINE'
  /** A quantile whose order statistics were not taken. */
  | 'NOT_COUNTED';

export interface EffectEstimate {
  readonly kind: 'estimate';
  /** Absolute: in the metric's unit. Relative: a share of |control mean|, so 0.05 is five per cent. */
  readonly estimate: number;
  readonly se: number;
  readonly statistic: number;
  readonly df: number;
  readonly p: Probability;
  /** Natural logarithm of p; finite where p itself is below the smallest double. */
  readonly logP: number;
  /** `null` = unbounded on this side. */
  readonly ciLower: number | null;
  readonly ciUpper: number | null;
  /** The control mean is less than ten standard errors from 0: the interval is Fieller's. */
  readonly baselineNoisy?: boolean;
}

export interface Refused {
  readonly kind: 'refused';
  readonly reason: RefusalReason;
  /** Plain difference of the means in the metric's unit, where both arms have a unit: to show, not to decide on. */
  readonly difference?: number;
}

export type ComparedEffect = EffectEstimate | Refused;

export const refused = (reason: RefusalReason, difference?: number): Refused =>
  difference === undefined || !Number.isFinite(difference) ? { kind: 'refused', reason } : { kind: 'refused', reason, difference };

/** p and ln p of a statistic with a symmetric null distribution given by its upper tail. */
export const tailProbability = (
  statistic: number,
  alternative: Alternative,
  logSf: (statistic: number) => number,
): { p: Probability; logP: number } => {
  const logP =
    alternative === 'two-sided'
      ? Math.min(0, Math.LN2 + logSf(Math.abs(statistic)))
      : logSf(alternative === 'greater' ? statistic : -statistic);
  return { p: Math.exp(logP), logP };
};

/** The bounds an alternative leaves finite, at `distance` standard units from the estimate. */
export const boundsFor = (
  alternative: Alternative,
  estimate: number,
  halfWidth: number,
): { readonly ciLower: number | null; readonly ciUpper: number | null } => ({
  ciLower: alternative === 'less' ? null : estimate - halfWidth,
  ciUpper: alternative === 'greater' ? null : estimate + halfWidth,
});

/** The critical value of Student's t for one or both sides at level alpha. */
export const criticalT = (alpha: Probability, alternative: Alternative, df: number): number =>
  studentT.isf(alternative === 'two-sided' ? alpha / 2 : alpha, df);

/** An estimate with a standard error > 0 and degrees of freedom, judged by Student's t against `nullDifference`. */
export const tJudged = (input: {
  readonly estimate: number;
  readonly se: number;
  readonly df: number;
  readonly alpha: Probability;
  readonly alternative: Alternative;
  readonly nullDifference: number;
}): EffectEstimate => {
  const { estimate, se, df, alpha, alternative, nullDifference } = input;
  const statistic = (estimate - nullDifference) / se;
  // Field by field: this is made for each of a hundred thousand cells, and spreading costs more than the arithmetic.
  const { p, logP } = tailProbability(statistic, alternative, (t) => studentT.logSf(t, df));
  const halfWidth = criticalT(alpha, alternative, df) * se;
  return {
    kind: 'estimate',
    estimate,
    se,
    statistic,
    df,
    p,
    logP,
    ciLower: alternative === 'less' ? null : estimate - halfWidth,
    ciUpper: alternative === 'greater' ? null : estimate + halfWidth,
  };
};
