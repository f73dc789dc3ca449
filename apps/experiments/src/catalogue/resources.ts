/** Reads a resource from its stream: as it is, or as it was at an instant. */
import { Injectable } from '@nestjs/common';
import {
  type AllocationEvent,
  type ApiKeyEvent,
  allocationDecider,
  apiKeyDecider,
  type EnvironmentEvent,
  type ExperimentEvent,
  environmentDecider,
  experimentDecider,
  type FeatureEvent,
  featureDecider,
  fold,
  type MetricEvent,
  metricDecider,
  type ProjectEvent,
  projectDecider,
  type RolloutEvent,
  rolloutDecider,
  type WebhookEvent,
  webhookDecider,
} from '@rampart/domain';
import { EventStore, type StoredEvent } from '@rampart/event-store';
import { partsOfStream } from '../streams.js';
import {
  allocationDocument,
  environmentDocument,
  experimentDocument,
  featureDocument,
  keyDocument,
  metricDocument,
  projectDocument,
  rolloutDocument,
  webhookDocument,
} from './documents.js';

export interface ResourceAt {
  readonly stream: string;
  /** null: now. */
  readonly asOfUs: number | null;
  /** Of a definition; null: the newest. */
  readonly version: number | null;
}

@Injectable()
export class Resources {
  constructor(private readonly store: EventStore) {}

  /** @returns undefined if there was none then */
  async read({ stream, asOfUs, version }: ResourceAt): Promise<Readonly<Record<string, unknown>> | undefined> {
    const all = await this.history(stream);
    // A prefix, and not a filter: what a clock set back stamped earlier still came later.
    const end = asOfUs === null ? -1 : all.findIndex(({ atUs }) => atUs > asOfUs);
    const document = documentOf(stream, end < 0 ? all : all.slice(0, end), version ?? undefined);
    return Object.keys(document).length === 0 ? undefined : document;
  }

  history(stream: string): Promise<readonly StoredEvent[]> {
    return this.store.readStream(stream);
  }
}

/** @param events  all of the stream up to some moment, in order */
export const documentOf = (stream: string, events: readonly StoredEvent[], version?: number): Readonly<Record<string, unknown>> => {
  const revision = events.length;
  // A stream holds the events of its own decider only.
  const facts = events.map(({ event }) => event) as unknown;
  switch (partsOfStream(stream).kind) {
    case 'project':
      return projectDocument(fold(projectDecider, facts as ProjectEvent[]), revision);
    case 'environment':
      return environmentDocument(fold(environmentDecider, facts as EnvironmentEvent[]), revision);
    case 'key':
      return keyDocument(fold(apiKeyDecider, facts as ApiKeyEvent[]), revision);
    case 'metric':
      return metricDocument(fold(metricDecider, facts as MetricEvent[]), revision, version);
    case 'feature':
      return featureDocument(fold(featureDecider, facts as FeatureEvent[]), revision, version);
    case 'webhook':
      return webhookDocument(fold(webhookDecider, facts as WebhookEvent[]), revision);
    case 'layer':
    case 'holdout':
    case 'override':
      return allocationDocument(fold(allocationDecider, facts as AllocationEvent[]), revision);
    case 'experiment':
      return experimentDocument(fold(experimentDecider, facts as ExperimentEvent[]), revision, version);
    case 'rollout':
      return rolloutDocument(fold(rolloutDecider, facts as RolloutEvent[]), revision);
  }
};
