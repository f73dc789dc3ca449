import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import pg from 'pg';
import { readSchemas, type SchemaTable, schemaVersions, writeSchemas } from './postgres-backup.js';
import { connectControlDatabase } from './postgres-data-source.js';
import { PostgresEventStore } from './postgres-event-store.js';

const SCHEMAS = ['control', 'other'];
const origin = { atUs: 1, actor: 'a', reason: null, requestId: null };
const created = (key: string) => ({ type: 'ProjectCreated' as const, project: key, name: `Ünï ${key}\n\\N`, atUs: 7 });

let [source, target]: FreshDatabase[] = [];
let store: PostgresEventStore;

const query = async (of: FreshDatabase | undefined, text: string): Promise<readonly Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: of?.url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
};
// A table that another refers to, though its name comes later; and one that PostgreSQL computes in.
const others = `create schema other;
  create table other.z_parent (name text primary key, bytes bytea, twice int generated always as (7) stored);
  create table other.child (id bigint generated always as identity primary key, parent text not null references other.z_parent)`;

beforeAll(async () => {
  [source, target] = await Promise.all([freshDatabase(), freshDatabase()]);
  for (const one of [source, target]) {
    const dataSource = await connectControlDatabase({ url: one?.url ?? '' });
    if (one === source) store = new PostgresEventStore(dataSource, one?.url ?? '');
    else await dataSource.destroy();
    await query(one, others);
  }
  await query(
    source,
    `insert into other.z_parent values ('p', '\\x00ff'); insert into other.child (parent) select 'p' from generate_series(1, 5)`,
  );
  for (const key of ['one', 'two']) await store.append({ stream: `project/${key}`, expectedVersion: 0, events: [created(key)], origin });
}, 60_000);

afterAll(async () => {
  await store?.close();
  await Promise.all([source?.drop(), target?.drop()]);
});

let late = 0;

const held = async (): Promise<readonly { readonly table: SchemaTable; readonly bytes: Buffer }[]> => {
  const found: { table: SchemaTable; bytes: Buffer }[] = [];
  for await (const { table, rows } of readSchemas(source?.url ?? '', SCHEMAS)) {
    const chunks: Buffer[] = [];
    for await (const chunk of rows) chunks.push(chunk as Buffer);
    // What comes while it is read belongs to another moment.
    await store.append({ stream: `project/late${late++}`, expectedVersion: 0, events: [created('late')], origin });
    found.push({ table, bytes: Buffer.concat(chunks) });
  }
  return found;
};
const rowsOf = (all: Awaited<ReturnType<typeof held>>) => all.map(({ table, bytes }) => ({ table, rows: Readable.from([bytes]) }));

describe('schemas', () => {
  it('are read as of one moment and filled elsewhere, and numbers go on behind them', async () => {
    const expected = await query(source, 'select * from control.event order by position');
    await writeSchemas(target?.url ?? '', SCHEMAS, rowsOf(await held()));
    expect(await query(target, 'select * from control.event order by position')).toEqual(expected);
    expect(await query(target, "select name, encode(bytes, 'hex') as bytes, twice from other.z_parent")).toEqual([
      { name: 'p', bytes: '00ff', twice: 7 },
    ]);
    expect(await query(target, "insert into other.child (parent) values ('p') returning id")).toEqual([{ id: '6' }]);
    expect(await schemaVersions(target?.url ?? '', SCHEMAS)).toEqual(await schemaVersions(source?.url ?? '', SCHEMAS));
    expect(await schemaVersions(target?.url ?? '', SCHEMAS)).not.toEqual([]);
  });

  it('that are not empty take nothing', async () => {
    const before = await query(target, 'select count(*) from control.event');
    await expect(writeSchemas(target?.url ?? '', SCHEMAS, rowsOf(await held()))).rejects.toThrow('is not empty: control.event');
    expect(await query(target, 'select count(*) from control.event')).toEqual(before);
  });

  it('take all or nothing', async () => {
    const third = await freshDatabase();
    const dataSource = await connectControlDatabase({ url: third.url });
    await dataSource.destroy();
    await query(third, others);
    const all = await held();
    const broken = all.map(({ table, bytes }) => ({
      table,
      bytes: table.table === 'z_parent' ? bytes : bytes.subarray(0, bytes.byteLength - 3),
    }));
    await expect(writeSchemas(third.url, SCHEMAS, rowsOf(broken))).rejects.toThrow();
    expect(await query(third, 'select from other.z_parent')).toEqual([]);
    await third.drop();
  });
});
