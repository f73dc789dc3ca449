import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { dyingPostgres, type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import type { DataSource, EntityManager } from 'typeorm';
import { eventStoreContract } from './event-store.contract.js';
import { type AppendRequest, EventStoreUnavailable, type StoredEvent } from './event-store.js';
import { appendIn } from './postgres-append.js';
import { connectControlDatabase } from './postgres-data-source.js';
import { explained } from './postgres-errors.js';
import { PostgresEventStore } from './postgres-event-store.js';

let database: FreshDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await freshDatabase();
  dataSource = await connectControlDatabase({ url: database.url });
}, 60_000);

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

const empty = () => dataSource.query('truncate control.event, control.recorded_request, control.checkpoint');

eventStoreContract('PostgreSQL', async () => {
  await empty();
  const stores = [new PostgresEventStore(dataSource, database.url)];
  return {
    store: stores[0] as PostgresEventStore,
    reopened: async () => {
      const store = new PostgresEventStore(dataSource, database.url);
      stores.push(store);
      return store;
    },
    end: async () => {
      await Promise.all(stores.map((store) => store.close()));
    },
  };
});

const event = (name: string) => ({ type: 'ProjectCreated', project: 'p', name, atUs: 0 }) as const;
const request = (stream: string, name: string): AppendRequest => ({
  stream,
  expectedVersion: 0,
  events: [event(name)],
  origin: { atUs: 0, actor: 'tester', reason: null, requestId: null },
});

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  for (const deadline = performance.now() + 10_000; !(await holds()); await sleep(20))
    if (performance.now() > deadline) throw new Error('not within ten seconds');
};

describe('PostgreSQL below the contract', () => {
  beforeEach(empty);

  it('is not available to a transaction whose connection broke between two statements', async () => {
    const broken = (next: (transaction: EntityManager) => Promise<unknown>) =>
      dataSource.transaction(async (transaction) => {
        const [{ pid }] = await transaction.query('select pg_backend_pid() as pid');
        await dataSource.query('select pg_terminate_backend($1)', [pid]);
        await until(async () => (await dataSource.query('select 1 from pg_stat_activity where pid = $1', [pid])).length === 0);
        // Until the client has heard of it, it would be told by the statement itself.
        await until(async () => transaction.queryRunner?.isReleased === true);
        await next(transaction);
      });
    for (const next of [
      (transaction: EntityManager) => transaction.query('select 1'),
      ({ queryRunner }: EntityManager) => queryRunner?.query('select 1') as Promise<unknown>,
    ])
      expect(await broken(next).catch((reason: unknown) => explained(reason))).toBeInstanceOf(EventStoreUnavailable);
  });

  it('gives large events a few at a time, and each of them', async () => {
    const store = new PostgresEventStore(dataSource, database.url);
    // Random, or it would be compressed to nothing.
    const large = () => randomBytes(2 ** 20).toString('hex');
    for (let stream = 0; stream < 6; stream++) await store.append(request(`large/${stream}`, large()));
    const first = await store.readAll(0, 100);
    expect(first.length).toBeLessThan(6);
    const batches: number[] = [];
    const subscription = store.subscribe({
      name: 'reader of large ones',
      handle: async (events) => void batches.push(events.length),
      reset: async () => undefined,
    });
    await subscription.caughtUp();
    expect(batches.length).toBeGreaterThan(1);
    expect(batches.reduce((sum, count) => sum + count, 0)).toBe(6);
    await store.close();
  });

  // Without the lock of an append this fails: the second position is visible before the first, and the reader has passed it.
  it('never shows a later position before an earlier one, however slowly that commits', async () => {
    const store = new PostgresEventStore(dataSource, database.url);
    const seen: StoredEvent[] = [];
    const subscription = store.subscribe({
      name: 'reader',
      handle: async (events) => void seen.push(...events),
      reset: async () => undefined,
    });
    const slow = dataSource.createQueryRunner();
    await slow.startTransaction();
    await appendIn(slow.manager, request('slow', 'first'));
    const quick = store.append(request('quick', 'second'));
    await sleep(150);
    await subscription.caughtUp();
    expect(seen).toEqual([]);
    await slow.commitTransaction();
    await slow.release();
    await quick;
    await subscription.caughtUp();
    expect(seen.map(({ stream }) => stream)).toEqual(['slow', 'quick']);
    await store.close();
  });

  it('writes what a subscriber writes exactly once, also when a batch fails half way', async () => {
    await dataSource.query('create table if not exists control.tally (name text)');
    const store = new PostgresEventStore(dataSource, database.url);
    let failures = 3;
    const subscription = store.subscribe({
      name: 'tally',
      handle: async (events, transaction) => {
        for (const { stream } of events) await transaction.query('insert into control.tally values ($1)', [stream]);
        if (failures-- > 0) throw new Error('half way');
      },
      reset: async (transaction) => transaction.query('delete from control.tally'),
    });
    await store.append(request('a', 'one'));
    await store.append(request('b', 'two'));
    await subscription.caughtUp();
    expect(await dataSource.query('select name from control.tally order by name')).toEqual([{ name: 'a' }, { name: 'b' }]);
    await store.close();
  });

  it('takes over when the connection of its lock is cut', async () => {
    const store = new PostgresEventStore(dataSource, database.url);
    const seen: StoredEvent[] = [];
    const subscription = store.subscribe({
      name: 'cut',
      handle: async (events) => void seen.push(...events),
      reset: async () => undefined,
    });
    await store.append(request('a', 'one'));
    await subscription.caughtUp();
    await dataSource.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rampart cut'");
    await store.append(request('b', 'two'));
    await subscription.caughtUp();
    expect(seen.map(({ stream }) => stream)).toEqual(['a', 'b']);
    await store.close();
  });

  // It looks around twice a second by itself: 100 ms after it last did, only a notification comes within 300 ms.
  it('has no trouble any more when it waits for its turn again after its connection was cut', async () => {
    const [owner, waiting] = [new PostgresEventStore(dataSource, database.url), new PostgresEventStore(dataSource, database.url)];
    try {
      const subscriber = { name: 'both', handle: async () => undefined, reset: async () => undefined };
      const first = owner.subscribe(subscriber);
      await until(async () => first.isOwner());
      const second = waiting.subscribe(subscriber);
      const sessions = () =>
        dataSource.query<{ pid: number; owns: boolean }[]>(
          `select pid, exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'advisory') as owns
         from pg_stat_activity a where application_name = 'rampart both'`,
        );
      await until(async () => (await sessions()).length === 2);
      const cut = (await sessions()).find(({ owns }) => !owns);
      await dataSource.query('select pg_terminate_backend($1)', [cut?.pid]);
      await until(async () => second.trouble() !== undefined);
      await until(async () => second.trouble() === undefined);
      expect([first.isOwner(), second.isOwner()]).toEqual([true, false]);
    } finally {
      await Promise.all([owner.close(), waiting.close()]);
    }
  });

  it('is woken by an append', async () => {
    const store = new PostgresEventStore(dataSource, database.url);
    let handledAt = 0;
    const subscription = store.subscribe({
      name: 'awake',
      handle: async () => {
        handledAt = performance.now();
      },
      reset: async () => undefined,
    });
    const delays: number[] = [];
    for (let version = 0; version < 5; version++) {
      await subscription.caughtUp();
      await sleep(100);
      handledAt = 0;
      const appendedAt = performance.now();
      await store.append({ ...request('a', 'one'), expectedVersion: version });
      while (handledAt === 0) await sleep(5);
      delays.push(handledAt - appendedAt);
    }
    expect(Math.min(...delays)).toBeLessThan(300);
    await store.close();
  });

  it('refuses text that it can\u2019t store as a mistake of the caller', async () => {
    const store = new PostgresEventStore(dataSource, database.url);
    for (const text of ['nul \u0000', 'half \ud800'])
      await expect(store.append(request('a', text))).rejects.toMatchObject({ code: 'text-not-storable' });
  });

  it('migrates once when two processes start together', async () => {
    const fresh = await freshDatabase();
    const sources = await Promise.all([connectControlDatabase({ url: fresh.url }), connectControlDatabase({ url: fresh.url })]);
    expect(await sources[0].query('select count(*)::int as migrations from control.migration')).toEqual([{ migrations: 1 }]);
    await Promise.all(sources.map((source) => source.destroy()));
    await fresh.drop();
  });
});

describe('a database that takes connections and never answers', () => {
  it('is given up: a start says so, and a subscription can be closed', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const url = `postgres://nobody@127.0.0.1:${port}/none`;
    const store = new PostgresEventStore(dataSource, url);
    store.subscribe({ name: 'silent', handle: async () => undefined, reset: async () => undefined });
    await expect(connectControlDatabase({ url })).rejects.toThrow(/timeout/);
    await store.close();
    silent.close();
  }, 15_000);
});

describe('a database that dies as it lets somebody in', () => {
  it('is a start that fails, not the end of the process', async () => {
    const dying = await dyingPostgres();
    await expect(connectControlDatabase({ url: dying.url })).rejects.toThrow('connection error');
    await dying.close();
  });
});
