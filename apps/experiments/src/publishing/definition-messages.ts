/** What `definitions.v1` says after an event: whole documents under keys that never change, then the pointer to them. */
import { type DefinitionKind, EVERYWHERE, type Head, headKey, type PublishedValue, revisionKey, versionKey } from '@rampart/contracts';
import {
  type AllocationEvent,
  type ApiKeyEvent,
  allocationDecider,
  apiKeyDecider,
  type EnvironmentEvent,
  type Experiment,
  type ExperimentEvent,
  experimentDecider,
  type FeatureEvent,
  featureDecider,
  fold,
  type MetricEvent,
  type ProjectEvent,
} from '@rampart/domain';
import type { StoredEvent } from '@rampart/event-store';
import { experimentState } from '../catalogue/documents.js';
import { partsOfStream } from '../streams.js';

export interface DefinitionMessage {
  readonly key: string;
  readonly value: PublishedValue | Head;
}

/** @param events  of one stream, from its first to the one that is to be published */
export const messagesAfter = (events: readonly StoredEvent[]): readonly DefinitionMessage[] => {
  const last = events.at(-1);
  if (last === undefined) return [];
  const { kind, project, id } = partsOfStream(last.stream);
  // What a rollout does shows in its experiment's state: nobody else needs its plan.
  if (kind === 'rollout' || kind === 'webhook') return [];
  const place = { kind, project: project ?? EVERYWHERE, id };
  // A stream holds the events of its own decider only.
  const event = last.event as unknown;
  switch (kind) {
    case 'project': {
      const told = event as ProjectEvent;
      // What was in it is ended and its keys are revoked: nothing more is to be known of it.
      if (told.type === 'ProjectRemoved') return [];
      const { project: key, name } = told;
      return revised(place, last.version, { kind, value: { key, name } });
    }
    case 'environment': {
      const created = event as EnvironmentEvent;
      return revised(place, last.version, { kind, value: { project: created.project, key: id, kind: created.kind } });
    }
    case 'key':
      return keyMessages(id, events);
    case 'metric': {
      const { version, definition } = event as MetricEvent;
      return defined(place, version, { kind, version, value: published(definition) });
    }
    case 'feature': {
      const told = event as FeatureEvent;
      if (told.type !== 'FeatureDefined') return switchMessages(place, events, told.environment);
      const { version, definition } = told;
      return defined(place, version, { kind, version, value: published(definition) });
    }
    case 'layer':
    case 'holdout':
    case 'override':
      return allocationMessages(place, events);
    case 'experiment':
      return experimentMessages(place, events);
  }
};

interface Place {
  readonly kind: DefinitionKind;
  readonly project: string;
  readonly id: string;
}

const allocationMessages = (place: Place, events: readonly StoredEvent[]): readonly DefinitionMessage[] => {
  const state = fold(
    allocationDecider,
    events.map(({ event }) => event as AllocationEvent),
  );
  const revision = events.length;
  switch (state.kind) {
    case 'layer':
      return revised(place, revision, { kind: 'layer', value: state.definition });
    case 'holdout':
      return revised(place, revision, { kind: 'holdout', value: { ...published(state.definition), isActive: state.isActive } });
    case 'override': {
      const value = { ...published(state.definition), isActive: state.isActive };
      return revised(place, revision, { kind: 'override', value }, state.environment);
    }
    case 'absent':
      return [];
  }
};

/** The kill switch of one environment. */
const switchMessages = (place: Place, events: readonly StoredEvent[], environment: string): readonly DefinitionMessage[] => {
  const feature = fold(
    featureDecider,
    events.map(({ event }) => event as FeatureEvent),
  );
  const { isKilled, revision } = feature.switches[environment] ?? { isKilled: false, revision: 0 };
  return revised(place, revision, { kind: 'feature-state', revision, value: { feature: place.id, isKilled } }, environment);
};

const keyMessages = (id: string, events: readonly StoredEvent[]): readonly DefinitionMessage[] => {
  const key = fold(
    apiKeyDecider,
    events.map(({ event }) => event as ApiKeyEvent),
  );
  if (key.status === 'absent') return [];
  const { hash, role, project, environment, name, previous, expiresAtUs, quota } = key;
  const value = {
    ...{ id, hash, role, project, environment, name, revoked: key.status === 'revoked' },
    ...(previous === null ? {} : { previous }),
    ...(expiresAtUs === null ? {} : { expiresAtUs }),
    ...(quota === null ? {} : { quota }),
  };
  return revised({ kind: 'key', project: project ?? EVERYWHERE, id }, events.length, { kind: 'key', value });
};

/** A new definition, and the state of every environment that the event changed. */
const experimentMessages = (place: Place, events: readonly StoredEvent[]): readonly DefinitionMessage[] => {
  const facts = events.map(({ event }) => event as ExperimentEvent);
  const event = facts.at(-1);
  const experiment = fold(experimentDecider, facts);
  if (event === undefined) return [];
  const definition =
    event.type === 'ExperimentDefined' || event.type === 'ExperimentRedefined'
      ? defined(place, event.version, { kind: 'experiment', version: event.version, value: published(event.definition) })
      : [];
  return [...definition, ...environmentsOf(event).flatMap((environment) => stateMessages(place, experiment, environment))];
};

const environmentsOf = (event: ExperimentEvent): readonly string[] => {
  if (event.type === 'ExperimentDefined') return [];
  return event.type === 'ExperimentRedefined' ? event.adoptedIn.map(({ environment }) => environment) : [event.environment];
};

const stateMessages = (place: Place, { runs }: Experiment, environment: string): readonly DefinitionMessage[] => {
  const run = runs[environment];
  if (run === undefined) return [];
  const { revision } = run;
  return revised(place, revision, { kind: 'experiment-state', revision, value: experimentState(place.id, run) }, environment);
};

/** Of a kind with versions: the version belongs to the whole project. */
const defined = ({ project, kind, id }: Place, version: number, value: PublishedValue): readonly DefinitionMessage[] => [
  { key: versionKey(project, kind, id, version), value },
  { key: headKey(project, kind, id, EVERYWHERE), value: { revision: version } },
];

const revised = (
  { project, kind, id }: Place,
  revision: number,
  value: PublishedValue,
  environment: string = EVERYWHERE,
): readonly DefinitionMessage[] => [
  { key: revisionKey(project, kind, id, environment, revision), value },
  { key: headKey(project, kind, id, environment), value: { revision } },
];

/** The domain's definitions are the contracts' but for `readonly`: they share no types, and where they part this does not compile. */
const published = <Definition>(definition: Definition): Mutable<Definition> => definition as Mutable<Definition>;
type Mutable<Value> = Value extends object ? { -readonly [Field in keyof Value]: Mutable<Value[Field]> } : Value;
