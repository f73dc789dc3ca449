/** When a metric may be defined, and when a definition is a new version. */
import type { Decider } from '../decider.js';
import { isEqual } from '../equality.js';
import { DomainError } from '../errors.js';
import { requireSlug } from '../tenancy/slug.js';
import { evolveMetric, initialMetric, type Metric, type MetricDefinition, type MetricEvent } from './metric.js';

export type MetricCommand = {
  /** `CreateMetric` wants a key that nobody uses yet; `DefineMetric` adds a version, or creates. */
  readonly type: 'CreateMetric' | 'DefineMetric';
  readonly definition: MetricDefinition;
  readonly atUs: number;
};

const decide = ({ type, definition, atUs }: MetricCommand, { versions }: Metric): readonly MetricEvent[] => {
  const newest = versions.at(-1);
  if (type === 'CreateMetric' && newest !== undefined) {
    const message = `there is a metric "${definition.key}" already, at version ${newest.version}: replace it to add version ${newest.version + 1}, or choose another key`;
    throw new DomainError('metric-exists', message, { path: '/key', metric: definition.key, version: newest.version });
  }
  requireSlug('metric', definition.key);
  requireCoherence(definition);
  if (newest !== undefined && isEqual(newest.definition, definition)) return [];
  return [{ type: 'MetricDefined', version: versions.length + 1, definition, atUs }];
};

/** What each field allows is checked at the door; this is what they must mean together. */
const requireCoherence = ({ type, direction, key }: MetricDefinition): void => {
  if (type === 'first-error' && direction === 'increase') {
    const message = `"${key}" is a first-error metric, where more is worse, but its direction is increase: set direction to decrease`;
    throw new DomainError('metric-direction', message, { path: '/direction', metric: key });
  }
};

export const metricDecider: Decider<Metric, MetricCommand, MetricEvent> = { initialState: initialMetric, decide, evolve: evolveMetric };
