/** Experiments, metrics and facts for specs; a spec names only what it is about. */
import type { Metric, MetricDefinition } from '../metric/metric.js';
import type { AnalysisPlan } from './analysis-plan.js';
import type { ExperimentEvent, Segment } from './experiment.js';
import type { ExperimentDefinition } from './experiment-definition.js';
import type { Surroundings } from './start-checklist.js';

export const T0 = 1_767_225_600_000_000;
export const DAY = 86_400_000_000;

const plan: AnalysisPlan = {
  method: 'fixed-horizon',
  alpha: 0.05,
  beta: 0.2,
  alphaMinus: 0.05,
  intervalLevel: 0.95,
  allowedLatenessUs: 3_600_000_000,
  minimumRunUs: 7 * DAY,
  plannedEndUs: T0 + 14 * DAY,
  multipleExposure: 'exclude',
  comparisons: 'to-control',
  multiplicity: 'holm',
  cupedTheta: 'pooled',
  srmAlpha: 0.001,
};

export const anExperiment = ({
  plan: planned,
  ...change
}: Partial<Omit<ExperimentDefinition, 'plan'>> & { plan?: Partial<AnalysisPlan> } = {}): ExperimentDefinition => ({
  key: 'button',
  name: 'Button',
  hypothesis: 'green sells more',
  unitType: 'user',
  assignment: 'external',
  variants: [
    { key: 'blue', weight: 1 },
    { key: 'green', weight: 1 },
  ],
  control: 'blue',
  metrics: [{ metric: 'converted', role: 'success' }],
  policy: 'ship',
  ...change,
  plan: { ...plan, ...planned },
});

export const aMetric = (change: Partial<MetricDefinition> = {}): MetricDefinition => ({
  key: 'converted',
  name: 'Converted',
  description: '',
  type: 'proportion',
  unitType: 'user',
  numerator: { event: 'purchase', filters: [] },
  aggregate: 'sum',
  denominatorAggregate: 'sum',
  scale: 1,
  delayUs: 0,
  windowUs: DAY,
  direction: 'increase',
  population: 'exposed',
  ...change,
});

/** A metric whose versions differ as given. */
export const metricOf = (...versions: readonly Partial<MetricDefinition>[]): Metric => ({
  versions: versions.map((change, index) => ({ version: index + 1, definition: aMetric(change), definedAtUs: T0 })),
});

export const surroundings = (
  metrics: Surroundings['metrics'] = { converted: metricOf({}) },
  feature: Surroundings['feature'] = null,
): Surroundings => ({
  metrics,
  feature,
});

export const segment = (change: Partial<Segment> = {}): Segment => ({
  segment: 1,
  comparison: 1,
  startedAtUs: T0,
  coverage: 1,
  seed: 'seed-1',
  hashVersion: 2,
  ...change,
});

export const defined = (definition = anExperiment(), version = 1): ExperimentEvent => ({
  type: 'ExperimentDefined',
  version,
  definition,
  atUs: T0,
});

export const started = (change: Partial<Extract<ExperimentEvent, { type: 'ExperimentStarted' }>> = {}): ExperimentEvent => ({
  type: 'ExperimentStarted',
  environment: 'production',
  kind: 'live',
  version: 1,
  metricVersions: { converted: 1 },
  segment: segment(),
  atUs: T0,
  ...change,
});

export const paused = (atUs = T0 + DAY): ExperimentEvent => ({
  type: 'ExperimentPaused',
  environment: 'production',
  segment: segment({ segment: 2, coverage: 0, startedAtUs: atUs }),
  atUs,
});
