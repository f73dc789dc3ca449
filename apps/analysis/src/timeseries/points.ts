/** One moment of a time series, in the figures that a chart draws. */
import { type Comparison, type Effect, formatInstant, type InstantUs, type MetricResult, type TimeseriesPoint } from '@rampart/contracts';
import type { ComparisonQuery, ComparisonSums } from '@rampart/feedback-store';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';
import { decidingComparisons } from '../figures/corrected-for-many.js';
import { metricResults } from '../figures/metric-results.js';

export const pointOf = (definition: DefinitionInForce, query: ComparisonQuery, sums: ComparisonSums, atUs: InstantUs): TimeseriesPoint => ({
  asOf: formatInstant(atUs),
  units: sums.population.reduce((sum, count) => sum + (count.kind === 'counted' && count.cell >= 0 ? count.units : 0), 0),
  record: null,
  verdict: null,
  sentence: null,
  metrics: metricResults(definition, query, sums).map(metricOf),
});

type MetricPoint = TimeseriesPoint['metrics'][number];

const metricOf = (result: MetricResult): MetricPoint => ({
  metric: result.metric,
  arms: result.arms.map(({ arm, n, mean }) => ({ arm, n, mean })),
  comparisons: decidingComparisons(result).map(comparisonOf),
});

const comparisonOf = ({ treatment, control, absolute, relative, anytime }: Comparison): MetricPoint['comparisons'][number] => ({
  treatment,
  control,
  ...bandOf(absolute, anytime?.absolute),
  relative: bandOf(relative, anytime?.relative),
  p: pOf(anytime?.absolute ?? absolute),
});

type Anytime = NonNullable<Comparison['anytime']>['absolute'];

/** The interval that may be looked at often, where the plan has one; none before there are enough units for it. */
const bandOf = (effect: Effect, anytime: Anytime | undefined) => ({
  estimate: 'refused' in effect ? null : effect.estimate,
  ...boundsOf(effect, anytime),
});

const boundsOf = (effect: Effect, anytime: Anytime | undefined) => {
  if (anytime !== undefined) return 'refused' in anytime ? { lower: null, upper: null } : { lower: anytime.lower, upper: anytime.upper };
  return 'refused' in effect ? { lower: null, upper: null } : effect.ci;
};

const pOf = (tested: Effect | Anytime): number | null => ('refused' in tested ? null : tested.p);
