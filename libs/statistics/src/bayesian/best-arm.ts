/** Which of several arms is best, and how a bandit would share the traffic. */
import { normal } from '../distributions.js';
import { integrateBetween } from '../kernel/quadrature.js';
import { requireCount, requireFinite, requirePositive } from '../kernel/requirements.js';

export interface ArmPosterior {
  readonly mean: number;
  readonly sd: number;
}

const SDS = 9;
const PANELS = 4;

/**
 * P(arm k has the largest mean) under independent normal posteriors, by quadrature: no seed, no jitter in the weights.
 * @returns one probability per arm, adding up to 1
 * Golden: pbest-*
 */
export const bestArmProbability = (arms: readonly ArmPosterior[]): readonly number[] => {
  for (const { mean, sd } of arms) {
    requireFinite('mean', mean);
    requirePositive('sd', sd);
  }
  // Corners at every arm's own scale, so that a narrow posterior inside a wide one is not stepped over.
  const corners = arms
    .flatMap(({ mean, sd }) => [-SDS, -3, -1, 0, 1, 3, SDS].map((sds) => mean + sds * sd))
    .sort((a, b) => a - b)
    .filter((corner, i, all) => i === 0 || corner > (all[i - 1] ?? corner));
  const raw = arms.map((arm, k) =>
    integrateBetween(
      (x) => densityOf(arm, x) * arms.reduce((product, other, i) => (i === k ? product : product * below(other, x)), 1),
      corners,
      PANELS,
    ),
  );
  const total = raw.reduce((sum, p) => sum + p, 0);
  return raw.map((p) => p / total);
};

const densityOf = ({ mean, sd }: ArmPosterior, x: number): number => normal.pdf((x - mean) / sd) / sd;
const below = ({ mean, sd }: ArmPosterior, x: number): number => normal.cdf((x - mean) / sd);

/**
 * Allocation weights: every arm keeps a floor f, the rest follows the probabilities, w = f + (1 − K·f)·p.
 * A floor of 1/K or more gives equal weights; a negative one counts as 0.
 * Golden: weights-*, floor-too-big
 */
export const allocationWeights = (probabilities: readonly number[], floor: number): readonly number[] => {
  const arms = probabilities.length;
  const least = Math.max(0, requireFinite('floor', floor));
  if (arms * least >= 1) return probabilities.map(() => 1 / arms);
  return probabilities.map((p) => least + (1 - arms * least) * p);
};

/** Units every arm needs before weights may move. */
const UNITS_BEFORE_UPDATE = 100;

/** Whether a bandit may update, or how many units the smallest arm still lacks. */
export const banditReadiness = (
  unitsPerArm: readonly number[],
): { readonly kind: 'ready' } | { readonly kind: 'not-enough-data'; readonly needed: number; readonly have: number } => {
  const have = Math.min(...unitsPerArm.map((units) => requireCount('units', units)));
  return have >= UNITS_BEFORE_UPDATE ? { kind: 'ready' } : { kind: 'not-enough-data', needed: UNITS_BEFORE_UPDATE, have };
};

export interface PeriodMean {
  readonly mean: number;
  /** Variance per unit. */
  readonly variance: number;
  readonly n: number;
  /** Share of all arms' units that fell into this period; the shares add up to 1. */
  readonly share: number;
}

/** An arm's mean over periods of different weights, weighted by all arms' units: removes the bias of time times weight. */
export const periodWeightedMean = (periods: readonly PeriodMean[]): { readonly mean: number; readonly varianceOfMean: number } => ({
  mean: periods.reduce((sum, { mean, share }) => sum + share * mean, 0),
  varianceOfMean: periods.reduce((sum, { variance, n, share }) => sum + (share * share * variance) / n, 0),
});
