/**
 * What a metric's caps do: how many units they cut, and the effect without them. Asked beside the figures, and part of no evidence: it decides nothing.
 * A unit is above a cap c of whole numbers if its total counts one more under the cap c + 1; so the two sums tell how many are.
 */
import type { Comparison, MetricResult, UncappedComparison, WithoutCaps } from '@rampart/contracts';
import { type ComparisonQuery, type ComparisonSums, type MetricCaps, type MetricQuery, ownCaps } from '@rampart/feedback-store';
import { armsOf, type DefinitionInForce, type MetricInUse } from '../definitions/definition-in-force.js';
import { armSums } from './arm-sums.js';
import { decidingComparisons } from './corrected-for-many.js';
import { metricResults } from './metric-results.js';

interface Capped {
  /** Of the metric in the experiment. */
  readonly place: number;
  readonly metric: MetricInUse;
  readonly caps: Pick<MetricCaps, 'lower' | 'upper'>;
}

export interface CapsQuestion {
  readonly definition: DefinitionInForce;
  readonly query: ComparisonQuery;
  readonly sums: ComparisonSums;
  readonly sumsOf: (query: ComparisonQuery) => Promise<ComparisonSums>;
}

/** @returns the same results; those of capped metrics with what their caps do */
export const withCapsShown = async (results: readonly MetricResult[], question: CapsQuestion): Promise<readonly MetricResult[]> => {
  const capped = cappedMetrics(question);
  if (capped.length === 0) return results;
  const { definition, query, sumsOf } = question;
  const plain = { ...definition, metrics: capped.map(({ metric }) => uncapped(metric)) };
  const { quantiles: _, quantileLadder: __, capsOf: ___, ...rest } = query;
  const asked = { ...rest, metrics: [...plain.metrics, ...capped.map(oneHigher), ...capped.map(oneLower)].map(askedFor) };
  const found = await sumsOf(asked);
  const effects = metricResults(plain, asked, found);
  const shown = new Map(
    capped.map((one, at) => [one.place, shownOf(question, one, { found, at, of: capped.length, effect: effects[at] })]),
  );
  return results.map((result, place) => {
    const withoutCaps = shown.get(place);
    return withoutCaps === undefined ? result : { ...result, withoutCaps };
  });
};

const cappedMetrics = ({ definition, sums }: CapsQuestion): readonly Capped[] =>
  definition.metrics.flatMap((metric, place) => {
    const caps = sums.caps?.find((one) => one.metric === place) ?? ownCaps(metric.definition);
    return caps.lower === null && caps.upper === null ? [] : [{ place, metric, caps }];
  });

const uncapped = (metric: MetricInUse): MetricInUse => {
  const { capLower: _, capUpper: __, capQuantile: ___, ...definition } = metric.definition;
  return { ...metric, definition };
};

interface Asked {
  readonly version: number;
  readonly definition: MetricInUse['definition'];
  readonly caps?: MetricCaps;
}

const askedFor = ({ version, definition, caps }: Asked): MetricQuery => ({
  version,
  definition,
  ...(caps === undefined ? {} : { caps }),
});

const cappedAt = ({ metric }: Capped, { lower, upper }: Capped['caps']): Asked => ({
  ...uncapped(metric),
  caps: { lower, upper, units: 0, areFixed: true },
});
const oneHigher = (one: Capped): Asked => cappedAt(one, { ...one.caps, upper: one.caps.upper === null ? null : one.caps.upper + 1n });
const oneLower = (one: Capped): Asked => cappedAt(one, { ...one.caps, lower: one.caps.lower === null ? null : one.caps.lower - 1n });

interface Counted {
  readonly found: ComparisonSums;
  readonly at: number;
  readonly of: number;
  readonly effect: MetricResult | undefined;
}

const shownOf = (
  { definition, query: { cells }, sums }: CapsQuestion,
  { place }: Capped,
  { found, at, of, effect }: Counted,
): WithoutCaps => {
  const own = (from: ComparisonSums, index: number) => armSums(armsOf(definition.experiment), cells, from, index);
  const [as, higher, lower] = [own(sums, place), own(found, of + at), own(found, 2 * of + at)];
  return {
    arms: as.map(({ arm, units, sum }, index) => ({
      arm,
      units,
      lowered: Number((higher[index]?.sum ?? sum) - sum),
      raised: Number(sum - (lower[index]?.sum ?? sum)),
      mean: effect?.arms[index]?.mean ?? null,
    })),
    ...(effect === undefined ? { comparisons: [] } : comparisonsOf(effect)),
  };
};

const comparisonsOf = (effect: MetricResult): Pick<WithoutCaps, 'comparisons' | 'adjusted'> => {
  const deciding = decidingComparisons(effect);
  const comparisons = effect.comparisons.map(effectOnly);
  return deciding === effect.comparisons ? { comparisons } : { comparisons, adjusted: deciding.map(effectOnly) };
};

const effectOnly = ({ treatment, control, absolute, relative, anytime }: Comparison): UncappedComparison => ({
  ...{ treatment, control, absolute, relative },
  anytime: anytime === null ? null : { level: anytime.level, absolute: anytime.absolute, relative: anytime.relative },
});
