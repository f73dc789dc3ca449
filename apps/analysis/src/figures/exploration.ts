/** One more metric on the units of an experiment: beside the plan, and corrected for being beside it. */
import type { MetricDefinition, MetricResult, Population, SufficientStatistics } from '@rampart/contracts';
import type { ComparisonQuery, ComparisonSums, DuplicateCount } from '@rampart/feedback-store';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';
import { anytimeTuning } from './anytime.js';
import { sufficientStatistics } from './arm-sums.js';
import { asFamily, uncorrected } from './exploratory-family.js';
import { metricResults } from './metric-results.js';
import { populationOf } from './population.js';

/** Of a metric that was never defined. */
const NO_VERSION = 0;

/** The experiment with the metric after its own. */
export const exploring = (definition: DefinitionInForce, metric: MetricDefinition): DefinitionInForce => ({
  ...definition,
  metrics: [...definition.metrics, { use: { metric: metric.key, role: 'secondary' }, version: NO_VERSION, definition: metric }],
});

export interface ExploredFigures {
  readonly population: Population;
  readonly result: MetricResult;
  readonly tests: number;
  readonly statistics: readonly SufficientStatistics[];
  /** Of the metric alone, as its first. */
  readonly own: ComparisonSums;
}

/** @param definition  with the metric as its last */
export const exploredFigures = (
  definition: DefinitionInForce,
  query: Pick<ComparisonQuery, 'cells'>,
  sums: ComparisonSums,
  duplicates: DuplicateCount,
): ExploredFigures => {
  const { tests, results } = asFamily(metricResults(uncorrected(definition), query, sums), {
    isWatched: anytimeTuning(definition) !== null,
  });
  const result = results.at(-1);
  if (result === undefined) throw new RangeError('an experiment that is explored has a metric');
  const note = 'exploratory: not of the plan, for display only';
  const own = {
    ...sums,
    cells: sums.cells.map((cell) => ({ ...cell, metrics: cell.metrics.slice(-1) })),
    ...(sums.caps === undefined
      ? {}
      : { caps: sums.caps.flatMap((caps) => (caps.metric === definition.metrics.length - 1 ? [{ ...caps, metric: 0 }] : [])) }),
    quantiles: (sums.quantiles ?? []).flatMap(({ metric, arms }) =>
      metric === definition.metrics.length - 1 ? [{ metric: 0, arms }] : [],
    ),
  };
  return {
    population: populationOf(definition.experiment, sums, duplicates),
    result: { ...result, notes: [note, ...result.notes] },
    tests,
    statistics: sufficientStatistics(query.cells, definition.metrics.slice(-1), own, true),
    own,
  };
};
