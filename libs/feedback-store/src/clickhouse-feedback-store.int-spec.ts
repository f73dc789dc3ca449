import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FreshClickhouse, freshClickhouse } from '@rampart/test-engines';
import fc from 'fast-check';
import { ClickhouseFeedbackStore } from './clickhouse-feedback-store.js';
import { MemoryFeedbackStore } from './memory-feedback-store.js';
import { type World, worlds } from './random-worlds.js';

let clickhouse: FreshClickhouse;
let store: ClickhouseFeedbackStore;

beforeAll(async () => {
  clickhouse = await freshClickhouse();
  store = new ClickhouseFeedbackStore({ url: clickhouse.url, database: clickhouse.database });
  await store.prepare();
}, 60_000);

afterAll(async () => {
  await store?.close();
  await clickhouse?.drop();
});

let environments = 0;

/** An environment of its own: worlds share tables without seeing each other. */
const apart = ({ rows, query, deliveries }: World): World => {
  const environment = `e${++environments}`;
  return { rows: rows.map((placed) => ({ ...placed, row: { ...placed.row, environment } })), query: { ...query, environment }, deliveries };
};

describe('the sums of ClickHouse', () => {
  it('are those of the definition, in any order, any number of times, before and after merges', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async (random) => {
        const { rows, query, deliveries } = apart(random);
        const model = new MemoryFeedbackStore();
        await model.insert(rows, []);
        const expected = await model.sums(query);
        for (const delivery of deliveries)
          await store.insert(
            delivery.flatMap((index) => rows[index] ?? []),
            [],
          );
        expect(await store.sums(query)).toEqual(expected);
        await store.merge();
        expect(await store.sums(query)).toEqual(expected);
      }),
      { numRuns: Number(process.env.RAMPART_TEST_RUNS ?? 100) },
    );
  }, 600_000);
});
