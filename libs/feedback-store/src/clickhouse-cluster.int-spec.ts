import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type OwnClickhouse, ownClickhouse } from '@rampart/test-engines';
import fc from 'fast-check';
import { ClickhouseFeedbackBackup } from './clickhouse-feedback-backup.js';
import { ClickhouseFeedbackStore } from './clickhouse-feedback-store.js';
import { ClickhouseFeedbackViews } from './clickhouse-feedback-views.js';
import { type ClickhouseOptions, ClickhouseServers } from './clickhouse-servers.js';
import { feedbackDeltaContract } from './examples/feedback-delta.contract.js';
import { feedbackErasureContract } from './examples/feedback-erasure.contract.js';
import { feedbackExpiryContract } from './examples/feedback-expiry.contract.js';
import { feedbackStoreContract } from './examples/feedback-store.contract.js';
import { feedbackTimeContract } from './examples/feedback-time.contract.js';
import { feedbackViewsContract } from './examples/feedback-views.contract.js';
import { movedTo, worlds } from './examples/random-worlds.js';
import { comparison, erasure, event, exposure } from './examples/rows.examples.js';
import { MemoryFeedbackStore } from './memory-feedback-store.js';

jest.setTimeout(60_000);

let servers: OwnClickhouse;

beforeAll(async () => {
  servers = await ownClickhouse();
}, 90_000);

afterAll(async () => {
  await servers?.stop();
});

const at = (database: string): ClickhouseOptions => ({ url: servers.url, cluster: servers.cluster, database });

const opened = async (database: string): Promise<ClickhouseFeedbackStore> => {
  const store = new ClickhouseFeedbackStore(at(database));
  await store.prepare();
  return store;
};

const runs = Number(process.env.RAMPART_TEST_RUNS ?? 10);

feedbackStoreContract('two shards of ClickHouse', () => opened('contract'));

feedbackErasureContract('two shards of ClickHouse', () => opened('erasure'));
feedbackExpiryContract('two shards of ClickHouse', () => opened('expiry'));

feedbackDeltaContract('two shards of ClickHouse', {
  create: () => opened('delta'),
  nowUs: Date.now() * 1000,
  numRuns: Math.ceil(runs / 10),
});

// One reading takes a minute here, and is about partitions, not shards: only where more runs are asked for.
if (runs >= 100) feedbackTimeContract('two shards of ClickHouse', () => opened('time'), Math.ceil(runs / 100));

feedbackViewsContract('two shards of ClickHouse', async () => ({ ...at('views'), drop: async () => undefined }));

describe('a cluster', () => {
  const many = Array.from({ length: 40 }, (_, place) => [
    exposure(2 * place + 1, { unit: place + 1, at: 1000, variant: place % 2 === 0 ? 'a' : 'b' }),
    event(2 * place + 2, { unit: place + 1, at: 1010, value: `${place * 1_000_000}` }),
  ]).flat();
  const progress = [{ topic: 'feedback.v1', partition: 0, generation: 0, offset: 9n, knownAtUs: 2000 }];

  it('has the sums of the definition, in any order and any number of times', async () => {
    const store = await opened('worlds');
    let environments = 0;
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const { rows, query, deliveries } = movedTo(`e${++environments}`, world);
        const definition = new MemoryFeedbackStore();
        await definition.insert(rows, []);
        for (const delivery of deliveries)
          await store.insert(
            delivery.flatMap((index) => rows[index] ?? []),
            [],
          );
        expect(await store.sums(query)).toEqual(await definition.sums(query));
      }),
      { numRuns: runs },
    );
    await store.close();
  }, 300_000);

  it('has the rows of a unit on one shard, and of all units on both', async () => {
    const store = await opened('spread');
    const both = new ClickhouseServers(at('spread'));
    await store.insert(many, progress);
    const unitsOn = async (table: string) =>
      Promise.all(
        both.shards.map((shard) => shard.rows<{ unit: string }>(`SELECT DISTINCT toString(unit) AS unit FROM ${table} ORDER BY unit`)),
      );
    const [first = [], second = []] = await unitsOn('feedback');
    expect(first.length + second.length).toBe(40);
    expect(Math.min(first.length, second.length)).toBeGreaterThan(0);
    expect(await unitsOn('exposure')).toEqual([first, second]);
    expect(await unitsOn('exposure_by_unit')).toEqual([first, second]);
    await Promise.all([store.close(), both.close()]);
  });

  it('is held back by a shard that lost its rows, and is another filling', async () => {
    const store = await opened('lost');
    await store.insert(many, progress);
    const filling = await store.identity();
    expect(await store.progress('feedback.v1')).toEqual(progress);
    const [, url = ''] = servers.url.split(',');
    const lost = new ClickhouseFeedbackStore({ url, database: 'lost' });
    await lost.reset();
    expect(await store.identity()).not.toBe(filling);
    expect(await store.progress('feedback.v1')).toEqual([]);
    await Promise.all([store.close(), lost.close()]);
  });

  it('answers nothing rather than a part while a shard is away, and everything when it is back', async () => {
    const store = await opened('away');
    await store.insert(many, progress);
    const query = comparison([{}]);
    const before = await store.sums(query);
    await servers.kill(1);
    await expect(store.sums(query)).rejects.toMatchObject({ name: 'StoreError', retriable: true });
    await expect(store.progress('feedback.v1')).rejects.toMatchObject({ name: 'StoreError', retriable: true });
    const more = many.map((placed) => ({ ...placed, position: placed.position + (1n << 40n) }));
    await expect(store.insert(more, [])).rejects.toMatchObject({ name: 'StoreError', retriable: true });
    await servers.restart(1);
    expect(await store.sums(query)).toEqual(before);
    await store.insert(more, []);
    expect(await store.sums(query)).toEqual(before);
    await store.close();
  });

  it('is restored from a backup of any number of shards into any other: the same sums and duplicates, each unit whole on its shard', async () => {
    const [one = ''] = servers.url.split(',');
    const single = { url: one, database: 'moved_single' };
    const from = await opened('moved_from');
    await from.insert(many, progress);
    // Some of it twice, and one who is erased.
    const later = (placed: (typeof many)[number]) => ({ ...placed, position: placed.position + (1n << 40n) });
    await from.insert(many.slice(0, 30).map(later), []);
    await from.insert([erasure(200, { unit: 40, at: 2000 })], []);
    const query = comparison([{}], { knownUntilUs: 3_000 });
    const expected = await from.sums(query);
    let last: ClickhouseOptions = at('moved_from');
    for (const next of [single, at('moved_to'), at('moved_again')]) {
      const store = new ClickhouseFeedbackStore(next);
      await store.prepare();
      const [old, anew] = [new ClickhouseFeedbackBackup(last, 9), new ClickhouseFeedbackBackup(next, 9)];
      expect([await old.isEmpty(), await anew.isEmpty()]).toEqual([false, true]);
      for await (const { rows, ...table } of old.read()) await anew.write(table, Readable.from(rows));
      expect(await store.sums(query)).toEqual(expected);
      expect(await store.delta([query], 1_005)).toEqual(await from.delta([query], 1_005));
      expect(await store.erasedUnits(query, 0)).toBe(1);
      const views = [new ClickhouseFeedbackViews(at('moved_from')), new ClickhouseFeedbackViews(next)];
      const [before, after] = await Promise.all(views.map((view) => view.duplicates(query)));
      expect(after).toEqual(before);
      expect(before?.duplicates).toBeGreaterThan(0);
      await Promise.all([store, old, anew, ...views].map((each) => each.close()));
      last = next;
    }
    const both = new ClickhouseServers(at('moved_again'));
    const units = await Promise.all(
      both.shards.map((shard) => shard.rows<{ unit: string }>('SELECT DISTINCT toString(unit) AS unit FROM feedback')),
    );
    const names = units.flat().map(({ unit }) => unit);
    expect([names.length, new Set(names).size]).toEqual([39, 39]);
    expect(Math.min(...units.map((each) => each.length))).toBeGreaterThan(0);
    await Promise.all([from.close(), both.close()]);
  });

  it('is refused where addresses and shards do not agree', async () => {
    const [one = ''] = servers.url.split(',');
    const refused = async (options: Partial<ClickhouseOptions>) => {
      const store = new ClickhouseFeedbackStore({ ...at('refused'), ...options });
      return store
        .prepare()
        .then(() => store.identity())
        .finally(() => store.close());
    };
    await expect(refused({ cluster: 'nowhere' })).rejects.toThrow('remote_servers');
    await expect(refused({ url: one })).rejects.toThrow('has 2 shards, and 1 addresses were given');
    await expect(refused({ url: `${one},${one}` })).rejects.toThrow('lead to other servers than the cluster');
    const other = await ownClickhouse();
    const [, theirs = ''] = other.url.split(',');
    // Each of them knows a cluster of this name with two shards, and rows would go to others of these.
    await expect(refused({ url: `${one},${theirs}` }).finally(() => other.stop())).rejects.toThrow(
      'lead to other servers than the cluster',
    );
    expect(() => new ClickhouseServers({ url: servers.url })).toThrow('name of their cluster');
  });
});
