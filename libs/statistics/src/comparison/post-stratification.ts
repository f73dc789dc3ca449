/** Post-stratification: effects per stratum fixed before exposure, weighted by the strata's shares (Miratrix, Sekhon & Yu 2013). */
import { type Probability, requireLevel } from '../kernel/requirements.js';
import { type CoMoments, mergeCoMoments, momentsOfY } from '../sums/co-moments.js';
import { type Matrix, quadraticForm } from '../sums/cross-moments.js';
import { type Moments, mergeMoments } from '../sums/moments.js';
import { compareMeans, obstacleTo } from './compare-means.js';
import {
  type Alternative,
  type ComparedEffect,
  type Difference,
  type EffectEstimate,
  type Refused,
  refused,
  tJudged,
} from './compared-effect.js';
import { compareCuped } from './cuped.js';
import { withBaselineNoise } from './fieller-lift.js';
import { compareRatios } from './ratio.js';
import { type Covariance, liftParts, liftSlopes, type StratifiedParts, stratifiedParts } from './stratified-parts.js';
import {
  hasResidualsByArm,
  meansOfStratum,
  pooledRegression,
  type ResidualVariance,
  regressionByArm,
  type Stratum,
  type StratumEstimates,
} from './stratum-estimates.js';

interface Stratified {
  readonly alpha: Probability;
  readonly alternative?: Alternative;
  readonly difference: Difference;
  readonly nullDifference?: number;
  /** As of `compareCuped`. */
  readonly relativeInterval?: 'auto' | 'linear';
}

/** `strataUsed` is below the number given when strata without variance were merged into the largest; 1 = the plain comparison. */
export type PostStratified =
  | (EffectEstimate & { readonly postStratificationApplied: boolean; readonly strataUsed: number })
  | Exclude<ComparedEffect, EffectEstimate>;

/**
 * Means per unit by stratum.
 * @param strata  by attributes known before exposure; an attribute the treatment can change would bias the effect
 * @returns as `compareMeans`, with N − 2K degrees of freedom over K strata; a lift over a control mean near 0 is Fieller’s, unless `linear`
 * Golden: ps-count-abs
 */
export const postStratifiedMeans = (strata: readonly Stratum<Moments>[], asked: Stratified): PostStratified => {
  const used = usableMeans(strata);
  if (isOne(used)) return plain(compareMeans({ ...used[0], ...asked }));
  return judged({ kind: 'means', strata: used }, asked);
};

const usableMeans = (strata: readonly Stratum<Moments>[]) =>
  mergeUnusable(
    strata,
    mergeMoments,
    ({ n }) => n,
    (stratum) => obstacleTo(stratum.control, stratum.treatment) === undefined,
  );

/**
 * Outcome (y) with a covariate from before exposure (x), by regression in each stratum.
 * @param asked.residualVariance  `by-arm` unless told: valid for unequal arms with unequal variances, with Satterthwaite's degrees of freedom.
 *   `pooled`, as gbstats has it, takes one residual variance for both arms, with N − 3K degrees of freedom: at a tenth in the treatment
 *   and four times its variance it rejects a true null hypothesis in a quarter of the cases at 5 %. Only to compare with such figures.
 * Golden: ps-cuped-* (pooled)
 */
export const postStratifiedCuped = (
  strata: readonly Stratum<CoMoments>[],
  asked: Stratified & { readonly residualVariance?: ResidualVariance },
): PostStratified => {
  const { residualVariance = 'by-arm' } = asked;
  const used = usableRegressions(strata, residualVariance);
  if (isOne(used)) return plain(compareCuped({ ...used[0], ...asked }));
  return judged({ kind: 'cuped', strata: used, residualVariance }, asked);
};

/** Ratios (x = denominator, y = numerator): the parts are stratified, then divided. Golden: ps-ratio-abs */
export const postStratifiedRatios = (strata: readonly Stratum<CoMoments>[], asked: Stratified): PostStratified => {
  const used = usablePairs(strata);
  if (isOne(used)) return plain(compareRatios({ ...used[0], ...asked }));
  return judged({ kind: 'ratios', strata: used }, asked);
};

const usablePairs = (strata: readonly Stratum<CoMoments>[], isEnough: (stratum: Stratum<CoMoments>) => boolean = () => true) => {
  const isUsable = (stratum: Stratum<CoMoments>): boolean =>
    obstacleTo(momentsOfY(stratum.control), momentsOfY(stratum.treatment)) === undefined && isEnough(stratum);
  return mergeUnusable(strata, mergeCoMoments, ({ n }) => n, isUsable);
};

const usableRegressions = (strata: readonly Stratum<CoMoments>[], residualVariance: ResidualVariance) =>
  usablePairs(strata, residualVariance === 'by-arm' ? hasResidualsByArm : ({ control, treatment }) => control.n + treatment.n >= 4);

/** `means` per unit, `cuped` (x = covariate, y = outcome), `ratios` (x = denominator, y = numerator). */
export type StratifiedSample =
  | { readonly kind: 'means'; readonly strata: readonly Stratum<Moments>[] }
  | { readonly kind: 'cuped'; readonly strata: readonly Stratum<CoMoments>[]; readonly residualVariance?: ResidualVariance }
  | { readonly kind: 'ratios'; readonly strata: readonly Stratum<CoMoments>[] };

/** Strata without an estimate of their own merged into the largest; none when fewer than two are left. */
export const stratumEstimates = (sample: StratifiedSample): readonly StratumEstimates[] => {
  const estimates = estimatesOf(merged(sample));
  return estimates.length < 2 ? [] : estimates;
};

const merged = (sample: StratifiedSample): StratifiedSample => {
  switch (sample.kind) {
    case 'means':
      return { kind: 'means', strata: usableMeans(sample.strata) };
    case 'cuped':
      return { ...sample, strata: usableRegressions(sample.strata, sample.residualVariance ?? 'by-arm') };
    case 'ratios':
      return { kind: 'ratios', strata: usablePairs(sample.strata) };
  }
};

const estimatesOf = (sample: StratifiedSample): readonly StratumEstimates[] => {
  switch (sample.kind) {
    case 'means':
      return sample.strata.map(meansOfStratum);
    case 'cuped':
      return sample.strata.map(sample.residualVariance === 'pooled' ? pooledRegression : regressionByArm);
    case 'ratios':
      return sample.strata.map(ratioOfStratum);
  }
};

const PARAMETERS_PER_STRATUM = { means: 2, cuped: 3, ratios: 2 } as const;

const isOne = <T>(strata: readonly T[]): strata is readonly [T] => strata.length === 1;

const plain = (effect: ComparedEffect): PostStratified =>
  effect.kind === 'refused' ? effect : { ...effect, postStratificationApplied: false, strataUsed: 1 };

/** Strata that give no estimate of their own join the largest one; of equally large ones, that whose name comes first. */
const mergeUnusable = <T>(
  strata: readonly Stratum<T>[],
  merge: (a: T, b: T) => T,
  unitsOf: (arm: T) => number,
  isUsable: (stratum: Stratum<T>) => boolean,
): readonly Stratum<T>[] => {
  const units = ({ control, treatment }: Stratum<T>): number => unitsOf(control) + unitsOf(treatment);
  const [largest, ...others] = [...strata].sort((a, b) => units(b) - units(a) || (a.name < b.name ? -1 : 1));
  if (largest === undefined) throw new RangeError('post-stratification needs at least one stratum, got none');
  const unusable = others.filter((stratum) => !isUsable(stratum));
  const together = (sum: Stratum<T>, { control, treatment }: Stratum<T>): Stratum<T> => ({
    name: sum.name,
    control: merge(sum.control, control),
    treatment: merge(sum.treatment, treatment),
  });
  const joined = unusable.reduce(together, largest);
  const usable = others.filter(isUsable);
  return isUsable(joined) ? [joined, ...usable] : [usable.reduce(together, joined)];
};

/** Numerator (control mean, effect), then denominator (control mean, effect). */
const ratioOfStratum = ({ control, treatment }: Stratum<CoMoments>): StratumEstimates => {
  const n = control.n + treatment.n;
  const scaled = (arm: CoMoments, scatter: number): number => (n * scatter) / ((arm.n - 1) * arm.n);
  const block = (pick: (arm: CoMoments) => number): Matrix => {
    const [a, b] = [scaled(control, pick(control)), scaled(treatment, pick(treatment))];
    return [
      [a, -a],
      [-a, a + b],
    ];
  };
  const [numerator, both, denominator] = [block((arm) => arm.m2Y), block((arm) => arm.cXY), block((arm) => arm.m2X)];
  const beside = (left: Matrix, right: Matrix): Matrix => left.map((row, i) => [...row, ...(right[i] ?? [])]);
  return {
    n,
    values: [control.meanY, treatment.meanY - control.meanY, control.meanX, treatment.meanX - control.meanX],
    scaledCovariance: [...beside(numerator, both), ...beside(both, denominator)],
  };
};

type OfValues = { readonly estimate: number; readonly gradient: readonly number[] } | 'ZERO_BASELINE' | 'ZERO_DENOMINATOR';

const effectOf = (parts: StratifiedParts, difference: Difference): OfValues => {
  if (difference === 'absolute') return { estimate: parts.difference, gradient: parts.ofDifference };
  if (parts.base === 0) return 'ZERO_BASELINE';
  return { estimate: parts.difference / Math.abs(parts.base), gradient: liftSlopes(parts) };
};

interface CombinedStrata {
  readonly kind: 'combined';
  readonly estimate: number;
  readonly se: number;
  readonly df: number;
  readonly parts: StratifiedParts;
  readonly covariance: Covariance;
}

/** The multinomial share of the strata themselves is random too: first part of the covariance. */
export const combinedStrata = (
  kind: StratifiedSample['kind'],
  strata: readonly StratumEstimates[],
  of: (parts: StratifiedParts) => OfValues,
): CombinedStrata | Refused => {
  const total = strata.reduce((sum, { n }) => sum + n, 0);
  const size = strata[0]?.values.length ?? 0;
  const means = Array.from({ length: size }, (_, i) => strata.reduce((sum, { n, values }) => sum + (n / total) * (values[i] ?? 0), 0));
  const parts = stratifiedParts(kind, means);
  if (typeof parts === 'string') return refused(parts);
  const effect = of(parts);
  if (typeof effect === 'string') return refused(effect);
  const covariances = means.map((meanI, i) =>
    means.map((meanJ, j) => {
      const between = strata.reduce((sum, { n, values }) => sum + (n / total) * ((values[i] ?? 0) - meanI) * ((values[j] ?? 0) - meanJ), 0);
      const within = strata.reduce((sum, { n, scaledCovariance }) => sum + (n / total) * (scaledCovariance[i]?.[j] ?? 0), 0);
      return (between + within) / total;
    }),
  );
  const covariance: Covariance = (left, right) => quadraticForm(left, covariances, right);
  const variance = covariance(effect.gradient, effect.gradient);
  if (!(variance > 0)) return refused('ZERO_VARIANCE');
  const ofPart = (scaled: Matrix, n: number): number => ((n / total) * quadraticForm(effect.gradient, scaled)) / total;
  const sources = strata.flatMap(({ n, parts: own = [] }) =>
    own.map(({ scaledCovariance, df }) => ({ df, part: ofPart(scaledCovariance, n) })),
  );
  const df = Math.max(
    1,
    sources.length > 0 ? satterthwaite(variance, sources, total) : total - PARAMETERS_PER_STRATUM[kind] * strata.length,
  );
  return { kind: 'combined', estimate: effect.estimate, se: Math.sqrt(variance), df, parts, covariance };
};

/** As shares of the total: squares of tiny variances would underflow. What the parts leave is the strata's shares', of all units. */
const satterthwaite = (variance: number, parts: readonly { readonly part: number; readonly df: number }[], units: number): number => {
  const shares = parts.map(({ part, df }) => ({ share: part / variance, df }));
  const rest = 1 - shares.reduce((sum, { share }) => sum + share, 0);
  return 1 / shares.reduce((sum, { share, df }) => sum + share ** 2 / df, rest ** 2 / units);
};

const judged = (sample: StratifiedSample, asked: Stratified): PostStratified => {
  const { alternative = 'two-sided', difference, nullDifference = 0, relativeInterval = 'auto' } = asked;
  const alpha = requireLevel('alpha', asked.alpha);
  const found = combinedStrata(sample.kind, estimatesOf(sample), (parts) => effectOf(parts, difference));
  if (found.kind === 'refused') return found;
  const { estimate, se, df, parts, covariance } = found;
  const level = { alpha, alternative, nullDifference };
  const linear = tJudged({ estimate, se, df, ...level });
  const isLinear = difference === 'absolute' || relativeInterval === 'linear';
  const effect = isLinear ? linear : withBaselineNoise(linear, liftParts(parts, covariance), level);
  return { ...effect, postStratificationApplied: true, strataUsed: sample.strata.length };
};
