/** What is worth a notice: an event that was stored, or a look that was told. */
import { formatInstant, type LookMessage, type StreamNotice } from '@rampart/contracts';
import type { StoredEvent } from '@rampart/event-store';
import { recordedDecision } from '../decisions/recorded-decision.js';
import { isOfResource, partsOfStream, type ResourceKind } from '../streams.js';

/** A notice and whom it concerns. */
export interface Addressed {
  readonly project: string;
  /** null: whoever reads the project, in whatever environment. */
  readonly environment: string | null;
  readonly notice: StreamNotice;
}

type Changed = Extract<StreamNotice, { kind: 'changed' }>['resource'];

const TOLD: Readonly<Partial<Record<ResourceKind, Changed>>> = {
  rollout: 'rollout',
  experiment: 'experiment',
  feature: 'feature',
  metric: 'metric',
  environment: 'environment',
};

export const noticeOfLook = ({ project, environment, experiment, verdict, knownUntilUs }: LookMessage): Addressed => ({
  project,
  environment,
  notice: { kind: 'look', environment, experiment, verdict, knownUntil: formatInstant(knownUntilUs) },
});

/** @returns undefined for what no reader watches */
export const noticeOfEvent = (stored: StoredEvent): Addressed | undefined => {
  const { stream, version, event } = stored;
  const recorded = recordedDecision(stored);
  if (recorded !== undefined) {
    const { project, environment, experiment, id } = recorded.record;
    return { project, environment, notice: { kind: 'record', environment, experiment, id } };
  }
  if (!isOfResource(stream)) return undefined;
  const { kind, project, id } = partsOfStream(stream);
  const resource = TOLD[kind];
  if (resource === undefined || project === null) return undefined;
  const notice = { kind: 'changed', resource, key: id, revision: version } as const;
  const environment = 'environment' in event ? event.environment : null;
  return { project, environment: resource === 'environment' ? null : environment, notice };
};
