/** Two arms' means per unit: Welch's test, absolute or relative to control. */
import { studentT } from '../distributions.js';
import { type Probability, requireLevel } from '../kernel/requirements.js';
import { type Moments, sampleVariance, varianceOfMean } from '../sums/moments.js';
import {
  type Alternative,
  type ComparedEffect,
  criticalT,
  type Difference,
  type EffectEstimate,
  type Refused,
  refused,
  tailProbability,
  tJudged,
} from './compared-effect.js';
import { NOISY_BASELINE_BELOW } from './fieller-lift.js';

/** How a relative effect gets its interval; `auto` is linear until the control mean is noisy, then Fieller. */
export type RelativeInterval = 'auto' | 'linear' | 'fieller' | 'log-ratio';

export interface MeansComparison {
  readonly control: Moments;
  readonly treatment: Moments;
  /** Level of the interval: two-sided in all when `alternative` is two-sided, else on its one side. In (0, 1). */
  readonly alpha: Probability;
  readonly alternative?: Alternative;
  readonly difference: Difference;
  /** The effect under the null hypothesis, on the scale of `difference`. */
  readonly nullDifference?: number;
  readonly relativeInterval?: RelativeInterval;
}

/**
 * Difference of two means with unequal variances (Welch 1947), absolute or relative to |control mean|.
 *
 * Relative effects use the linear delta method (Deng, Knoblich & Lu 2018) with Welch's degrees of freedom of the absolute test, and
 * Fieller's limits (Fieller 1954) once |control mean| is below ten standard errors: then p is that of the same contrast, the interval is
 * its inversion, and `baselineNoisy` is set. Its p differs from the absolute test's; decide on the absolute one.
 *
 * @param control, treatment  moments per unit of randomisation; also of a ratio (`ratioMoments`) or of a proportion
 * @returns the estimate, or `refused`: fewer than 2 units in an arm, sums that contradict each other, no variance in an arm
 *   (a certainty that early data does not have), or a relative effect on a control mean of 0
 * @throws RangeError for NaN, infinities, or a level outside (0, 1)
 * Assumes independent units. Not valid under repeated looks: see asymptotic-confidence-sequence.ts.
 * Golden: mean_diff, cluster-ctr, q90-*
 */
export const compareMeans = (comparison: MeansComparison): ComparedEffect => {
  const { control, treatment, alternative = 'two-sided', difference, nullDifference = 0, relativeInterval = 'auto' } = comparison;
  const alpha = requireLevel('alpha', comparison.alpha);
  const obstacle = obstacleTo(control, treatment);
  if (obstacle !== undefined) return obstacle;
  const df = welchDf(control, treatment);
  if (difference === 'absolute') {
    const se = Math.sqrt(varianceOfMean(control) + varianceOfMean(treatment));
    return tJudged({ estimate: treatment.mean - control.mean, se, df, alpha, alternative, nullDifference });
  }
  const judged = { df, alpha, alternative, nullDifference };
  if (control.mean === 0) return refused('ZERO_BASELINE', treatment.mean - control.mean);
  if (relativeInterval === 'log-ratio') return logRatio(control, treatment, judged);
  const linear = tJudged({ ...judged, ...linearLift(control, treatment) });
  const isNoisy = Math.abs(control.mean) < NOISY_BASELINE_BELOW * Math.sqrt(varianceOfMean(control));
  const wantsFieller = relativeInterval === 'fieller' || (relativeInterval === 'auto' && isNoisy);
  const effect = wantsFieller ? fieller(control, treatment, linear, judged) : linear;
  return isNoisy ? { ...effect, baselineNoisy: true } : effect;
};

const requireFiniteMoments = (arm: Moments): void => {
  if (!(Number.isFinite(arm.n) && Number.isFinite(arm.mean) && Number.isFinite(arm.m2)))
    throw new RangeError(`moments must be finite, got ${JSON.stringify(arm)}`);
};

/** Why two arms cannot be compared, in the order in which it would be found; `undefined` when they can. */
export const obstacleTo = (control: Moments, treatment: Moments): Refused | undefined => {
  requireFiniteMoments(control);
  requireFiniteMoments(treatment);
  const difference = control.n >= 1 && treatment.n >= 1 ? treatment.mean - control.mean : undefined;
  if (control.n < 2 || treatment.n < 2) return refused('INSUFFICIENT_UNITS', difference);
  if (control.m2 < 0 || treatment.m2 < 0) return refused('ZERO_NEGATIVE_VARIANCE', difference);
  if (control.m2 === 0 || treatment.m2 === 0) return refused('ZERO_VARIANCE', difference);
  return undefined;
};

/** Welch–Satterthwaite degrees of freedom. */
export const welchDf = (control: Moments, treatment: Moments): number =>
  satterthwaite(control, varianceOfMean(control), treatment, varianceOfMean(treatment));

const satterthwaite = (control: Moments, ofControl: number, treatment: Moments, ofTreatment: number): number => {
  // As shares of the total: squares of tiny variances would underflow.
  const total = ofControl + ofTreatment;
  return 1 / ((ofControl / total) ** 2 / (control.n - 1) + (ofTreatment / total) ** 2 / (treatment.n - 1));
};

const linearLift = (control: Moments, treatment: Moments): { estimate: number; se: number } => {
  const [a, b] = [control.mean, treatment.mean];
  const variance = varianceOfMean(treatment) + varianceOfMean(control) * (b / a) ** 2;
  return { estimate: (b - a) / Math.abs(a), se: Math.sqrt(variance) / Math.abs(a) };
};

interface Judged {
  readonly df: number;
  readonly alpha: Probability;
  readonly alternative: Alternative;
  readonly nullDifference: number;
}

/**
 * Fieller's set of lifts r that the contrast m_B − m_A − r·|m_A| does not reject, and that contrast's own p.
 * Unbounded (both limits null) when the control mean itself is not distinguishable from 0 at this level.
 */
const fieller = (control: Moments, treatment: Moments, linear: EffectEstimate, judged: Judged): EffectEstimate => {
  const { df, alpha, alternative, nullDifference } = judged;
  const sign = Math.sign(control.mean);
  const [ofControl, ofTreatment] = [varianceOfMean(control), varianceOfMean(treatment)];
  const nullRatio = 1 + sign * nullDifference;
  const statistic = (treatment.mean - nullRatio * control.mean) / Math.sqrt(ofTreatment + nullRatio ** 2 * ofControl);
  const tested = { ...linear, statistic, ...tailProbability(statistic, alternative, (t) => studentT.logSf(t, df)) };
  const t = criticalT(alpha, alternative, df);
  const g = (t * t * ofControl) / control.mean ** 2;
  if (g >= 1) return { ...tested, ciLower: null, ciUpper: null };
  const ratio = treatment.mean / control.mean;
  const reach = (t / Math.abs(control.mean)) * Math.sqrt(ofTreatment * (1 - g) + ratio ** 2 * ofControl);
  const lifts = [(ratio - reach) / (1 - g) - 1, (ratio + reach) / (1 - g) - 1].map((lift) => sign * lift);
  return {
    ...tested,
    ciLower: alternative === 'less' ? null : Math.min(...lifts),
    ciUpper: alternative === 'greater' ? null : Math.max(...lifts),
  };
};

/**
 * Lift with an interval on the logarithm of the ratio (tea-tasting): never below −100 %, better for skewed small samples.
 * Needs means of one sign; otherwise the ratio has no logarithm and the baseline cannot carry it.
 */
const logRatio = (control: Moments, treatment: Moments, judged: Judged): ComparedEffect => {
  const { alpha, alternative, nullDifference } = judged;
  if (Math.sign(control.mean) !== Math.sign(treatment.mean)) return refused('ZERO_BASELINE', treatment.mean - control.mean);
  const sign = Math.sign(control.mean);
  const [ofControl, ofTreatment] = [control, treatment].map((arm) => varianceOfMean(arm) / arm.mean ** 2) as [number, number];
  const df = satterthwaite(control, ofControl, treatment, ofTreatment);
  const seLog = Math.sqrt(ofControl + ofTreatment);
  const nullRatio = 1 + sign * nullDifference;
  if (nullRatio <= 0) throw new RangeError(`a log ratio needs a null lift above −100 %, got ${nullDifference}`);
  const ratio = treatment.mean / control.mean;
  const t = criticalT(alpha, alternative, df);
  const statistic = (sign * Math.log(ratio / nullRatio)) / seLog;
  const lifts = [ratio * Math.exp(-t * seLog) - 1, ratio * Math.exp(t * seLog) - 1].map((lift) => sign * lift);
  return {
    kind: 'estimate',
    estimate: sign * (ratio - 1),
    se: ratio * seLog,
    statistic,
    df,
    ...tailProbability(statistic, alternative, (z) => studentT.logSf(z, df)),
    ciLower: alternative === 'less' ? null : Math.min(...lifts),
    ciUpper: alternative === 'greater' ? null : Math.max(...lifts),
  };
};

/** Both arms' variances pooled into one, with n_A + n_B − 2 degrees of freedom: an option for parity, never the default. */
export const pooledVariance = (control: Moments, treatment: Moments): number => {
  const df = control.n + treatment.n - 2;
  return ((control.n - 1) * sampleVariance(control) + (treatment.n - 1) * sampleVariance(treatment)) / df;
};
