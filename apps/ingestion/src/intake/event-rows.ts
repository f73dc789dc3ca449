/** What the log keeps of an event: one row per unit it names, with exact value, corrected time and pseudonym; or why it keeps none. */
import { type CloudEvent, type FeedbackRow, millionthsOfNumber } from '@rampart/contracts';
import { digestOf, type Pseudonyms, type RowScope, type Said, saidOfExposure, type UnitEvent, unitRows } from '@rampart/feedback-rows';
import { checkEvent } from './event-check.js';
import { type Arrival, type EventTimes, instantOf, timesOf } from './event-time.js';
import { namelessEvent } from './nameless-event.js';
import { type Rejection, rejected } from './rejection.js';

/** Where the events of a request belong, by its key. */
export interface IntakeScope extends RowScope {
  readonly kind: 'live' | 'historical';
}

/** @param value  anything that JSON can be; @returns at least one row, or the first reason against it */
export const rowsOf = (value: unknown, scope: IntakeScope, arrival: Arrival, pseudonyms: Pseudonyms): FeedbackRow[] | Rejection => {
  const wrong = checkEvent(value);
  if (wrong !== undefined) return wrong;
  const event = value as CloudEvent;
  const foreign = foreignScope(event, scope);
  if (foreign !== undefined) return foreign;
  const times = timesOf(event, scope.kind, arrival);
  if ('code' in times) return times;
  if (event.type === 'import.completed.v1') return completionRow(event, times, scope, arrival);
  const said = saidBy(event);
  return 'code' in said ? said : unitRows(namelessEvent(event, scope.project, pseudonyms), said, times, scope, pseudonyms);
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

const saidBy = ({ data }: UnitEvent): Said | Rejection => {
  if ('experiment' in data) return saidOfExposure(data);
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
