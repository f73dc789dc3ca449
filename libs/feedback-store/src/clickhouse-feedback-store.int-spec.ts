import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type FreshClickhouse, freshClickhouse } from '@rampart/test-engines';
import fc from 'fast-check';
import { ClickhouseConnection } from './clickhouse-connection.js';
import { ClickhouseFeedbackStore } from './clickhouse-feedback-store.js';
import { feedbackErasureContract } from './examples/feedback-erasure.contract.js';
import { feedbackExpiryContract } from './examples/feedback-expiry.contract.js';
import { feedbackStoreContract } from './examples/feedback-store.contract.js';
import { movedTo, type World, worlds } from './examples/random-worlds.js';
import { comparison, erasure, event, exposure } from './examples/rows.examples.js';
import type { ComparisonQuery, ComparisonSums, PlacedRow } from './feedback-store.js';
import { MemoryFeedbackStore } from './memory-feedback-store.js';

jest.setTimeout(60_000);

let clickhouse: FreshClickhouse;
let store: ClickhouseFeedbackStore;
let connection: ClickhouseConnection;

beforeAll(async () => {
  clickhouse = await freshClickhouse();
  store = new ClickhouseFeedbackStore(clickhouse);
  connection = new ClickhouseConnection(clickhouse);
  await store.prepare();
}, 60_000);

afterAll(async () => {
  await connection?.command(`DROP DATABASE IF EXISTS ${clickhouse.database}_contract`, { inDatabase: false });
  await store?.close();
  await connection?.close();
  await clickhouse?.drop();
});

/** One after the other: they share a database. */
const emptied = async (): Promise<ClickhouseFeedbackStore> => {
  const own = new ClickhouseFeedbackStore({ ...clickhouse, database: `${clickhouse.database}_contract` });
  await own.reset();
  return own;
};

feedbackStoreContract('ClickHouse', emptied);
feedbackErasureContract('ClickHouse', emptied);
feedbackExpiryContract('ClickHouse', emptied);

const UNKNOWN_DATABASE = 81;
let environments = 0;

const apart = (world: World): World => movedTo(`e${++environments}`, world);

const insertApart = async ({ rows, deliveries }: World): Promise<void> => {
  for (const delivery of deliveries)
    await store.insert(
      delivery.flatMap((index) => rows[index] ?? []),
      [],
    );
};

/** Each costs two statements of some 0.2 s: enough for every commit; RAMPART_TEST_RUNS=1000 for a change of the statement. */
const numRuns = Number(process.env.RAMPART_TEST_RUNS ?? 40);

describe('the sums of ClickHouse', () => {
  const seen: { query: ComparisonQuery; expected: ComparisonSums }[] = [];

  it('are those of the definition, in any order and any number of times', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async (random) => {
        const world = apart(random);
        const definition = new MemoryFeedbackStore();
        await definition.insert(world.rows, []);
        const expected = await definition.sums(world.query);
        await insertApart(world);
        expect(await store.sums(world.query)).toEqual(expected);
        if (world.query.metrics.some(({ definition: { type } }) => type === 'quantile')) {
          for (const quantilesByStratum of world.query.strata === undefined ? [false] : [false, true]) {
            const asked = { ...world.query, quantiles: true, quantilesByStratum, quantileLadder: !quantilesByStratum };
            expect(await store.sums(asked)).toEqual(await definition.sums(asked));
            expect(await store.quantiles(asked)).toEqual(await definition.quantiles(asked));
          }
        }
        if (world.query.strata !== undefined && 'property' in world.query.strata) {
          const { property } = world.query.strata;
          expect(await store.strata(world.query, property, 3)).toEqual(await definition.strata(world.query, property, 3));
        }
        seen.push({ query: world.query, expected });
      }),
      { numRuns },
    );
  }, 600_000);

  it('were asked for every type of metric, live and historical', () => {
    const types = new Set(seen.flatMap(({ query }) => query.metrics.map(({ definition }) => definition.type)));
    expect([...types].sort()).toEqual(['count', 'first-error', 'funnel', 'mean', 'proportion', 'quantile', 'ratio', 'retention']);
    expect(new Set(seen.map(({ query }) => query.historical)).size).toBe(2);
    expect(new Set(seen.map(({ query }) => query.loggedUntilUs === undefined)).size).toBe(2);
    expect(new Set(seen.map(({ query }) => query.multipleExposure)).size).toBe(2);
    expect(new Set(seen.map(({ query }) => query.strata === undefined)).size).toBe(2);
  });

  it('are the same after merges', async () => {
    await store.merge();
    expect(seen.length).toBeGreaterThan(0);
    for (const { query, expected } of seen) expect(await store.sums(query)).toEqual(expected);
  }, 300_000);

  it('hold for more metrics than one statement has flags for', async () => {
    const rows = [exposure(1, { at: 1000 }), event(2, { at: 1010 })].map((placed) => ({
      ...placed,
      row: { ...placed.row, environment: 'many' },
    }));
    await store.insert(rows, []);
    const metrics = Array.from({ length: 30 }, (_, index) => ({ windowUs: index < 11 ? index + 1 : 100 + index }));
    const { cells } = await store.sums(comparison(metrics, { environment: 'many' }));
    expect(cells[0]?.metrics.map(({ sum }) => Number(sum))).toEqual(Array.from({ length: 30 }, (_, index) => (index < 10 ? 0 : 1_000_000)));
  });
});

describe('an erasure', () => {
  it('that the engine refuses may be tried again, whatever it says: it is no row to be left out', async () => {
    const nowhere = new ClickhouseFeedbackStore({ ...clickhouse, database: `${clickhouse.database}_nowhere` });
    try {
      const erasing = nowhere.insert([erasure(5)], []);
      await expect(erasing).rejects.toMatchObject({ retriable: true, code: UNKNOWN_DATABASE });
    } finally {
      await nowhere.close();
    }
  });
});

describe('preparing', () => {
  it('makes what is missing, of tables and of views', async () => {
    const gone = ['known_hour_of_feedback', 'ingest_count'];
    const there = async () =>
      (await connection.rows<{ name: string }>('SELECT name FROM system.tables WHERE database = currentDatabase()'))
        .map(({ name }) => name)
        .filter((name) => gone.includes(name));
    expect(await there()).toHaveLength(2);
    await connection.command('DROP VIEW known_hour_of_feedback SYNC');
    await connection.command('DROP TABLE ingest_count SYNC');
    expect(await there()).toEqual([]);
    await store.prepare();
    expect(await there()).toHaveLength(2);
  });
});

describe('a query', () => {
  it('never runs compiled expressions, which are wrong for Int128', async () => {
    const asked = "SELECT toString(value) AS value FROM system.settings WHERE name = 'compile_expressions'";
    expect(await connection.rows(asked)).toEqual([{ value: '0' }]);
    const least =
      'SELECT toString(greatest(toInt128(number), toInt128(-50))) AS least FROM numbers(2) SETTINGS min_count_to_compile_expression = 0';
    for (let run = 0; run < 5; run++) expect(await connection.rows(least)).toEqual([{ least: '0' }, { least: '1' }]);
  });

  it('is refused beyond its memory, and the next one answers', async () => {
    const small = new ClickhouseConnection({ ...clickhouse, maxMemoryBytes: 20_000_000 });
    const large = 'SELECT length(groupArray(toString(number))) AS n FROM numbers(5000000)';
    await expect(small.rows(large)).rejects.toMatchObject({ name: 'StoreError', retriable: true, code: 241 });
    expect(await small.rows('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await small.close();
  });
});

describe('an insert', () => {
  const refused = async (rows: readonly PlacedRow[]): Promise<Error> => {
    try {
      await store.insert(rows, []);
    } catch (error) {
      if (error instanceof Error) return error;
    }
    throw new Error('was not refused');
  };

  it('that a rule of the table refuses is final, and its error quotes no row', async () => {
    await connection.command('ALTER TABLE feedback ADD CONSTRAINT no_thirteen CHECK ifNull(value, 0) != 13');
    try {
      const error = await refused([event(1, { at: 1, value: '13', properties: { secret: 'personal' } })]);
      expect(error).toMatchObject({ name: 'StoreError', retriable: false });
      expect(error.message).not.toMatch(/personal|13/);
    } finally {
      await connection.command('ALTER TABLE feedback DROP CONSTRAINT no_thirteen');
    }
  });

  it('with a value beyond an Int64 is final: it is never cut off', async () => {
    expect(await refused([event(1, { value: '9223372036854775808' })])).toMatchObject({ name: 'StoreError', retriable: false });
  });

  it('that does not reach the server may be tried again', async () => {
    const nowhere = new ClickhouseFeedbackStore({ url: 'http://127.0.0.1:1', database: 'nowhere' });
    await expect(nowhere.insert([event(1)], [])).rejects.toMatchObject({ name: 'StoreError', retriable: true });
    await expect(nowhere.progress('feedback.v1')).rejects.toMatchObject({ name: 'StoreError', retriable: true });
    await nowhere.close();
  });

  it('into a table that is not there may be tried again: no row is to blame', async () => {
    const unprepared = new ClickhouseFeedbackStore({ url: clickhouse.url, database: `${clickhouse.database}_none` });
    await expect(unprepared.insert([event(1)], [])).rejects.toMatchObject({ retriable: true });
    await unprepared.close();
  });
});
