/** Whole schemas out of PostgreSQL as of one moment, while others write, and back into empty ones. */

import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { CONNECT_WITHIN_MS } from './postgres-data-source.js';

export interface SchemaTable {
  readonly schema: string;
  readonly table: string;
  /** Without those that PostgreSQL computes. */
  readonly columns: readonly string[];
}

export interface TableRows {
  readonly table: SchemaTable;
  /** As COPY writes them in binary. */
  readonly rows: Readable;
}

/** Which migrations have been is of the program that makes the tables, not of what they hold. */
const ownTable = "(n.nspname = 'control' and c.relname = 'migration')";

/** Those that others refer to come first, so that they can be filled in this order. */
const tablesText = `
  select n.nspname as schema, c.relname as table, array_agg(a.attname::text order by a.attnum) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
   where n.nspname = any($1) and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and not ${ownTable}
   group by n.nspname, c.relname, c.oid
   order by (select count(*) from pg_constraint f where f.conrelid = c.oid and f.contype = 'f'), n.nspname, c.relname`;

const opened = async (url: string): Promise<pg.Client> => {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'rampart backup',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
  });
  // The query in hand says it; without a listener it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

const tablesOf = async (client: pg.Client, schemas: readonly string[]): Promise<readonly SchemaTable[]> =>
  (await client.query<SchemaTable>(tablesText, [schemas])).rows;

const quoted = ({ schema, table }: Pick<SchemaTable, 'schema' | 'table'>): string =>
  `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
const listed = ({ columns }: SchemaTable): string => columns.map((column) => pg.escapeIdentifier(column)).join(', ');

/** By what the tables of the schemas were made: rows of one fit only where it is the same. */
export const schemaVersions = async (url: string, schemas: readonly string[]): Promise<readonly string[]> => {
  const client = await opened(url);
  try {
    const { rows: done } = await client.query<{ name: string }>('select name from control.migration order by id');
    const { rows: notes } = await client.query<{ note: string }>(
      'select obj_description(oid) as note from pg_namespace where nspname = any($1) and obj_description(oid) is not null order by nspname',
      [schemas],
    );
    return [...done.map(({ name }) => name), ...notes.map(({ note }) => note)];
  } finally {
    await client.end();
  }
};

/** Every table of the schemas as of the first one's reading. Each must be read to its end before the next. */
export async function* readSchemas(url: string, schemas: readonly string[]): AsyncGenerator<TableRows> {
  const client = await opened(url);
  try {
    await client.query('begin isolation level repeatable read read only');
    for (const table of await tablesOf(client, schemas)) {
      const rows = client.query(copyTo(`copy ${quoted(table)} (${listed(table)}) to stdout (format binary)`));
      yield { table, rows };
    }
    await client.query('commit');
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Which tables have rows, as schema.table. */
export const filledTables = async (url: string, schemas: readonly string[]): Promise<readonly string[]> => {
  const client = await opened(url);
  try {
    return await withRows(client, await tablesOf(client, schemas));
  } finally {
    await client.end();
  }
};

const withRows = async (client: pg.Client, tables: readonly SchemaTable[]): Promise<readonly string[]> => {
  const filled: string[] = [];
  for (const table of tables) {
    const { rows } = await client.query<{ filled: boolean }>(`select exists(select from ${quoted(table)}) as filled`);
    if (rows[0]?.filled === true) filled.push(`${table.schema}.${table.table}`);
  }
  return filled;
};

/** Fills empty tables: all of it or nothing. @throws RangeError where they are not empty */
export const writeSchemas = async (
  url: string,
  schemas: readonly string[],
  tables: AsyncIterable<TableRows> | Iterable<TableRows>,
): Promise<void> => {
  const client = await opened(url);
  try {
    await client.query('begin');
    const there = await tablesOf(client, schemas);
    // Nobody writes into them until they are full.
    for (const table of there) await client.query(`lock table ${quoted(table)} in access exclusive mode`);
    const filled = await withRows(client, there);
    if (filled.length > 0)
      throw new RangeError(`the database is not empty: ${filled.join(', ')} ${filled.length === 1 ? 'has' : 'have'} rows`);
    for await (const { table, rows } of tables)
      await pipeline(rows, client.query(copyFrom(`copy ${quoted(table)} (${listed(table)}) from stdin (format binary)`)));
    for (const table of there) await raiseSequences(client, table);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Numbers that PostgreSQL gives out go on behind those that are there. */
const raiseSequences = async (client: pg.Client, table: SchemaTable): Promise<void> => {
  for (const column of table.columns) {
    const { rows } = await client.query<{ sequence: string | null }>('select pg_get_serial_sequence($1, $2) as sequence', [
      quoted(table),
      column,
    ]);
    const sequence = rows[0]?.sequence;
    if (sequence == null) continue;
    const name = pg.escapeIdentifier(column);
    await client.query(`select setval($1, max(${name})) from ${quoted(table)} having max(${name}) is not null`, [sequence]);
  }
};
