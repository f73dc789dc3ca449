/** How a stored event, and what a service told, become lines of the audit log. */
import { toUSVString } from 'node:util';
import { type AuditEntry, formatInstant } from '@rampart/contracts';
import type { StoredEvent } from '@rampart/event-store';

/** One row; its id is that of its source, so that what is told twice is kept once. */
export interface AuditRow {
  readonly id: string;
  readonly actor: string | null;
  readonly project: string | null;
  readonly outcome: AuditEntry['outcome'];
  readonly entry: AuditEntry & { readonly reason: string | null };
}

/**
 * What happened in the control plane, by people and by processes.
 * @param first  event of the same stream: of a key's it alone says whose the key is
 */
export const rowOfEvent = (
  { position, stream, event, atUs, actor, reason, requestId }: StoredEvent,
  first: Pick<StoredEvent, 'event'> | undefined,
): AuditRow => {
  const project = isOfKey(stream) ? projectOfKey(first) : (stream.split('/')[1] ?? null);
  return {
    ...{ id: `event/${position}`, actor, project, outcome: 'done' },
    entry: {
      ...{ atUs, service: 'experiments', outcome: 'done', actor, role: null, project, environment: null },
      ...{ action: event.type, target: { stream }, status: 200, code: null, requestId, address: null, count: 1, reason },
    },
  };
};

/** @param position  of the message: unlike any other in its topic. @returns undefined for what can't be read */
export const rowOfMessage = (position: bigint, value: Uint8Array): AuditRow | undefined => {
  const told = parsed(value);
  if (told === undefined) return undefined;
  const { actor, project, outcome } = told;
  const target = Object.fromEntries(Object.entries(told.target).map(([name, value]) => [name, storable(value)]));
  return { id: `log/${position}`, actor, project, outcome, entry: { ...told, target, reason: null } };
};

/** Anybody may put anything into a path: PostgreSQL keeps no NUL and no half of a surrogate pair. */
const storable = (text: string): string => toUSVString(text).replaceAll('\0', '\ufffd');

/** As it is read: instants as text. */
export const auditDocument = (position: string, { entry: { atUs, ...entry } }: Pick<AuditRow, 'entry'>) => ({
  position,
  at: formatInstant(atUs),
  ...entry,
});

/** Its name does not say its project; the second part of every other one does. */
export const isOfKey = (stream: string): boolean => stream.startsWith('key/');

/** null: it reaches the whole platform. */
const projectOfKey = (first: Pick<StoredEvent, 'event'> | undefined): string | null =>
  first?.event.type === 'ApiKeyCreated' ? first.event.project : null;

const OUTCOMES: ReadonlySet<unknown> = new Set<AuditEntry['outcome']>(['done', 'denied', 'refused', 'failed']);

const parsed = (value: Uint8Array): AuditEntry | undefined => {
  try {
    const told = JSON.parse(Buffer.from(value).toString('utf8')) as Partial<AuditEntry> | null;
    const hasTarget = typeof told?.target === 'object' && told.target !== null;
    const isEntry = hasTarget && typeof told.atUs === 'number' && typeof told.action === 'string' && OUTCOMES.has(told.outcome);
    return isEntry ? (told as AuditEntry) : undefined;
  } catch {
    return undefined;
  }
};
