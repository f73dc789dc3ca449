/** Success metrics × comparisons are one family: p-values and intervals that allow for how many they are. */
import type { AdjustedInterval, AnalysisPlan, Comparison, CupedResult, Effect, MetricResult, StratifiedResult } from '@rampart/contracts';
import {
  adjustPValues,
  eBenjaminiHochberg,
  falseCoverageLevel,
  normal,
  type Procedure,
  simultaneousLevel,
  studentT,
} from '@rampart/statistics';
import { type AnytimeTuning, anytimeMultiplier } from './anytime.js';

export interface Correction {
  readonly plan: AnalysisPlan;
  /** Null where there is one look. */
  readonly tuning: AnytimeTuning | null;
  /** Of a result whose intervals at every look are no multiples of a standard error: how they are had. */
  readonly intervalsOf?: (result: MetricResult) => OwnIntervals | undefined;
}

export type OwnIntervals = (
  one: Comparison,
  scale: 'absolute' | 'relative',
  alpha: number,
) => { readonly lower: number; readonly upper: number } | null;

/** @returns the results, with adjusted figures in those of role success; as they were where the plan corrects for nothing */
export const withCorrection = (results: readonly MetricResult[], correction: Correction): readonly MetricResult[] => {
  const { plan } = correction;
  if (plan.multiplicity === 'none') return results;
  const intervals = withAdjustedIntervals(results, correction);
  return plan.multiplicity === 'e-bh' ? intervals : withAdjustedP(intervals, PROCEDURES[plan.multiplicity]);
};

const PROCEDURES: Readonly<Record<Exclude<AnalysisPlan['multiplicity'], 'none' | 'e-bh'>, Procedure>> = {
  holm: 'holm',
  hochberg: 'hochberg',
  bh: 'benjamini-hochberg',
  by: 'benjamini-yekutieli',
  bonferroni: 'bonferroni',
};

/** What the verdict judges: by the plan's strata where it names any, adjusted where the metric has a covariate, else plain. */
export const decidingComparisons = ({ stratified, cuped, comparisons }: MetricResult): readonly Comparison[] => {
  if (isStratified(stratified)) return stratified.comparisons;
  return isAdjusted(cuped) ? cuped.comparisons : comparisons;
};

/** The same with these comparisons changed, and no others. */
export const withDeciding = (result: MetricResult, change: <One extends Comparison>(one: One, index: number) => One): MetricResult => {
  const { stratified, cuped } = result;
  if (isStratified(stratified)) return { ...result, stratified: withComparisons(stratified, change) };
  if (isAdjusted(cuped)) return { ...result, cuped: withComparisons(cuped, change) };
  return { ...result, comparisons: result.comparisons.map(change) };
};

const isStratified = (stratified: MetricResult['stratified']): stratified is StratifiedResult =>
  stratified !== undefined && !('refused' in stratified);

export const isAdjusted = (cuped: MetricResult['cuped']): cuped is CupedResult => cuped !== null && !('refused' in cuped);

/** On each scale by itself; a comparison without p stays in the family as not rejected. */
const withAdjustedP = (results: readonly MetricResult[], procedure: Procedure): readonly MetricResult[] => {
  const success = results.filter((result) => result.role === 'success');
  const adjust = (pValues: readonly (number | null)[]) => adjusted(pValues, procedure);
  const student = adjust(success.flatMap((result) => result.comparisons.map((one) => pOf(one.absolute))));
  const againstNormal = adjust(success.flatMap((result) => result.comparisons.map((one) => one.normal?.p ?? null)));
  // Where a metric has an adjusted comparison, that one decides: its family mixes them.
  const deciding = adjust(success.flatMap((result) => decidingComparisons(result).map((one) => pOf(one.absolute))));
  let at = 0;
  return results.map((result) => {
    if (result.role !== 'success') return result;
    const start = at;
    at += result.comparisons.length;
    const comparisons = result.comparisons.map((one, index) => ({
      ...one,
      adjustedP: student[start + index] ?? null,
      adjustedNormalP: againstNormal[start + index] ?? null,
    }));
    const plain = { ...result, comparisons };
    if (decidingComparisons(plain) === comparisons) return plain;
    return withDeciding(plain, (one, index) => ({ ...one, adjustedP: deciding[start + index] ?? null }));
  });
};

const withComparisons = <One extends Comparison, Of extends { readonly comparisons: readonly One[] }>(
  of: Of,
  change: <Each extends Comparison>(one: Each, index: number) => Each,
): Of => ({ ...of, comparisons: of.comparisons.map(change) });

const pOf = (effect: Effect): number | null => ('refused' in effect ? null : effect.p);

const adjusted = (pValues: readonly (number | null)[], procedure: Procedure): readonly (number | null)[] => {
  const all = adjustPValues(
    pValues.map((p) => p ?? 1),
    procedure,
  );
  return pValues.map((p, index) => (p === null ? null : (all[index] ?? null)));
};

const withAdjustedIntervals = (results: readonly MetricResult[], { plan, tuning, intervalsOf }: Correction): readonly MetricResult[] => {
  const success = results.filter((result) => result.role === 'success');
  const levelOf = adjustedLevel(success.flatMap(decidingComparisons), plan);
  const change =
    (result: MetricResult, counted: readonly { readonly arm: string; readonly n: number }[]) =>
    <One extends Comparison>(one: One, index: number): One => {
      const corrected = levelOf(decidingComparisons(result)[index] ?? one);
      const n = counted.filter(({ arm }) => arm === one.control || arm === one.treatment).reduce((sum, arm) => sum + arm.n, 0);
      const own = tuning === null ? undefined : intervalsOf?.(result);
      const on = (scale: 'absolute' | 'relative') => {
        if (corrected === null) return null;
        if (own === undefined) return intervalAt(one, scale, { ...corrected, n, tuning });
        const { kind, alpha } = corrected;
        const interval = own(one, scale, alpha);
        return interval === null ? null : { kind, level: 1 - alpha, ...interval };
      };
      return { ...one, adjustedInterval: { absolute: on('absolute'), relative: on('relative') } };
    };
  return results.map((result) => {
    if (result.role !== 'success') return result;
    const { cuped, stratified } = result;
    const counted = isAdjusted(cuped) ? cuped.arms : result.arms;
    return {
      ...result,
      comparisons: result.comparisons.map(change(result, result.arms)),
      cuped: isAdjusted(cuped) ? withComparisons(cuped, change(result, counted)) : cuped,
      ...(isStratified(stratified) ? { stratified: withComparisons(stratified, change(result, counted)) } : {}),
    };
  });
};

interface CorrectedLevel {
  readonly kind: AdjustedInterval['kind'];
  readonly alpha: number;
}

/**
 * Where the plan bounds the chance of any error, all intervals hold together: α/m each. Where it bounds the share of errors, those that were shown miss at
 * most this share on average: R·α/m for R of m (Benjamini & Yekutieli 2005; over e-values Xu, Wang & Ramdas 2022), the others have none.
 */
const adjustedLevel = (family: readonly Comparison[], { multiplicity, intervalLevel }: AnalysisPlan) => {
  const alpha = 1 - intervalLevel;
  const size = family.length;
  const shown = shownOf(family, multiplicity, alpha);
  if (shown === null) {
    const simultaneous: CorrectedLevel = { kind: 'simultaneous', alpha: simultaneousLevel(alpha, size) };
    return (): CorrectedLevel | null => simultaneous;
  }
  const dependence = multiplicity === 'by' ? family.reduce((sum, _, at) => sum + 1 / (at + 1), 0) : 1;
  const selected = falseCoverageLevel(alpha / dependence, shown.size, size);
  return (one: Comparison): CorrectedLevel | null => (selected === null || !shown.has(one) ? null : { kind: 'selected', alpha: selected });
};

/** @returns null where all intervals hold together */
const shownOf = (
  family: readonly Comparison[],
  multiplicity: AnalysisPlan['multiplicity'],
  alpha: number,
): ReadonlySet<Comparison> | null => {
  switch (multiplicity) {
    case 'bh':
    case 'by': {
      const all = adjusted(
        family.map((one) => pOf(one.absolute)),
        PROCEDURES[multiplicity],
      );
      return new Set(family.filter((_, index) => (all[index] ?? 1) <= alpha));
    }
    case 'e-bh': {
      const logE = family.map(({ anytime }) =>
        anytime === null || 'refused' in anytime.absolute ? Number.NEGATIVE_INFINITY : anytime.absolute.logE,
      );
      const rejected = eBenjaminiHochberg(logE, alpha);
      return new Set(family.filter((_, index) => rejected[index] === true));
    }
    default:
      return null;
  }
};

interface At extends CorrectedLevel {
  /** Units of both arms. */
  readonly n: number;
  readonly tuning: AnytimeTuning | null;
}

/** At any look where the plan is watched; at one look Student's. A noisy baseline has neither. */
const intervalAt = (one: Comparison, scale: 'absolute' | 'relative', { kind, alpha, n, tuning }: At): AdjustedInterval | null => {
  const effect = one[scale];
  if ('refused' in effect || effect.baselineNoisy === true) return null;
  const { anytime } = one;
  if (tuning !== null && (anytime === null || 'refused' in anytime[scale])) return null;
  const reach =
    anytime !== null && tuning !== null ? anytimeMultiplier(one, { n, alpha, tuning }) * anytime.widening : oneLook(effect.df, alpha);
  const { estimate, se } = effect;
  return { kind, level: 1 - alpha, lower: estimate - reach * se, upper: estimate + reach * se };
};

const oneLook = (df: number | null, alpha: number): number => (df === null ? normal.isf(alpha / 2) : studentT.isf(alpha / 2, df));
