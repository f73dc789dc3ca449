/** Looks at a live sequential plan for specs: B against A (or as told), a conversion, a crash guardrail and a latency with a margin. */
import type { ExperimentInput, ExperimentRamp } from '@rampart/contracts';
import type { MetricSums } from '@rampart/feedback-store';
import { comparisonQuery, type DefinitionInForce, planOf } from '../definitions/definition-in-force.js';
import { type Concluding, type Conclusion, conclude } from './conclusion.js';
import { type ExampleMetric, exampleComparison, exampleDefinition, wholeSums } from './figures.examples.js';

const DAY = 86_400_000_000;
/** Of the example's first segment. */
const STARTED = 1_000_000;
export const onDay = (days: number): number => STARTED + days * DAY;

export const converted: ExampleMetric = { input: { key: 'converted', type: 'proportion', windowUs: DAY } };
export const crashed: ExampleMetric = {
  input: { key: 'crashed', type: 'first-error', windowUs: null, direction: 'decrease' },
  use: { role: 'guardrail' },
};
export const latency: ExampleMetric = {
  input: { key: 'latency', type: 'mean', windowUs: DAY, direction: 'decrease' },
  use: { role: 'guardrail', margin: { relative: 0.05 } },
};

/** So many of the units, once each. */
export const ones = (units: number, having: number): MetricSums => wholeSums(units, having, having);
/** A mean and a spread of whole numbers. */
export const spread = (units: number, mean: number, sd: number): MetricSums =>
  wholeSums(units, units * mean, units * (mean * mean + sd * sd));

export interface ExampleLook extends Partial<Omit<Concluding, 'definition' | 'query' | 'plan'>> {
  readonly metrics: readonly ExampleMetric[];
  /** A row of metrics a cell. */
  readonly cells: readonly (readonly MetricSums[])[];
  readonly experiment?: Partial<ExperimentInput>;
  readonly kind?: 'live' | 'historical';
  readonly ramp?: ExperimentRamp;
}

/** A step of a rollout's first run. */
export const rampAt = (stage: string, change: Partial<ExperimentRamp> = {}): ExperimentRamp => ({
  rollout: 'button-rollout',
  run: 1,
  stage,
  stageStartedAtUs: STARTED,
  policy: 'stage',
  ...change,
});

export const definitionOf = ({
  metrics,
  experiment = {},
  kind = 'live',
  ramp,
}: Pick<ExampleLook, 'metrics' | 'experiment' | 'kind' | 'ramp'>): DefinitionInForce => {
  const definition = exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A', ...experiment }, metrics, kind);
  return ramp === undefined || definition.state === null ? definition : { ...definition, state: { ...definition.state, ramp } };
};

export const concluded = ({ metrics, cells, experiment = {}, kind = 'live', ramp, ...more }: ExampleLook): Conclusion => {
  const definition = definitionOf({ metrics, experiment, kind, ...(ramp === undefined ? {} : { ramp }) });
  const knownUntilUs = more.knownUntilUs ?? onDay(8);
  const { key } = definition.experiment;
  return conclude({
    definition,
    query: comparisonQuery(definition, knownUntilUs),
    sums: exampleComparison(cells),
    plan: planOf(definition, { importing: false, knownUntilUs }),
    seenEvents: new Set([key, ...metrics.map(({ input }) => input.key)]),
    latchedBefore: [],
    ...more,
    knownUntilUs,
  });
};
