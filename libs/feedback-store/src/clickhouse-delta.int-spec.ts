import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type FreshClickhouse, freshClickhouse } from '@rampart/test-engines';
import { ClickhouseConnection } from './clickhouse-connection.js';
import { ClickhouseFeedbackStore } from './clickhouse-feedback-store.js';
import { addSums } from './definition/sums-arithmetic.js';
import { feedbackDeltaContract } from './examples/feedback-delta.contract.js';
import { feedbackTimeContract } from './examples/feedback-time.contract.js';
import { comparison, event, exposure } from './examples/rows.examples.js';
import type { ComparisonQuery, PlacedRow } from './feedback-store.js';

jest.setTimeout(60_000);

let clickhouse: FreshClickhouse;
let store: ClickhouseFeedbackStore;

beforeAll(async () => {
  clickhouse = await freshClickhouse();
  store = new ClickhouseFeedbackStore(clickhouse);
  await store.prepare();
}, 60_000);

afterAll(async () => {
  await store?.close();
  await clickhouse?.drop();
});

feedbackDeltaContract('ClickHouse', {
  create: async () => new ClickhouseFeedbackStore(clickhouse),
  nowUs: Date.now() * 1000,
  numRuns: Number(process.env.RAMPART_TEST_RUNS ?? 6),
  settle: () => store.merge(),
});

feedbackTimeContract(
  'ClickHouse',
  async () => new ClickhouseFeedbackStore(clickhouse),
  Math.ceil(Number(process.env.RAMPART_TEST_RUNS ?? 10) / 5),
);

describe('the changes of a store', () => {
  const nowUs = Date.now() * 1000 - 60_000_000;
  const rowsOf = (environment: string): readonly PlacedRow[] =>
    [
      exposure(1, { at: nowUs }),
      exposure(2, { at: nowUs, unit: 2 }),
      event(3, { at: nowUs + 10 }),
      event(4, { at: nowUs + 20, unit: 2, properties: { amount: 1.5 } }),
    ].map((placed) => ({ ...placed, row: { ...placed.row, environment } }));
  const queryOf = (environment: string, knownUntilUs: number, about: Partial<ComparisonQuery> = {}) =>
    comparison([{}, { numerator: { event: 'buy', property: 'amount' } }], { environment, knownUntilUs, ...about });

  const changed = async (
    from: ClickhouseFeedbackStore,
    queryAt: (knownUntilUs: number) => ComparisonQuery,
    sinceUs: number,
    untilUs: number,
  ) => {
    const [delta] = await from.delta([queryAt(untilUs)], sinceUs);
    const recount = await from.sums(queryAt(untilUs));
    expect(addSums(await from.sums(queryAt(sinceUs)), delta ?? recount)).toEqual(recount);
    return recount;
  };

  it('are found in one that was filled before there were deltas', async () => {
    const connection = new ClickhouseConnection({ ...clickhouse, database: `${clickhouse.database}_old` });
    const old = new ClickhouseFeedbackStore({ ...clickhouse, database: `${clickhouse.database}_old` });
    await old.prepare();
    const views = ['exposure_by_unit_of_exposure', 'exposure_time_of_exposure', 'known_hour_of_feedback'];
    for (const table of [...views, 'exposure_by_unit', 'exposure_time', 'known_hour', 'upgrade'])
      await connection.command(`DROP TABLE ${table}`);
    for (const table of ['feedback', 'exposure']) await connection.command(`ALTER TABLE ${table} DROP INDEX known`);
    // Of a version in between.
    await connection.command('CREATE TABLE touched (known_at Int64, scope UInt64, unit UInt128) ENGINE = MergeTree ORDER BY known_at');
    await connection.command('CREATE MATERIALIZED VIEW touched_of_feedback TO touched AS SELECT known_at, scope, unit FROM feedback');
    await old.insert(rowsOf('live'), []);
    await Promise.all([old.prepare(), old.prepare()]);
    const { cells } = await changed(old, (knownUntilUs) => queryOf('live', knownUntilUs), nowUs + 15, nowUs + 110);
    expect(cells[0]?.metrics.map(({ units, sum }) => [units, sum])).toEqual([
      [2, 2_000_000n],
      [2, 1_500_000n],
    ]);
    expect(await connection.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'touched%'")).toEqual([]);
    expect(
      await connection.rows('SELECT table FROM system.data_skipping_indices WHERE database = currentDatabase() ORDER BY table'),
    ).toEqual([{ table: 'exposure' }, { table: 'feedback' }]);
    await connection.command(`DROP DATABASE ${clickhouse.database}_old`);
    await Promise.all([old.close(), connection.close()]);
  });

  it('are found where they lie days back, and in a history', async () => {
    const dayUs = 86_400_000_000;
    const earlier = rowsOf('past').map((placed) => ({
      ...placed,
      knownAtUs: placed.knownAtUs - 3 * dayUs,
      row: { ...placed.row, at: placed.row.at - 3 * dayUs },
    }));
    await store.insert(earlier, []);
    const pastUs = nowUs - 3 * dayUs;
    for (const historical of [false, true]) {
      const queryAt = (knownUntilUs: number) => queryOf('past', knownUntilUs, { historical });
      const { cells } = await changed(store, queryAt, pastUs - 1, pastUs + 110);
      expect(cells[0]?.metrics[0]).toMatchObject({ units: 2, sum: 2_000_000n });
    }
  });

  it('are recounted where too many units changed', async () => {
    const few = new ClickhouseFeedbackStore(clickhouse, { mostChangedUnits: 1 });
    await store.insert(rowsOf('crowd'), []);
    const { cells } = await changed(few, (knownUntilUs) => queryOf('crowd', knownUntilUs), nowUs - 1, nowUs + 110);
    expect(cells[0]?.metrics[0]).toMatchObject({ units: 2 });
    await few.close();
  });

  it('leave no table behind', async () => {
    const connection = new ClickhouseConnection(clickhouse);
    expect(
      await connection.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'look_')"),
    ).toEqual([]);
    await connection.close();
  });
});
