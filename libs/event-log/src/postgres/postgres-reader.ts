/** The reading side: messages and offsets of a topic over a given connection. */
import pg from 'pg';
import type { LogMessage, PartitionOffsets } from '../event-log.js';
import { positionOf } from '../positions.js';
import { eachRow } from './postgres-copy.js';

export interface ReadFrom {
  readonly topic: string;
  readonly compacted: boolean;
  readonly partition: number;
  readonly offset: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
}

const noHeaders = Object.freeze({});

/**
 * COPY takes no parameters. octet_length reads no value: only those below the limit are fetched from where long values lie.
 * A message without value has no length and must count as 0: as null it would pass the limit, and what lies before it would be left out.
 */
const selection = ({ topic, compacted, partition, offset, maxMessages, maxBytes }: ReadFrom): string =>
  `select "offset", generation, known_us, appended_us, key, headers, value from (
    select *, sum(coalesce(octet_length(value), 0)) over (order by "offset") - coalesce(octet_length(value), 0) as before
      from ${compacted ? 'log.compacted' : 'log.message'}
     where topic = ${pg.escapeLiteral(topic)} and partition = ${Math.trunc(partition)} and "offset" >= ${Math.trunc(offset)}
     order by "offset" limit ${Math.trunc(maxMessages)}
  ) m where before < ${Math.trunc(maxBytes)} order by "offset"`;

export const readMessages = async (
  copy: (select: string) => Promise<readonly Buffer[]>,
  from: ReadFrom,
): Promise<readonly LogMessage[]> => {
  const messages: LogMessage[] = [];
  eachRow(await copy(selection(from)), ([at, generation, knownAtUs, appendedAtUs, key, headers, value]) => {
    const offset = bigintOf(at);
    messages.push({
      offset,
      position: positionOf(generation?.readInt32BE() ?? 0, offset),
      knownAtUs: bigintOf(knownAtUs),
      appendedAtUs: bigintOf(appendedAtUs),
      key: key?.toString() ?? null,
      headers: headers ? JSON.parse(headers.toString()) : noHeaders,
      value: value ?? null,
    });
  });
  return messages;
};

/** A bigint column that is a safe integer. */
const bigintOf = (column: Buffer | null | undefined): number =>
  column ? column.readInt32BE(0) * 2 ** 32 + column.readUInt32BE(4) : Number.NaN;

/** One row per partition of a topic, in order. */
export const offsetsText = `
  select p.partition, p.next_offset as end, coalesce(
    case when t.compacted then (select min("offset") from log.compacted m where m.topic = p.topic and m.partition = p.partition)
    else (select min("offset") from log.message m where m.topic = p.topic and m.partition = p.partition) end, p.next_offset) as earliest
  from log.partition p join log.topic t using (topic) where p.topic = $1 order by p.partition`;

export const offsetsOf = (rows: readonly { partition: number; end: string; earliest: string }[]): readonly PartitionOffsets[] =>
  rows.map(({ partition, end, earliest }) => ({ partition, end: Number(end), earliest: Number(earliest) }));

export const readOffsets = async (
  client: { query(statement: pg.QueryConfig): Promise<pg.QueryResult> },
  topic: string,
): Promise<readonly PartitionOffsets[]> =>
  offsetsOf((await client.query({ name: 'rampart-log-offsets', text: offsetsText, values: [topic] })).rows);
