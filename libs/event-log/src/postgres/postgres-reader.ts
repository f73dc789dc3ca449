/** The reading side: messages and offsets of a topic over a given connection. */
import type pg from 'pg';
import type { LogMessage, PartitionOffsets } from '../event-log.js';
import { positionOf } from '../positions.js';

export interface ReadFrom {
  readonly topic: string;
  readonly compacted: boolean;
  readonly partition: number;
  readonly offset: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** A session, or a client in whose hands nothing else is. */
export interface Queryable {
  query(statement: pg.QueryConfig): Promise<pg.QueryResult>;
}

export interface GenerationMessage extends LogMessage {
  readonly generation: number;
}

const noHeaders = Object.freeze({});
const tableOf = (compacted: boolean): string => (compacted ? 'log.compacted' : 'log.message');

// octet_length reads no value: only those below the limit are fetched from where long values lie.
const readStatement = (compacted: boolean) => ({
  name: `rampart-log-read-${compacted ? 'compacted' : 'plain'}`,
  text: `select "offset", generation, known_us, appended_us, key, headers, value from (
    select *, sum(octet_length(value)) over (order by "offset") - octet_length(value) as before from ${tableOf(compacted)}
    where topic = $1 and partition = $2 and "offset" >= $3 order by "offset" limit $4
  ) m where before is null or before < $5 order by "offset"`,
});
const plainStatement = readStatement(false);
const compactedStatement = readStatement(true);

export const readMessages = async (
  client: Queryable,
  { topic, compacted, partition, offset, maxMessages, maxBytes }: ReadFrom,
): Promise<readonly GenerationMessage[]> => {
  const statement = compacted ? compactedStatement : plainStatement;
  const { rows } = await client.query({ ...statement, values: [topic, partition, offset, maxMessages, maxBytes] });
  return rows.map((row) => ({
    offset: Number(row.offset),
    generation: row.generation,
    position: positionOf(row.generation, Number(row.offset)),
    knownAtUs: Number(row.known_us),
    appendedAtUs: Number(row.appended_us),
    key: row.key,
    headers: row.headers === null ? noHeaders : JSON.parse(row.headers),
    value: row.value,
  }));
};

/** One row per partition of a topic, in order. */
export const offsetsText = `
  select p.partition, p.next_offset as end, coalesce(
    case when t.compacted then (select min("offset") from log.compacted m where m.topic = p.topic and m.partition = p.partition)
    else (select min("offset") from log.message m where m.topic = p.topic and m.partition = p.partition) end, p.next_offset) as earliest
  from log.partition p join log.topic t using (topic) where p.topic = $1 order by p.partition`;

export const offsetsOf = (rows: readonly { partition: number; end: string; earliest: string }[]): readonly PartitionOffsets[] =>
  rows.map(({ partition, end, earliest }) => ({ partition, end: Number(end), earliest: Number(earliest) }));

export const readOffsets = async (client: Queryable, topic: string): Promise<readonly PartitionOffsets[]> =>
  offsetsOf((await client.query({ name: 'rampart-log-offsets', text: offsetsText, values: [topic] })).rows);
