/** Quantiles from a few order statistics, and caps at a quantile. */
import { normal } from '../distributions.js';
import { requireFinite, requireLevel } from '../kernel/requirements.js';
import type { CoMoments } from '../sums/co-moments.js';
import { type Moments } from '../sums/moments.js';
import { type Refused, refused } from './compared-effect.js';
import { ratioMoments } from './ratio.js';

/** Level of the order-statistic bounds, as GrowthBook has it; not the level of the comparison. */
const BOUNDS_ALPHA = 0.05;

export interface QuantileSample {
  /** Observations: events or units. */
  readonly n: number;
  /** Observations for which the bounds were read; n unless told. */
  readonly nStar?: number;
  /** Which quantile, in (0, 1): 0.9 is the 90th percentile. */
  readonly nu: number;
  readonly quantile: number;
  /** Order statistics at the ranks of `quantileRanks`. */
  readonly lower: number;
  readonly upper: number;
}

/** The ranks (from 1, not rounded) whose values bound the quantile: N(ν ∓ z√(ν(1−ν)/N)). */
export const quantileRanks = (n: number, nu: number, boundsAlpha = BOUNDS_ALPHA): { readonly lower: number; readonly upper: number } => {
  const reach = normal.isf(boundsAlpha / 2) * Math.sqrt((requireLevel('nu', nu) * (1 - nu)) / n);
  return { lower: n * (nu - reach), upper: n * (nu + reach) };
};

/**
 * A quantile as moments for `compareMeans`, its variance read off two order statistics instead of a density
 * (Deng, Knoblich & Lu 2018; Yao, Li & Lu 2024).
 * @param clusters  when units were randomised and observations are their events: per unit, x = events, y = events at or below the quantile
 * @returns `refused` TOO_FEW_OBSERVATIONS when the ranks fall outside the sample, ZERO_NEGATIVE_VARIANCE when the bounds collapse (atoms,
 *   a coarse sketch), at whatever n
 * Not together with percentile caps, and not under repeated looks. Golden: quantile_fixed
 */
export const quantileMoments = (
  sample: QuantileSample,
  clusters?: CoMoments,
): { readonly kind: 'quantile'; readonly moments: Moments } | Refused => {
  const { n, nStar = n, nu, quantile, lower, upper } = sample;
  for (const value of [quantile, lower, upper]) requireFinite('an order statistic', value);
  const z = normal.isf(BOUNDS_ALPHA / 2);
  const odds = requireLevel('nu', nu) / (1 - nu);
  if (n < 2 || n <= z * z * Math.max(odds, 1 / odds)) return refused('TOO_FEW_OBSERVATIONS');
  if (!(upper > lower)) return refused('ZERO_NEGATIVE_VARIANCE');
  const perObservation = (nStar / n) * (n - 1) * ((upper - lower) / (2 * z)) ** 2;
  const effect = clusters === undefined ? 1 : quantileDesignEffect(sample, clusters);
  if (typeof effect !== 'number') return effect;
  return { kind: 'quantile', moments: { n, mean: quantile, m2: perObservation * effect * (n - 1) } };
};

/** Variance of the share at or below the quantile with whole units drawn, over that with single events drawn. */
export const quantileDesignEffect = ({ n, nu }: QuantileSample, clusters: CoMoments): number | Refused => {
  const share = ratioMoments(clusters);
  if (share.kind === 'refused') return share;
  if (clusters.n < 2) return refused('INSUFFICIENT_UNITS');
  const { moments } = share;
  return moments.m2 / (moments.n - 1) / moments.n / ((nu * (1 - nu)) / n);
};

/** Quantile of sorted values by linear interpolation between neighbours (type 7, the default of R and numpy). */
export const quantileOfSorted = (sorted: readonly number[], share: number): number => {
  if (sorted.length === 0) throw new RangeError('a quantile needs at least one value, got none');
  if (!(share >= 0 && share <= 1)) throw new RangeError(`share must be in [0, 1], got ${share}`);
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const [low = 0, high = low] = [sorted[below], sorted[below + 1]];
  return low + (high - low) * (position - below);
};

/**
 * The cap at a quantile of unit totals over all arms together; arm-specific caps would bias the effect.
 * For decisions made while looking, freeze the cap after burn-in: then it is a constant transformation.
 * @param ignoreZeros  take the quantile over values other than 0, but cap all
 * @returns `null` when there is no value to take a quantile of
 * Golden: winsorization
 */
export const percentileCap = (values: readonly number[], share: number, options: { readonly ignoreZeros: boolean }): number | null => {
  const counted = options.ignoreZeros ? values.filter((value) => value !== 0) : values;
  for (const value of counted) requireFinite('value', value);
  return counted.length === 0
    ? null
    : quantileOfSorted(
        [...counted].sort((a, b) => a - b),
        share,
      );
};

export interface Capped {
  readonly values: readonly number[];
  /** Above 0.01 the effect should be shown with and without the cap. */
  readonly shareCapped: number;
}

export const capValues = (values: readonly number[], cap: number): Capped => {
  const capped = values.filter((value) => value > cap).length;
  return { values: values.map((value) => Math.min(value, cap)), shareCapped: values.length === 0 ? 0 : capped / values.length };
};
