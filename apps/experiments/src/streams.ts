/** Names of the streams: forever, since history hangs on them. Slugs hold no slash. */
import { type ComparisonPlace, comparisonKey } from '@rampart/contracts';

export type ResourceKind = 'project' | 'environment' | 'key' | 'metric' | 'feature' | 'experiment' | 'rollout' | 'webhook' | AllocationKind;
/** What sets units apart. */
export type AllocationKind = 'layer' | 'holdout' | 'override';

export interface StreamParts {
  readonly kind: ResourceKind;
  /** null for what belongs to the platform. A key's project is in its events. */
  readonly project: string | null;
  readonly id: string;
}

export const projectStream = (project: string): string => `project/${project}`;
export const keyStream = (id: string): string => `key/${id}`;
export const environmentStream = (project: string, environment: string): string => `environment/${project}/${environment}`;
export const metricStream = (project: string, metric: string): string => `metric/${project}/${metric}`;
export const featureStream = (project: string, feature: string): string => `feature/${project}/${feature}`;
export const experimentStream = (project: string, experiment: string): string => `experiment/${project}/${experiment}`;
export const rolloutStream = (project: string, rollout: string): string => `rollout/${project}/${rollout}`;

export const webhookStream = (project: string, webhook: string): string => `webhook/${project}/${webhook}`;
export const allocationStream = (kind: AllocationKind, project: string, key: string): string => `${kind}/${project}/${key}`;

/** Those that belong to a project, with two names. */
const OF_PROJECT: ReadonlySet<string> = new Set<ResourceKind>([
  ...(['environment', 'metric', 'feature', 'experiment', 'rollout'] as const),
  ...(['layer', 'holdout', 'override', 'webhook'] as const),
]);

const DECISIONS = 'decision/';

/** One a comparison: its chain of records. */
export const decisionStream = (place: ComparisonPlace): string => `${DECISIONS}${comparisonKey(place)}`;

/** Whether a stream tells of a resource that people define; records of decisions are none. */
export const isOfResource = (stream: string): boolean => !stream.startsWith(DECISIONS);

/** @throws RangeError for a name that this file did not make */
export const partsOfStream = (stream: string): StreamParts => {
  const [kind, first, second, ...rest] = stream.split('/');
  const isProjectless = kind === 'project' || kind === 'key';
  if (isProjectless && first !== undefined && second === undefined) return { kind, project: null, id: first };
  if (OF_PROJECT.has(kind ?? '') && first !== undefined && second !== undefined && rest.length === 0)
    return { kind: kind as ResourceKind, project: first, id: second };
  throw new RangeError(`"${stream}" is no stream of a resource`);
};
