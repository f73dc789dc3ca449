/** Does an effect differ between levels of a dimension, or fade with time since exposure? */
import { tailProbability } from '../comparison/compared-effect.js';
import { chiSquare, normal } from '../distributions.js';
import { type Probability, requireFinite, requireLevel, requirePositive } from '../kernel/requirements.js';

export interface LevelEffect {
  readonly effect: number;
  readonly se: number;
}

export interface Heterogeneity {
  /** Precision-weighted mean effect. */
  readonly pooled: number;
  /** Cochran's Q with K − 1 degrees of freedom. */
  readonly q: number;
  readonly df: number;
  readonly p: Probability;
  readonly logP: number;
  /** Share of the variation beyond chance, 0 to 1. */
  readonly iSquared: number;
  /** Variance between levels (DerSimonian & Laird 1986). */
  readonly tau2: number;
  /** Each level's effect drawn towards the pooled one by how uncertain it is. */
  readonly shrunk: readonly number[];
  /** The sign of the effect over all units is the sign of no level: Simpson's paradox. The pooled effect lies between the levels' and can't show it. */
  readonly isSimpson: boolean;
}

/**
 * Levels must be attributes known before exposure.
 * @param overall  effect over all units, to tell Simpson's paradox, which is never told without it
 * @throws RangeError with fewer than two levels
 */
export const heterogeneity = (levels: readonly LevelEffect[], overall?: number): Heterogeneity => {
  if (levels.length < 2) throw new RangeError(`heterogeneity needs at least 2 levels, got ${levels.length}`);
  const weighted = levels.map(({ effect, se }) => ({
    effect: requireFinite('effect', effect),
    variance: requirePositive('se', se) ** 2,
    weight: 1 / se ** 2,
  }));
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  const pooled = weighted.reduce((sum, { effect, weight }) => sum + weight * effect, 0) / total;
  const q = weighted.reduce((sum, { effect, weight }) => sum + weight * (effect - pooled) ** 2, 0);
  const df = levels.length - 1;
  const squares = weighted.reduce((sum, { weight }) => sum + weight ** 2, 0);
  const tau2 = Math.max(0, (q - df) / (total - squares / total));
  const sign = Math.sign(overall ?? 0);
  return {
    pooled,
    q,
    df,
    p: chiSquare.sf(q, df),
    logP: chiSquare.logSf(q, df),
    iSquared: q > 0 ? Math.max(0, (q - df) / q) : 0,
    tau2,
    shrunk: weighted.map(({ effect, variance }) => pooled + (tau2 / (tau2 + variance)) * (effect - pooled)),
    isSimpson: sign !== 0 && weighted.every(({ effect }) => Math.sign(effect) === -sign),
  };
};

export interface EffectInteraction {
  /** By how much the effect is higher where the other change is. */
  readonly estimate: number;
  readonly se: number;
  readonly z: number;
  readonly p: Probability;
  readonly logP: number;
  readonly ciLower: number;
  readonly ciUpper: number;
}

/**
 * Does another change alter an effect? The difference of differences between units that have the other change and units that have not. The four groups are
 * disjoint, so that their variances add; both changes must be assigned independently of each other.
 * @param alpha  two-sided, of the interval
 */
export const effectInteraction = (changed: LevelEffect, unchanged: LevelEffect, alpha: Probability): EffectInteraction => {
  const estimate = requireFinite('effect', changed.effect) - requireFinite('effect', unchanged.effect);
  const se = Math.hypot(requirePositive('se', changed.se), requirePositive('se', unchanged.se));
  const z = estimate / se;
  const halfWidth = normal.isf(requireLevel('alpha', alpha) / 2) * se;
  const bounds = { ciLower: estimate - halfWidth, ciUpper: estimate + halfWidth };
  return { estimate, se, z, ...tailProbability(z, 'two-sided', normal.logSf), ...bounds };
};

export interface EffectTrend {
  readonly slope: number;
  readonly se: number;
  readonly z: number;
  readonly p: Probability;
  readonly logP: number;
}

/**
 * Weighted least-squares slope of effects over time since exposure, for cohorts whose effects are independent.
 * Days of the same units are not: give each unit its own slope contrast and compare its mean instead.
 * Golden: novelty-slope
 */
export const effectTrend = (points: readonly (LevelEffect & { readonly day: number })[]): EffectTrend => {
  const weighted = points.map(({ day, effect, se }) => ({
    day: requireFinite('day', day),
    effect,
    weight: 1 / requirePositive('se', se) ** 2,
  }));
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  const centre = weighted.reduce((sum, { day, weight }) => sum + weight * day, 0) / total;
  const spread = weighted.reduce((sum, { day, weight }) => sum + weight * (day - centre) ** 2, 0);
  if (!(spread > 0)) throw new RangeError('a trend needs effects on at least 2 different days');
  const slope = weighted.reduce((sum, { day, effect, weight }) => sum + weight * (day - centre) * effect, 0) / spread;
  const se = 1 / Math.sqrt(spread);
  const z = slope / se;
  return { slope, se, z, ...tailProbability(z, 'two-sided', normal.logSf) };
};
