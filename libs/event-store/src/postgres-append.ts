/** The one way in which events enter the table: SQL that can be read exactly. */
import type { EntityManager } from 'typeorm';
import { type AppendRequest, REQUEST_MEMORY_US, RequestRecorded } from './event-store.js';
import { revisionMismatch } from './revision-mismatch.js';
import { currentVersion } from './stored-event-types.js';

/** Wakes the subscriptions of all processes. */
export const NEWS_CHANNEL = 'rampart_control_events';
const APPEND_LOCK = 7_205_102;

/** Runs inside the caller's transaction. @returns the stream's version afterwards */
export const appendIn = async (transaction: EntityManager, request: AppendRequest): Promise<number> => {
  // Lock first: a position taken outside the lock can commit after a later one, and readers would skip it.
  await transaction.query('select pg_advisory_xact_lock($1)', [APPEND_LOCK]);
  await recordRequest(transaction, request);
  const [{ version }] = await transaction.query<[{ version: number }]>(
    'select coalesce(max(version), 0) as version from control.event where stream = $1',
    [request.stream],
  );
  if (version !== request.expectedVersion) throw revisionMismatch(request.stream, request.expectedVersion, version);
  if (request.events.length === 0) return version;
  await insertEvents(transaction, request);
  await transaction.query('select pg_notify($1, $2)', [NEWS_CHANNEL, '']);
  return version + request.events.length;
};

const recordRequest = async (transaction: EntityManager, { request, origin }: AppendRequest): Promise<void> => {
  if (request === undefined) return;
  await transaction.query('delete from control.recorded_request where at_us < $1', [origin.atUs - REQUEST_MEMORY_US]);
  const inserted = await transaction.query<unknown[]>(
    `insert into control.recorded_request (scope, key, digest, answer, at_us) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning 1`,
    [request.scope, request.key, request.digest, request.answer, origin.atUs],
  );
  if (inserted.length === 0) throw new RequestRecorded(`a request is recorded under ${request.scope} ${request.key}`);
};

const insertEvents = async (transaction: EntityManager, { stream, expectedVersion, events, origin }: AppendRequest): Promise<void> => {
  const rows = events.map(({ type, ...data }) => ({ type, version: currentVersion(type), data: JSON.stringify(data) }));
  await transaction.query(
    `insert into control.event (stream, version, type, type_version, data, at_us, actor, reason, request_id)
     select $1, $2::int + place::int, type, type_version, data, $6::bigint, $7, $8, $9
     from unnest($3::text[], $4::int[], $5::jsonb[]) with ordinality as given (type, type_version, data, place)
     order by place`,
    [
      stream,
      expectedVersion,
      rows.map(({ type }) => type),
      rows.map(({ version }) => version),
      rows.map(({ data }) => data),
      origin.atUs,
      origin.actor,
      origin.reason,
      origin.requestId,
    ],
  );
};
