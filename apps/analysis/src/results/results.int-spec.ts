import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ClickhouseFeedbackStore, END_OF_TIME, type FeedbackStore, MemoryFeedbackStore } from '@rampart/feedback-store';
import { type FreshClickhouse, freshClickhouse } from '@rampart/test-engines';
import { comparisonQuery } from '../definitions/definition-in-force.js';
import { sufficientStatistics } from '../figures/arm-sums.js';
import { evidenceDigest } from '../figures/evidence-digest.js';
import { noDuplicates } from '../figures/figures.examples.js';
import { metricResults } from '../figures/metric-results.js';
import { populationOf } from '../figures/population.js';
import { withCapsShown } from '../figures/without-caps.js';
import { dirtyHistory, dirtyRows } from './rows.examples.js';

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

const figuresOf = async (from: FeedbackStore) => {
  const query = comparisonQuery(dirtyHistory, END_OF_TIME);
  const sums = await from.sums(query);
  const population = populationOf(dirtyHistory.experiment, sums, noDuplicates);
  const statistics = sufficientStatistics(query.cells, dirtyHistory.metrics, sums);
  return {
    metrics: await withCapsShown(metricResults(dirtyHistory, query, sums), {
      ...{ definition: dirtyHistory, query, sums },
      sumsOf: (of) => from.sums(of),
    }),
    population,
    digest: evidenceDigest(dirtyHistory, statistics, population.rows),
  };
};

describe('the figures from ClickHouse', () => {
  it('are those of the brute-force store, digest included, also after redelivery in another order', async () => {
    const rows = dirtyRows(500);
    const model = new MemoryFeedbackStore();
    await model.insert(rows, []);
    const expected = await figuresOf(model);
    await store.insert(rows, []);
    expect(await figuresOf(store)).toEqual(expected);
    await store.insert([...rows].reverse(), []);
    expect(await figuresOf(store)).toEqual(expected);
    expect(expected.population.counted).toBe(470);
    expect(expected.metrics[1]?.withoutCaps?.arms.every(({ lowered }) => lowered > 0)).toBe(true);
  }, 60_000);
});
