/** CUPED: a covariate measured before exposure takes its share out of the variance (Deng, Xu, Kohavi & Walker 2013). */
import { type Probability, requireLevel } from '../kernel/requirements.js';
import { type CoMoments, mergeCoMoments, momentsOfX, momentsOfY } from '../sums/co-moments.js';
import { type Moments, sampleVariance, varianceOfMean, withoutRounding } from '../sums/moments.js';
import { obstacleTo, welchDf } from './compare-means.js';
import { type Alternative, type Difference, type EffectEstimate, type Refused, refused, tJudged } from './compared-effect.js';
import { withBaselineNoise } from './fieller-lift.js';

/** `pooled`: all arms as one sample, between-arm variation included. `within`: around each arm's own means. */
export type ThetaFrom = 'pooled' | 'within';

/**
 * Slope of outcome (y) on covariate (x) over any number of arms; 0 when there is no covariance to use.
 * Default pooled, as GrowthBook, tea-tasting and spotify/confidence do.
 * Golden: theta-gb
 */
export const cupedTheta = (arms: readonly CoMoments[], from: ThetaFrom = 'pooled'): number => {
  const { cXY, m2X, m2Y } = from === 'pooled' ? poolOf(arms) : sumsWithin(arms);
  return m2X > 0 && m2Y > 0 ? cXY / m2X : 0;
};

const poolOf = (arms: readonly CoMoments[]): CoMoments => {
  const [first, ...rest] = arms;
  if (first === undefined) throw new RangeError('theta needs at least one arm, got none');
  return rest.reduce(mergeCoMoments, first);
};

const sumsWithin = (arms: readonly CoMoments[]): Pick<CoMoments, 'cXY' | 'm2X' | 'm2Y'> =>
  arms.reduce((sum, arm) => ({ cXY: sum.cXY + arm.cXY, m2X: sum.m2X + arm.m2X, m2Y: sum.m2Y + arm.m2Y }), { cXY: 0, m2X: 0, m2Y: 0 });

/**
 * An arm's moments of y − θ(x − centre): its mean stays on the outcome's scale when `centre` is the covariate's mean over all arms.
 * Usable wherever moments are.
 */
export const cupedAdjusted = (arm: CoMoments, theta: number, centre: number): Moments => ({
  n: arm.n,
  mean: arm.meanY - theta * (arm.meanX - centre),
  m2: withoutRounding(arm.m2Y + theta * theta * arm.m2X - 2 * theta * arm.cXY, arm.m2Y),
});

export interface CupedComparison {
  readonly control: CoMoments;
  readonly treatment: CoMoments;
  readonly alpha: Probability;
  readonly alternative?: Alternative;
  readonly difference: Difference;
  readonly nullDifference?: number;
  readonly relativeInterval?: 'auto' | 'linear';
  /** All arms of the experiment, these two among them; the two alone unless told. */
  readonly arms?: readonly CoMoments[];
  readonly theta?: ThetaFrom | number;
}

export interface CupedDetails {
  readonly theta: number;
  readonly adjustedControl: Moments;
  readonly adjustedTreatment: Moments;
  /** 1 − adjusted / unadjusted variance of the absolute difference; about the squared correlation. */
  readonly varianceReduction: number;
}

export type CupedEffect = (EffectEstimate & CupedDetails) | Refused;

/**
 * Difference of adjusted means. A relative effect divides by |unadjusted control mean|, and its standard error follows
 * from the exact gradient, the covariate's chance imbalance taken as 0 in expectation. Where that mean is less than ten standard errors from 0, its
 * interval and p are Fieller's, and `baselineNoisy` is set; `relativeInterval: 'linear'` leaves them as they are.
 * @param control, treatment  pairs per unit: x = covariate before exposure (0 where a unit has no history), y = outcome
 * @returns as `compareMeans`, with θ and what it gained
 * A covariate observed after exposure would bias the effect: that is the caller's promise.
 * Golden: cuped
 */
export const compareCuped = (comparison: CupedComparison): CupedEffect => {
  const { control, treatment, alternative = 'two-sided', difference, nullDifference = 0, arms = [control, treatment] } = comparison;
  const alpha = requireLevel('alpha', comparison.alpha);
  const theta = typeof comparison.theta === 'number' ? comparison.theta : cupedTheta(arms, comparison.theta);
  const centre = poolOf(arms).meanX;
  const [adjustedControl, adjustedTreatment] = [cupedAdjusted(control, theta, centre), cupedAdjusted(treatment, theta, centre)];
  const obstacle = obstacleTo(momentsOfY(control), momentsOfY(treatment)) ?? obstacleTo(adjustedControl, adjustedTreatment);
  if (obstacle !== undefined) return obstacle;
  const absolute = adjustedTreatment.mean - adjustedControl.mean;
  const variance = varianceOfMean(adjustedControl) + varianceOfMean(adjustedTreatment);
  if (difference === 'relative' && control.meanY === 0) return refused('ZERO_BASELINE', absolute);
  const onScale =
    difference === 'absolute'
      ? { estimate: absolute, se: Math.sqrt(variance) }
      : { estimate: absolute / Math.abs(control.meanY), se: Math.sqrt(relativeVariance(control, treatment, adjustedTreatment, theta)) };
  const unadjusted = varianceOfMean(momentsOfY(control)) + varianceOfMean(momentsOfY(treatment));
  const linear = tJudged({ ...onScale, df: welchDf(adjustedControl, adjustedTreatment), alpha, alternative, nullDifference });
  const parts = {
    difference: absolute,
    base: control.meanY,
    varianceOfDifference: variance,
    varianceOfBase: varianceOfMean(momentsOfY(control)),
    covariance: (theta * control.cXY - control.m2Y) / (control.n - 1) / control.n,
  };
  const isLinear = difference === 'absolute' || comparison.relativeInterval === 'linear';
  return {
    ...(isLinear ? linear : withBaselineNoise(linear, parts, { alpha, alternative, nullDifference })),
    theta,
    adjustedControl,
    adjustedTreatment,
    varianceReduction: 1 - variance / unadjusted,
  };
};

const relativeVariance = (control: CoMoments, treatment: CoMoments, adjustedTreatment: Moments, theta: number): number => {
  const base = control.meanY;
  const ratio = treatment.meanY / base;
  const covariance = control.cXY / (control.n - 1);
  const ofControl =
    sampleVariance(momentsOfY(control)) * ratio ** 2 - 2 * theta * covariance * ratio + theta ** 2 * sampleVariance(momentsOfX(control));
  return varianceOfMean(adjustedTreatment) / base ** 2 + ofControl / (control.n * base ** 2);
};
