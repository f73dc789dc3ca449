/** CUPED for ratios: the same ratio before exposure as covariate, first order in all four sums (GrowthBook; Deng et al. 2013, 2018). */
import { type Probability, requireLevel } from '../kernel/requirements.js';
import type { CoMoments } from '../sums/co-moments.js';
import { type CrossMoments, mergeCrossMoments, quadraticForm } from '../sums/cross-moments.js';
import { type Moments, withoutRounding } from '../sums/moments.js';
import { obstacleTo, welchDf } from './compare-means.js';
import { type Alternative, type Difference, type EffectEstimate, type Refused, refused, tJudged } from './compared-effect.js';
import { type LiftParts, withBaselineNoise } from './fieller-lift.js';

/** Per unit, in this order: numerator and denominator after exposure, numerator and denominator before it. */
export type RatioWithCovariate = CrossMoments;

/** `pooled`: all arms as one sample. `perArmSum`: per-unit terms of each arm added without weights, as GrowthBook does. */
export type RatioThetaFrom = 'pooled' | 'perArmSum';

/** Below this the covariate does nothing, and the plain ratio is compared. */
const NEGLIGIBLE_THETA = 1e-8;

type Four = readonly [number, number, number, number];

const meansOf = (arm: RatioWithCovariate): Four => {
  const [mPost, dPost, mPre, dPre] = arm.means;
  if (mPost === undefined || dPost === undefined || mPre === undefined || dPre === undefined || arm.means.length !== 4) {
    throw new RangeError(`four values per unit are needed, got ${arm.means.length}`);
  }
  return [mPost, dPost, mPre, dPre];
};

const ratioAfter = (arm: RatioWithCovariate): number => meansOf(arm)[0] / meansOf(arm)[1];
const ratioBefore = (arm: RatioWithCovariate): number => meansOf(arm)[2] / meansOf(arm)[3];

/** Gradient of R_post − θ·R_pre in the four means. */
const gradient = (arm: RatioWithCovariate, theta: number): Four => {
  const [mPost, dPost, mPre, dPre] = meansOf(arm);
  return [1 / dPost, -mPost / dPost ** 2, -theta / dPre, (theta * mPre) / dPre ** 2];
};

const hasDenominators = (arm: RatioWithCovariate): boolean => meansOf(arm)[1] !== 0 && meansOf(arm)[3] !== 0;

/** gᵀ·S·g, or 0 where rounding is all that is left of it: a ratio that is the same for every unit. */
const variation = (direction: readonly number[], { scatter }: RatioWithCovariate): number =>
  withoutRounding(
    quadraticForm(direction, scatter),
    direction.reduce((sum, g, i) => sum + g * g * (scatter[i]?.[i] ?? 0), 0),
  );

/** Cov(R_post, R_pre) / Var(R_pre), per unit; 0 when the covariate does not vary. */
export const cupedRatioTheta = (arms: readonly RatioWithCovariate[], from: RatioThetaFrom = 'pooled'): number => {
  const [first, ...rest] = arms;
  if (first === undefined) throw new RangeError('theta needs at least one arm, got none');
  const samples = from === 'pooled' ? [rest.reduce(mergeCrossMoments, first)] : arms;
  let [covariance, variance] = [0, 0];
  for (const sample of samples) {
    const [ofMPost, ofDPost, ofMPre, ofDPre] = gradient(sample, -1);
    const before = [0, 0, ofMPre, ofDPre];
    covariance += quadraticForm([ofMPost, ofDPost, 0, 0], sample.scatter, before) / (sample.n - 1);
    variance += variation(before, sample) / (sample.n - 1);
  }
  return variance > 0 ? covariance / variance : 0;
};

/**
 * The arm as pairs per unit, first order: x stands for the ratio before exposure, y for the one after it. Means are the two ratios, and y − θx has the moments
 * of the adjusted ratio: goes where pairs do (`cupedAdjusted`, `cupedNonInferiorityContrast`), with θ from `cupedRatioTheta`.
 * @returns `refused` INSUFFICIENT_UNITS without any unit, ZERO_DENOMINATOR when a denominator sums to 0
 */
export const linearisedRatios = (arm: RatioWithCovariate): { readonly kind: 'pairs'; readonly pairs: CoMoments } | Refused => {
  if (arm.n === 0) return refused('INSUFFICIENT_UNITS');
  if (!hasDenominators(arm)) return refused('ZERO_DENOMINATOR');
  const [ofMPost, ofDPost, ofMPre, ofDPre] = gradient(arm, -1);
  const [after, before] = [
    [ofMPost, ofDPost, 0, 0],
    [0, 0, ofMPre, ofDPre],
  ] as const;
  const pairs = {
    n: arm.n,
    meanX: ratioBefore(arm),
    meanY: ratioAfter(arm),
    m2X: variation(before, arm),
    m2Y: variation(after, arm),
    cXY: quadraticForm(after, arm.scatter, before),
  };
  return { kind: 'pairs', pairs };
};

export interface CupedRatioComparison {
  readonly control: RatioWithCovariate;
  readonly treatment: RatioWithCovariate;
  readonly alpha: Probability;
  readonly alternative?: Alternative;
  readonly difference: Difference;
  readonly nullDifference?: number;
  /** As of `compareCuped`. */
  readonly relativeInterval?: 'auto' | 'linear';
  readonly arms?: readonly RatioWithCovariate[];
  readonly theta?: RatioThetaFrom | number;
}

export type CupedRatioEffect =
  | (EffectEstimate & { readonly theta: number; readonly adjustedControl: Moments; readonly adjustedTreatment: Moments })
  | Refused;

/**
 * Difference of adjusted ratios; relative to the unadjusted control ratio. Negating the metric negates the lift and keeps its error.
 * @returns `refused` ZERO_DENOMINATOR when a denominator sums to 0, else as `compareMeans`
 * Golden: cuped_ratio
 */
export const compareCupedRatios = (comparison: CupedRatioComparison): CupedRatioEffect => {
  const { control, treatment, alternative = 'two-sided', difference, nullDifference = 0, arms = [control, treatment] } = comparison;
  const alpha = requireLevel('alpha', comparison.alpha);
  if (control.n < 2 || treatment.n < 2) return refused('INSUFFICIENT_UNITS');
  if (![...arms, control, treatment].every(hasDenominators)) return refused('ZERO_DENOMINATOR');
  const found = typeof comparison.theta === 'number' ? comparison.theta : cupedRatioTheta(arms, comparison.theta);
  const theta = Math.abs(found) < NEGLIGIBLE_THETA ? 0 : found;
  const [adjustedControl, adjustedTreatment] = [adjusted(control, theta), adjusted(treatment, theta)];
  const obstacle = obstacleTo(adjustedControl, adjustedTreatment);
  if (obstacle !== undefined) return obstacle;
  const absolute = adjustedTreatment.mean - adjustedControl.mean;
  const base = Math.abs(ratioAfter(control));
  if (difference === 'relative' && base === 0) return refused('ZERO_BASELINE', absolute);
  const [onControl, onTreatment] =
    difference === 'absolute'
      ? [gradient(control, theta), gradient(treatment, theta)]
      : relativeGradients(control, treatment, theta, absolute);
  const variance = varianceAlong(onControl, control) + varianceAlong(onTreatment, treatment);
  const onScale = { estimate: difference === 'absolute' ? absolute : absolute / base, se: Math.sqrt(variance) };
  const df = welchDf(adjustedControl, adjustedTreatment);
  const linear = tJudged({ ...onScale, df, alpha, alternative, nullDifference });
  const isLinear = difference === 'absolute' || comparison.relativeInterval === 'linear';
  const effect = isLinear
    ? linear
    : withBaselineNoise(linear, partsOf(control, treatment, theta, absolute), { alpha, alternative, nullDifference });
  return { ...effect, theta, adjustedControl, adjustedTreatment };
};

const partsOf = (control: RatioWithCovariate, treatment: RatioWithCovariate, theta: number, difference: number): LiftParts => {
  const [adjustment, own] = [gradient(control, theta), gradient(control, 0)];
  return {
    difference,
    base: ratioAfter(control),
    varianceOfDifference: varianceAlong(adjustment, control) + varianceAlong(gradient(treatment, theta), treatment),
    varianceOfBase: varianceAlong(own, control),
    covariance: -quadraticForm(adjustment, control.scatter, own) / ((control.n - 1) * control.n),
  };
};

const adjusted = (arm: RatioWithCovariate, theta: number): Moments => ({
  n: arm.n,
  mean: ratioAfter(arm) - theta * ratioBefore(arm),
  m2: quadraticForm(gradient(arm, theta), arm.scatter),
});

const varianceAlong = (direction: readonly number[], arm: RatioWithCovariate): number =>
  quadraticForm(direction, arm.scatter) / ((arm.n - 1) * arm.n);

/** Gradients of the lift: the control's ratio appears in the difference and in what it is divided by. */
const relativeGradients = (
  control: RatioWithCovariate,
  treatment: RatioWithCovariate,
  theta: number,
  absolute: number,
): readonly [Four, Four] => {
  const base = Math.abs(ratioAfter(control));
  const [ofMPost, ofDPost, ofMPre, ofDPre] = gradient(control, theta);
  const inflation = (base + absolute * Math.sign(ratioAfter(control))) / base ** 2;
  const [tMPost, tDPost, tMPre, tDPre] = gradient(treatment, theta);
  return [
    [-ofMPost * inflation, -ofDPost * inflation, -ofMPre / base, -ofDPre / base],
    [tMPost / base, tDPost / base, tMPre / base, tDPre / base],
  ];
};
