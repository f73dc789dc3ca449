/** Rows of one experiment with five metrics: a tenth are exposures, the rest purchases, visits and refunds of units within their windows. */
import type { FeedbackRow, MetricDefinition } from '@rampart/contracts';
import { metricDefinition } from '@rampart/contracts';
import type { ComparisonQuery, PlacedRow } from '@rampart/feedback-store';
import { END_OF_TIME } from '@rampart/feedback-store';

const HOUR_US = 3_600_000_000;
const BEGIN_US = Date.UTC(2025, 0, 1) * 1000;
const NAMES = ['purchase', 'visit', 'refund'] as const;

const shared = { unitType: 'user', windowUs: 48 * HOUR_US } as const;
const metrics: readonly MetricDefinition[] = [
  { key: 'revenue', type: 'mean', numerator: { event: 'purchase' }, capUpper: '500', covariate: { lookbackUs: 24 * HOUR_US } },
  { key: 'purchases', type: 'count', numerator: { event: 'purchase' } },
  { key: 'bought', type: 'proportion', numerator: { event: 'purchase' } },
  {
    key: 'revenue-per-visit',
    type: 'ratio',
    numerator: { event: 'purchase' },
    denominator: { event: 'visit' },
    denominatorAggregate: 'count',
  },
  { key: 'refunds', type: 'mean', numerator: { event: 'refund' } },
].map((metric) => metricDefinition.parse({ name: metric.key, ...shared, ...metric }));

export const comparisonQuery = (environment: string): ComparisonQuery => ({
  project: 'bench',
  environment,
  historical: false,
  experiment: 'button',
  unitType: 'user',
  cells: [
    { variant: 'control', arm: 'control' },
    { variant: 'treatment', arm: 'treatment' },
  ],
  segments: [1],
  timeline: [{ segment: 1, fromUs: 0 }],
  reasonWhenMissing: 'SPLIT',
  multipleExposure: 'exclude',
  allowedLatenessUs: HOUR_US,
  knownUntilUs: END_OF_TIME,
  metrics: metrics.map((definition) => ({ version: 1, definition })),
});

/** A quantile of purchases that is judged at every look. */
export const quantileQuery = (environment: string, quantileOf: 'events' | 'units'): ComparisonQuery => {
  const about = { key: 'revenue-p95', name: 'revenue-p95', type: 'quantile', quantileLevel: 0.95, quantileOf, ...shared };
  const definition = metricDefinition.parse({ ...about, numerator: { event: 'purchase' } });
  return { ...comparisonQuery(environment), metrics: [{ version: 1, definition }], quantiles: true, quantileLadder: true };
};

/** A cheap mixing of integers: neighbours must not be neighbours in the store. */
const mixed = (value: number): number => {
  let bits = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b);
  return (bits ^ (bits >>> 16)) >>> 0;
};
const hex = (value: number) => value.toString(16).padStart(8, '0');
const unitOf = (unit: number) => hex(mixed(unit)) + hex(mixed(unit + 0x9e3779b9)) + hex(unit) + hex(mixed(unit ^ 0x5bd1e995));

/** Row `index` of `rows` over `units` units; position and known time rise with the index. */
export const rowAt = (environment: string, index: number, units: number): PlacedRow => {
  const unit = index < units ? index : mixed(index) % units;
  const isExposure = index < units;
  const exposedAtUs = BEGIN_US + (mixed(unit) % 500) * HOUR_US;
  const at = isExposure ? exposedAtUs : exposedAtUs + ((mixed(index * 3) % 60) - 12) * HOUR_US + (index % 1_000_000);
  const common = {
    project: 'bench',
    environment,
    unitType: 'user',
    unit: unitOf(unit),
    source: 'bench',
    id: `${index}`,
    at,
    digest: hex(index) + hex(unit),
    key: 'bench',
  };
  const row: FeedbackRow = isExposure
    ? { ...common, kind: 'exposure', name: 'button', variant: mixed(unit) % 2 === 0 ? 'control' : 'treatment', segment: 1, reason: 'SPLIT' }
    : { ...common, kind: 'metric', name: NAMES[mixed(index * 7) % 3] ?? 'purchase', value: String((mixed(index * 11) % 20_000) * 10_000) };
  return { row, position: BigInt(Math.floor(index / 1000)) * 4096n + BigInt(index % 1000), knownAtUs: at + 1_000_000, partition: 0 };
};
