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

/** As they are stored, which is compressed: a reader holds about ten times as much. The first event comes whatever its size. */
const MOST_BYTES = 4 * 2 ** 20;

/** Up to `limit`, fewer where they are large: a decision record may have megabytes. */
export const eventsAfter = async (manager: EntityManager, afterPosition: number, limit: number): Promise<readonly StoredEvent[]> => {
  const rows = await manager.query<EventRow[]>(
    `select * from (
       select *, sum(pg_column_size(data)) over (order by position) - pg_column_size(data) as bytes_before
       from (select * from control.event where position > $1 order by position limit $2) as next
     ) as sized where bytes_before < $3 order by position`,
    [afterPosition, limit, MOST_BYTES],
  );
  return rows.map(storedEvent);
};

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
