import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DECISIONS, type DecisionRecord, RECORD_PROPOSALS, type RecordedDecision, topicSpecs } from '@rampart/contracts';
import { PostgresEventLog } from '@rampart/event-log/postgres';
import { connectControlDatabase } from '@rampart/event-store';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { eventually } from '../control-plane.examples.js';
import { decisionStream } from '../streams.js';
import { after, aRecord, propose } from './records.examples.js';

const main = join(import.meta.dirname, '..', 'main.js');

let database: FreshDatabase;
let log: PostgresEventLog;
let sql: Awaited<ReturnType<typeof connectControlDatabase>>;
const children: ChildProcess[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  log = new PostgresEventLog({ url: database.url });
  sql = await connectControlDatabase({ url: database.url, entities: [], migrations: [] });
  for (const spec of topicSpecs(1)) await log.createTopic(spec);
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(async () => {
  await log?.close();
  await sql?.destroy();
  await database?.drop();
});

const start = async (): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH,
      RAMPART_DATABASE_URL: database.url,
      RAMPART_SECRET: 'a-platform-secret-for-specs',
      RAMPART_ADMIN_KEY: 'an-admin-key-for-specs',
      RAMPART_PARENT_PIPE: '1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  children.push(child);
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await eventually('it listens', async () => (said.includes('"listening"') ? true : undefined), 20_000);
  return child;
};

const kill = async (child: ChildProcess) => {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
};

const eventsOf = async (record: DecisionRecord): Promise<readonly string[]> => {
  const text = "select data->'record'->>'id' as id from control.event where stream = $1 order by version";
  return (await sql.query<{ id: string }[]>(text, [decisionStream(record)])).map(({ id }) => id);
};
const toldOf = async (experiment: string): Promise<readonly RecordedDecision[]> => {
  const found: RecordedDecision[] = [];
  for await (const { value } of log.readAll(DECISIONS))
    if (value !== null) found.push(JSON.parse(Buffer.from(value).toString('utf8')) as RecordedDecision);
  return found.filter(({ record }) => record.experiment === experiment);
};
const told = (record: DecisionRecord) =>
  eventually(
    'it is told',
    async () => ((await toldOf(record.experiment)).some((decision) => decision.record.id === record.id) ? true : undefined),
    20_000,
  );
const committed = async (): Promise<number> => {
  const text = 'select next_offset from log.group_offset where topic = $1';
  return Number((await sql.query<{ next_offset: string }[]>(text, [RECORD_PROPOSALS]))[0]?.next_offset ?? 0);
};

/** The server does not notice that a waiting client has died, and would commit for it: what it waits to do is ended with it. */
const endWaiting = () =>
  eventually('nobody waits any more', async () => {
    const text = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and wait_event_type = 'Lock' and query like '%group_offset%'`;
    return (await sql.query<unknown[]>(text)).length === 0 ? true : undefined;
  });

const chain = (experiment: string, length: number): readonly DecisionRecord[] => {
  const records = [aRecord({ experiment })];
  for (let newest = records[0]; records.length < length && newest !== undefined; records.push(newest)) newest = after(newest);
  return records;
};

describe('two control planes', () => {
  it('append each proposed record once, in its order, and tell it once', async () => {
    await Promise.all([start(), start()]);
    const records = chain('pair', 12);
    for (const record of records) await propose(log, record, record);
    await told(records.at(-1) as DecisionRecord);
    const ids = records.map(({ id }) => id);
    expect(await eventsOf(records[0] as DecisionRecord)).toEqual(ids);
    expect((await toldOf('pair')).map(({ record, revision }) => [record.id, revision])).toEqual(ids.map((id, index) => [id, index + 1]));
  }, 60_000);

  it('go on when the one that reads is killed', async () => {
    const both = await Promise.all([start(), start()]);
    const records = chain('widow', 6);
    await propose(log, ...records.slice(0, 3));
    await told(records[2] as DecisionRecord);
    await kill(both[0] as ChildProcess);
    await propose(log, ...records.slice(3));
    await told(records.at(-1) as DecisionRecord);
    expect(await eventsOf(records[0] as DecisionRecord)).toEqual(records.map(({ id }) => id));
  }, 60_000);
});

describe('a control plane that is killed after it appended and before it said how far it read', () => {
  it('appends nothing again after its restart, and tells what it had not told', async () => {
    const first = await start();
    const [one, two] = chain('killed', 2) as [DecisionRecord, DecisionRecord];
    await propose(log, one);
    await told(one);
    const before = (await log.offsets(RECORD_PROPOSALS))[0]?.end ?? 0;
    await eventually('all offsets are committed', async () => ((await committed()) === before ? true : undefined));
    // The commit of the offset waits here for ever: the moment between the two, made long.
    const holder = sql.createQueryRunner();
    await holder.startTransaction();
    await holder.query('select from log.group_offset where topic = $1 for update', [RECORD_PROPOSALS]);
    await propose(log, two);
    await eventually('it is appended', async () => ((await eventsOf(one)).length === 2 ? true : undefined));
    await sleep(100);
    await kill(first);
    await endWaiting();
    await holder.rollbackTransaction();
    await holder.release();
    expect(await committed()).toBe(before);
    await start();
    await eventually('it is read again', async () => ((await committed()) > before ? true : undefined), 20_000);
    await told(two);
    expect(await eventsOf(one)).toEqual([one.id, two.id]);
    expect((await toldOf('killed')).map(({ record }) => record.id)).toEqual([one.id, two.id]);
  }, 60_000);
});
