/** Ratios of two sums per unit of randomisation (clicks per page view, revenue per order), and clusters, by the delta method. */
import { integerRatio } from '../kernel/integer-ratio.js';
import { requireScale } from '../kernel/requirements.js';
import { type CoMoments, coMomentsFromIntegerSums, type IntegerPairSums, momentsOfX } from '../sums/co-moments.js';
import { MILLIONTHS, type Moments, varianceOfMean, withoutRounding } from '../sums/moments.js';
import { compareMeans, type MeansComparison } from './compare-means.js';
import { type ComparedEffect, type EffectEstimate, type Refused, refused } from './compared-effect.js';

export interface Ratio {
  readonly kind: 'ratio';
  /** Mean = ΣM/ΣD, variance per unit = that of the linearised value: goes into `compareMeans` as it is. */
  readonly moments: Moments;
  readonly denominator: Moments;
  /** The mean denominator is below ten standard errors: the first-order approximation may not hold. */
  readonly isDenominatorNoisy: boolean;
}

const NOISY_DENOMINATOR_BELOW = 10;

const isNoisy = (denominator: Moments): boolean =>
  denominator.n < 2 || Math.abs(denominator.mean) < NOISY_DENOMINATOR_BELOW * Math.sqrt(Math.max(0, varianceOfMean(denominator)));

/**
 * R = ΣM/ΣD of pairs (x = denominator D, y = numerator M) with the variance of (M − R·D)/D̄ per unit (Deng, Knoblich & Lu 2018).
 * Units whose denominator is 0 stay in: they carry their numerator. The same formula serves clusters, with D = cluster size.
 * @returns `refused` ZERO_DENOMINATOR when ΣD = 0, INSUFFICIENT_UNITS without any unit
 * Assumes denominators of one sign, and units (not events) as what was randomised.
 * Golden: ratio
 */
export const ratioMoments = (pair: CoMoments): Ratio | Refused => {
  if (pair.n === 0) return refused('INSUFFICIENT_UNITS');
  if (pair.meanX === 0) return refused('ZERO_DENOMINATOR');
  const mean = pair.meanY / pair.meanX;
  // Residuals M − R·D have mean 0 by construction, so centred sums are their sums.
  const m2 = withoutRounding(pair.m2Y - 2 * mean * pair.cXY + mean * mean * pair.m2X, pair.m2Y) / pair.meanX ** 2;
  const denominator = momentsOfX(pair);
  return { kind: 'ratio', moments: { n: pair.n, mean, m2 }, denominator, isDenominatorNoisy: isNoisy(denominator) };
};

/**
 * The same from exact integer sums (x = denominator, y = numerator): even residuals that all but vanish keep every digit,
 * because Σ(M − R·D)²·(ΣD)² is a whole number.
 */
export const ratioMomentsFromIntegerSums = (sums: IntegerPairSums): Ratio | Refused => {
  if (sums.n === 0) return refused('INSUFFICIENT_UNITS');
  if (sums.sumX === 0n) return refused('ZERO_DENOMINATOR');
  const { n, sumX, sumY, sumSquaresX, sumSquaresY, sumProducts, scale = MILLIONTHS } = sums;
  const [perX, perY] = [requireScale(sums.scaleX ?? scale), requireScale(sums.scaleY ?? scale)];
  const residuals = sumSquaresY * sumX ** 2n - 2n * sumY * sumX * sumProducts + sumY ** 2n * sumSquaresX;
  const moments = {
    n,
    mean: integerRatio(sumY * perX, sumX * perY),
    m2: integerRatio(BigInt(n) ** 2n * residuals * perX ** 2n, sumX ** 4n * perY ** 2n),
  };
  const denominator = momentsOfX(coMomentsFromIntegerSums(sums));
  return { kind: 'ratio', moments, denominator, isDenominatorNoisy: isNoisy(denominator) };
};

/** Does the treatment change the denominator itself? Then the ratio mixes two effects. */
export interface DenominatorShift {
  readonly effect: ComparedEffect;
  /** p < .01: report the ratio together with its parts. */
  readonly isShifted: boolean;
}

const SHIFT_BELOW_P = 0.01;

export const denominatorShift = (control: Moments, treatment: Moments, alpha = SHIFT_BELOW_P): DenominatorShift => {
  const effect = compareMeans({ control, treatment, alpha, difference: 'absolute' });
  return { effect, isShifted: effect.kind === 'estimate' && effect.p < alpha };
};

export type RatioEffect = (EffectEstimate & { readonly denominatorShift: DenominatorShift; readonly denominatorNoisy: boolean }) | Refused;

/** Two arms' ratios, from pairs per unit (x = denominator, y = numerator); degrees of freedom count units, not events. */
export const compareRatios = (
  comparison: Omit<MeansComparison, 'control' | 'treatment'> & { readonly control: CoMoments; readonly treatment: CoMoments },
): RatioEffect => {
  const [control, treatment] = [ratioMoments(comparison.control), ratioMoments(comparison.treatment)];
  if (control.kind === 'refused') return control;
  if (treatment.kind === 'refused') return treatment;
  const effect = compareMeans({ ...comparison, control: control.moments, treatment: treatment.moments });
  if (effect.kind === 'refused') return effect;
  return {
    ...effect,
    denominatorShift: denominatorShift(control.denominator, treatment.denominator),
    denominatorNoisy: control.isDenominatorNoisy || treatment.isDenominatorNoisy,
  };
};

/** How many times the variance exceeds the one that events counted as independent 0/1 draws would show. */
export const designEffect = (ratio: Ratio): number => {
  const { mean } = ratio.moments;
  const events = ratio.denominator.mean * ratio.denominator.n;
  return (varianceOfMean(ratio.moments) * events) / (mean * (1 - mean));
};

/** Covariance per unit of two ratios a/b and c/d, first order. Golden: ratio-cov-tt */
export const ratioCovariance = (
  means: { readonly a: number; readonly b: number; readonly c: number; readonly d: number },
  covariances: { readonly ac: number; readonly ad: number; readonly bc: number; readonly bd: number },
): number => {
  const [first, second] = [means.a / means.b, means.c / means.d];
  const { ac, ad, bc, bd } = covariances;
  return (ac - ad * second - bc * first + bd * first * second) / (means.b * means.d);
};
