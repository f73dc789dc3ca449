/** What strata estimate together, as control's value and the effect on it, each with its slopes: from there on means and ratios are alike. */
import type { LiftParts } from './fieller-lift.js';

export interface StratifiedParts {
  readonly base: number;
  readonly difference: number;
  /** Slopes in the values that the strata estimate. */
  readonly ofBase: readonly number[];
  readonly ofDifference: readonly number[];
}

/** Gradients in the values whose covariance is known. */
export type Covariance = (left: readonly number[], right: readonly number[]) => number;

/** @param values  control mean and effect; of ratios those of the numerator, then those of the denominator */
export const stratifiedParts = (kind: 'means' | 'cuped' | 'ratios', values: readonly number[]): StratifiedParts | 'ZERO_DENOMINATOR' =>
  kind === 'ratios' ? partsOfRatios(values) : partsOfMeans(values);

const partsOfMeans = ([base = 0, difference = 0]: readonly number[]): StratifiedParts => ({
  base,
  difference,
  ofBase: [1, 0],
  ofDifference: [0, 1],
});

const partsOfRatios = ([numerator = 0, onNumerator = 0, denominator = 0, onDenominator = 0]: readonly number[]) => {
  const [above, below] = [numerator + onNumerator, denominator + onDenominator];
  if (denominator === 0 || below === 0) return 'ZERO_DENOMINATOR';
  const [base, treated] = [numerator / denominator, above / below];
  const ofBase = [1 / denominator, 0, -base / denominator, 0];
  // The treated part is control's and the effect: its slope in both is the same.
  const ofTreated = [1 / below, 1 / below, -treated / below, -treated / below];
  return { base, difference: treated - base, ofBase, ofDifference: ofTreated.map((slope, i) => slope - (ofBase[i] ?? 0)) };
};

/** Slopes of difference/|base|; of a base that is not 0. */
export const liftSlopes = ({ base, difference, ofBase, ofDifference }: StratifiedParts): readonly number[] =>
  ofDifference.map((slope, i) => (slope - (difference / base) * (ofBase[i] ?? 0)) / Math.abs(base));

export const liftParts = ({ base, difference, ofBase, ofDifference }: StratifiedParts, covariance: Covariance): LiftParts => ({
  base,
  difference,
  varianceOfDifference: covariance(ofDifference, ofDifference),
  varianceOfBase: covariance(ofBase, ofBase),
  covariance: covariance(ofDifference, ofBase),
});
