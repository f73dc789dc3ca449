/** What the log keeps of an event: one row per unit it names, with exact value, corrected time and pseudonym; or why it keeps none. */
import { type CloudEvent, type FeedbackRow, millionthsOfNumber, type RowKind } from '@rampart/contracts';
import { digestOf } from './digest.js';
import { checkEvent } from './event-check.js';
import { type Arrival, type EventTimes, instantOf, timesOf } from './event-time.js';
import type { Pseudonyms } from './pseudonyms.js';
import { type Rejection, rejected } from './rejection.js';

/** Where the events of a request belong, by its key. */
export interface IntakeScope {
  readonly project: string;
  readonly environment: string;
  readonly kind: 'live' | 'historical';
  /** The write key's id. */
  readonly keyId: string;
}

type UnitEvent = Exclude<CloudEvent, { type: 'import.completed.v1' }>;

/** @param value  anything that JSON can be; @returns at least one row, or the first reason against it */
export const rowsOf = (value: unknown, scope: IntakeScope, arrival: Arrival, pseudonyms: Pseudonyms): FeedbackRow[] | Rejection => {
  const wrong = checkEvent(value);
  if (wrong !== undefined) return wrong;
  const event = value as CloudEvent;
  const foreign = foreignScope(event, scope);
  if (foreign !== undefined) return foreign;
  const times = timesOf(event, scope.kind, arrival);
  if ('code' in times) return times;
  return event.type === 'import.completed.v1' ? completionRow(event, times, scope, arrival) : unitRows(event, times, scope, pseudonyms);
};

const foreignScope = (event: CloudEvent, scope: IntakeScope): Rejection | undefined => {
  const { project, environment } = event as { project?: unknown; environment?: unknown };
  if (project !== undefined && project !== scope.project)
    return rejected('wrong-scope', '/project', `the key belongs to project ${scope.project}, the event names ${JSON.stringify(project)}`);
  if (environment !== undefined && environment !== scope.environment)
    return rejected(
      'wrong-scope',
      '/environment',
      `the key belongs to environment ${scope.environment}, the event names ${JSON.stringify(environment)}`,
    );
  return undefined;
};

const unitRows = (event: UnitEvent, times: EventTimes, scope: IntakeScope, pseudonyms: Pseudonyms): FeedbackRow[] | Rejection => {
  const { data } = event;
  const said = saidBy(event);
  if ('code' in said) return said;
  const row = (unitType: string, unitId: string): FeedbackRow => ({
    kind: KINDS[event.type],
    project: scope.project,
    environment: scope.environment,
    name: said.name,
    unitType,
    unit: pseudonyms.of(scope.project, unitType, unitId),
    source: event.source,
    id: event.id,
    at: times.at,
    ...(times.knownAt === undefined ? undefined : { knownAt: times.knownAt }),
    ...said.content,
    ...(data.properties === undefined ? undefined : { properties: data.properties }),
    digest,
    key: scope.keyId,
  });
  const digest = digestOf(event);
  const first = row(data.unit.type, data.unit.id);
  if (data.also === undefined || data.also.length === 0) return [first];
  const rows = [first];
  for (const { type, id } of data.also) {
    const next = row(type, id);
    // A unit named twice is one unit.
    if (!rows.some(({ unit, unitType }) => unit === next.unit && unitType === next.unitType)) rows.push(next);
  }
  return rows;
};

const KINDS: Readonly<Record<UnitEvent['type'], RowKind>> = {
  'metric.v1': 'metric',
  'feedback.v1': 'feedback',
  'exposure.v1': 'exposure',
  'assignment.v1': 'assignment',
};

interface Said {
  readonly name: string;
  readonly content: Pick<FeedbackRow, 'value' | 'variant' | 'segment' | 'reason'> | undefined;
}

const saidBy = ({ data }: UnitEvent): Said | Rejection => {
  if ('experiment' in data) {
    const { experiment, variant, segment, reason = 'unknown' } = data;
    return { name: experiment, content: segment === undefined ? { variant, reason } : { variant, segment, reason } };
  }
  const value: unknown = data.value;
  if (value === undefined) return { name: data.name, content: undefined };
  if (typeof value !== 'number' || Number.isNaN(value))
    return rejected('value-not-a-number', '/data/value', `value must be a number, got ${JSON.stringify(value)?.slice(0, 60)}`);
  const millionths = millionthsOfNumber(value);
  if (millionths !== undefined) return { name: data.name, content: { value: String(millionths) } };
  return rejected('value-out-of-range', '/data/value', `value must be within ±9.2e12, got ${value}`);
};

const completionRow = (
  event: Extract<CloudEvent, { type: 'import.completed.v1' }>,
  times: EventTimes,
  scope: IntakeScope,
  arrival: Arrival,
): FeedbackRow[] | Rejection => {
  if (scope.kind !== 'historical')
    return rejected(
      'import-not-allowed',
      '/type',
      `${scope.environment} is a live environment: only the history of a historical one can be complete`,
    );
  const { until } = event.data;
  const at = until === undefined ? times.at : instantOf(until);
  if (at === undefined)
    return rejected('not-an-instant', '/data/until', `until must be an instant with its zone, got ${JSON.stringify(until)}`);
  const { project, environment, keyId: key } = scope;
  const row = { kind: 'import', project, environment, name: '', unitType: '', unit: '', source: event.source, id: event.id, at } as const;
  return [{ ...row, knownAt: Math.min(times.knownAt ?? at, arrival.nowUs), digest: digestOf(event), key }];
};
