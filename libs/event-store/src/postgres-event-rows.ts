/** How a row of the event table becomes an event, upcast to what the domain knows today. */
import type { EntityManager } from 'typeorm';
import type { StoredEvent } from './event-store.js';
import { type EventData, upcast } from './stored-event-types.js';

export interface EventRow {
  readonly position: string;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly type_version: number;
  readonly data: EventData;
  readonly at_us: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly request_id: string | null;
}

export const eventsAfter = async (manager: EntityManager, afterPosition: number, limit: number): Promise<readonly StoredEvent[]> =>
  (
    await manager.query<EventRow[]>('select * from control.event where position > $1 order by position limit $2', [afterPosition, limit])
  ).map(storedEvent);

export const storedEvent = (row: EventRow): StoredEvent => ({
  position: Number(row.position),
  stream: row.stream,
  version: row.version,
  event: upcast(row.type, row.type_version, row.data),
  atUs: Number(row.at_us),
  actor: row.actor,
  reason: row.reason,
  requestId: row.request_id,
});
