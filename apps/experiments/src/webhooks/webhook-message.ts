/** From what was stored to what is sent: pure. GrowthBook's names where the meaning is equal. */
import { createHash, createHmac } from 'node:crypto';
import { formatInstant, type WebhookData, type WebhookKind } from '@rampart/contracts';
import {
  type Experiment,
  type ExperimentEvent,
  experimentDecider,
  type FeatureEvent,
  featureDecider,
  fold,
  isBegun,
  isEqual,
  isKilledIn,
  type Rollout,
  type RolloutEvent,
  rolloutDecider,
  statusIn,
} from '@rampart/domain';
import type { StoredEvent } from '@rampart/event-store';
import { partsOfStream } from '../streams.js';

export interface WebhookMessage {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly subject: string;
  readonly datacontenttype: 'application/json';
  readonly data: WebhookData;
}

const TYPES: Readonly<Partial<Record<RolloutEvent['type'] | ExperimentEvent['type'] | FeatureEvent['type'], string>>> = {
  RolloutDefined: 'feature.rampSchedule.created',
  RolloutRedefined: 'rollout.redefined',
  RolloutStarted: 'feature.rampSchedule.actions.started',
  RolloutAdvanced: 'feature.rampSchedule.actions.step.advanced',
  RolloutReleased: 'feature.rampSchedule.actions.completed',
  RolloutRolledBack: 'feature.rampSchedule.actions.rolledBack',
  RolloutHeld: 'rollout.held',
  RolloutPaused: 'rollout.paused',
  RolloutResumed: 'rollout.resumed',
  RolloutApproved: 'rollout.approved',
  RolloutWouldHaveActed: 'rollout.would-have-acted',
  ExperimentStarted: 'experiment.started',
  ExperimentRestarted: 'experiment.restarted',
  ExperimentPaused: 'experiment.paused',
  ExperimentResumed: 'experiment.resumed',
  EnrolmentFrozen: 'experiment.enrolment-frozen',
  ExperimentDecided: 'experiment.decided',
  ExperimentArchived: 'experiment.archived',
  FeatureKilled: 'feature.killed',
  FeatureRestored: 'feature.restored',
};

/** Whether anybody would be told: cheap, before its stream is read. */
export const isTold = ({ event }: StoredEvent): boolean => event.type in TYPES;

/** @param stream  all of it, up to and with the event. @returns undefined for what nobody is told */
export const messageOf = (stream: readonly StoredEvent[]): WebhookMessage | undefined => {
  const last = stream.at(-1);
  if (last === undefined) return undefined;
  const type = (TYPES as Readonly<Record<string, string>>)[last.event.type];
  if (type === undefined) return undefined;
  const { kind, project, id: key } = partsOfStream(last.stream);
  if (project === null || (kind !== 'rollout' && kind !== 'experiment' && kind !== 'feature')) return undefined;
  const environment = environmentOf(stream);
  const fact = last.event as { readonly sentence?: unknown; readonly record?: unknown };
  return {
    specversion: '1.0',
    id: messageId(`${last.stream}@${last.version}`),
    source: `rampart/${project}`,
    type,
    time: formatInstant(last.atUs),
    subject: `${kind}/${key}`,
    datacontenttype: 'application/json',
    data: {
      ...{ project, environment, resource: kind, key, revision: last.version },
      ...changeOf(kind, stream, environment),
      ...{ actor: last.actor, reason: last.reason },
      sentence: typeof fact.sentence === 'string' ? fact.sentence : null,
      record: typeof fact.record === 'string' ? fact.record : null,
    },
  };
};

const environmentOf = (stream: readonly StoredEvent[]): string | null => {
  const last = stream.at(-1)?.event;
  if (last !== undefined && 'environment' in last) return last.environment;
  const rollout = fold(rolloutDecider, stream.map(({ event }) => event) as unknown as RolloutEvent[]);
  return rollout.status === 'absent' ? null : rollout.definition.environment;
};

/** The same for the same event, in every try and every process. Without dots: the signature is over text that is parted by them. */
export const messageId = (what: string): string => `msg_${createHash('sha256').update(what).digest('hex').slice(0, 32)}`;

/** What a receiver compares: where the resource stood and stands, and what a new definition of a rollout changes. */
const changeOf = (kind: WebhookKind, stream: readonly StoredEvent[], environment: string | null): Pick<WebhookData, 'before' | 'after'> => {
  const earlier = stream.slice(0, -1);
  const before = stateOf(kind, earlier, environment);
  const after = stateOf(kind, stream, environment);
  if (stream.at(-1)?.event.type !== 'RolloutRedefined') return { before, after };
  const was = definitionOf(earlier);
  const is = definitionOf(stream);
  const changed = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((field) => !isEqual(was[field], is[field]));
  return { before: { ...before, ...picked(was, changed) }, after: { ...after, ...picked(is, changed) } };
};

type Fields = Readonly<Record<string, unknown>>;

const definitionOf = (stream: readonly StoredEvent[]): Fields => {
  const rollout = fold(rolloutDecider, stream.map(({ event }) => event) as unknown as RolloutEvent[]);
  return rollout.status === 'absent' ? {} : { ...rollout.definition };
};

const picked = (fields: Fields, names: readonly string[]): Fields => Object.fromEntries(names.map((name) => [name, fields[name] ?? null]));

const stateOf = (kind: WebhookKind, stream: readonly StoredEvent[], environment: string | null): WebhookData['before'] => {
  const events = stream.map(({ event }) => event) as unknown;
  switch (kind) {
    case 'rollout':
      return rolloutState(fold(rolloutDecider, events as RolloutEvent[]));
    case 'experiment':
      return experimentState(fold(experimentDecider, events as ExperimentEvent[]), environment ?? '');
    case 'feature':
      return { isKilled: isKilledIn(fold(featureDecider, events as FeatureEvent[]), environment ?? '') };
  }
};

const rolloutState = (rollout: Rollout): WebhookData['before'] => {
  if (!isBegun(rollout)) return { status: rollout.status };
  const stage = rollout.definition.stages[rollout.stage.index];
  return {
    status: rollout.status,
    stage: stage?.name ?? null,
    coverage: stage?.coverage ?? null,
    approved: rollout.stage.approvedBy !== null,
  };
};

const experimentState = (experiment: Experiment, environment: string): WebhookData['before'] => {
  const run = experiment.runs[environment];
  const decision = run !== undefined && 'decision' in run ? run.decision : null;
  return { status: statusIn(experiment, environment), outcome: decision?.outcome ?? null, arm: decision?.arm ?? null };
};

export const SECRET_PREFIX = 'whsec_';

export interface Sent {
  readonly id: string;
  readonly body: string;
  /** Of this try: a receiver refuses old ones. */
  readonly atSeconds: number;
}

/** The headers of one try, by standardwebhooks.com. @param secrets  each signs: a receiver takes any that it knows */
export const signedHeaders = (secrets: readonly string[], { id, body, atSeconds }: Sent): Readonly<Record<string, string>> => {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${atSeconds}.${body}`).digest('base64')}`;
  });
  return {
    'content-type': 'application/cloudevents+json',
    'webhook-id': id,
    'webhook-timestamp': String(atSeconds),
    'webhook-signature': signatures.join(' '),
  };
};

/** Seconds until the next try: 1, 4, 16, … an hour at most. @returns undefined when it is given up */
export const pauseAfter = (attempts: number): number | undefined =>
  attempts >= MOST_ATTEMPTS ? undefined : Math.min(3_600, 4 ** (attempts - 1));
export const MOST_ATTEMPTS = 10;
