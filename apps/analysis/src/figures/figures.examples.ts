/** Definitions and sums for specs, short enough to read: everything defaults to a history of units counted once. */
import {
  type ExperimentInput,
  experimentDefinition,
  type MetricInput,
  type MetricUse,
  metricDefinition,
  type Segment,
} from '@rampart/contracts';
import type { ComparisonSums, MetricSums } from '@rampart/feedback-store';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';

export interface ExampleMetric {
  readonly input: Pick<MetricInput, 'key' | 'type'> & Partial<MetricInput>;
  readonly use?: Omit<MetricUse, 'metric' | 'role'> & { readonly role?: MetricUse['role'] };
}

const segment: Segment = { segment: 1, comparison: 1, startedAtUs: 1_000_000, coverage: 1, seed: 's', hashVersion: 2 };

export const exampleDefinition = (
  experiment: Pick<ExperimentInput, 'variants' | 'control'> & Partial<ExperimentInput>,
  metrics: readonly ExampleMetric[],
  kind: 'live' | 'historical' = 'historical',
): DefinitionInForce => {
  const uses = metrics.map(({ input, use }) => ({ metric: input.key, role: 'success' as const, ...use }));
  return {
    project: 'shop',
    environment: { project: 'shop', key: 'past', kind },
    experiment: experimentDefinition.parse({ key: 'button', name: 'Button', metrics: uses, ...experiment }),
    version: 1,
    state: { experiment: 'button', version: 1, status: 'running', segments: [segment], startedAtUs: 1_000_000, closedAtUs: null },
    metrics: metrics.map(({ input }, index) => ({
      use: uses[index] ?? { metric: input.key, role: 'success' },
      version: 1,
      definition: metricDefinition.parse({ name: input.key, unitType: 'user', numerator: { event: input.key }, ...input }),
    })),
  };
};

export const exampleSums = (units: number, sum: bigint, sumSquares: bigint, more: Partial<MetricSums> = {}): MetricSums => ({
  units,
  openUnits: 0,
  sum,
  sumSquares,
  denominatorSum: 0n,
  denominatorSumSquares: 0n,
  crossSum: 0n,
  covariate: null,
  lateEvents: 0,
  unconverted: 0,
  ...more,
});

/** Whole numbers as the store has them: millionths. */
export const wholeSums = (units: number, sum: number, sumSquares: number, more: Partial<MetricSums> = {}): MetricSums =>
  exampleSums(units, BigInt(sum) * 1_000_000n, BigInt(sumSquares) * 1_000_000_000_000n, more);

/** One row of metrics a cell, in the order of the variants; every unit counted. */
export const exampleComparison = (cells: readonly (readonly MetricSums[])[]): ComparisonSums => ({
  cells: cells.map((metrics, cell) => ({ cell, segment: 1, stratum: '', metrics })),
  population: cells.map((metrics, cell) => ({ cell, segment: 1, kind: 'counted', units: metrics[0]?.units ?? 0 })),
  lateExposures: 0,
  crossedLate: 0,
});

export const noDuplicates = { accepted: 0, stored: 0, duplicates: 0, idsReused: 0 };
