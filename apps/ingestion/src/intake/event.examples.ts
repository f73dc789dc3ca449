/** Events and surroundings for specs. */
import { type CloudEvent, type FeedbackRow, parseInstant } from '@rampart/contracts';
import { Pseudonyms } from '@rampart/feedback-rows';
import { type IntakeScope, rowsOf } from './event-rows.js';
import type { Arrival } from './event-time.js';
import type { Rejection } from './rejection.js';

export const liveScope: IntakeScope = { project: 'shop', environment: 'production', kind: 'live', keyId: 'k1' };
export const historicalScope: IntakeScope = { ...liveScope, environment: 'past', kind: 'historical' };

export const instant = (text: string): number => parseInstant(text) ?? Number.NaN;
export const nowUs = instant('2026-06-01T12:00:00Z');
export const justNow: Arrival = { receivedAtUs: nowUs, nowUs };

export const pseudonyms = new Pseudonyms('a platform secret');

export const purchase = (more: Readonly<Record<string, unknown>> = {}, data: Readonly<Record<string, unknown>> = {}) => ({
  specversion: '1.0',
  id: 'e1',
  source: 'checkout',
  type: 'metric.v1',
  time: '2026-06-01T11:59:59.123456Z',
  data: { unit: { type: 'user', id: 'u1' }, name: 'purchase', value: 12.5, ...data },
  ...more,
});

export const exposure = (data: Readonly<Record<string, unknown>> = {}) => ({
  ...purchase({ type: 'exposure.v1' }),
  data: { unit: { type: 'user', id: 'u1' }, experiment: 'button', variant: 'control', ...data },
});

export const completed = (data: CloudEvent['data'] = {}) => ({ ...purchase({ type: 'import.completed.v1' }), data });

export const outcome = (event: unknown, scope = liveScope, arrival = justNow) => rowsOf(event, scope, arrival, pseudonyms);

/** The rows of an event that must be believed. */
export const rows = (event: unknown, scope = liveScope, arrival = justNow): readonly FeedbackRow[] => {
  const answer = outcome(event, scope, arrival);
  if ('code' in answer) throw new Error(`rejected: ${answer.code} at ${answer.path}: ${answer.message}`);
  return answer;
};

/** Code and path of an event that must not be believed. */
export const refusal = (event: unknown, scope = liveScope, arrival = justNow): readonly [Rejection['code'], string] => {
  const answer = outcome(event, scope, arrival);
  if (!('code' in answer)) throw new Error(`believed: ${JSON.stringify(answer)}`);
  return [answer.code, answer.path];
};
