import { rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FreshClickhouse, freshClickhouse } from '@rampart/test-engines';
import { ClickhouseConnection } from './clickhouse-connection.js';
import { ClickhouseFeedbackStore } from './clickhouse-feedback-store.js';
import { comparison, event, exposure } from './examples/rows.examples.js';
import type { ComparisonSums } from './feedback-store.js';

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
  await store?.close();
  await connection?.close();
  await clickhouse?.drop();
});

const KNOWN = 5_000;
const query = comparison([{}], { environment: 'damaged', knownUntilUs: KNOWN });
const fill = async () => {
  for (let unit = 1; unit <= 4; unit++) {
    const rows = [exposure(unit * 2, { at: 1_000, unit }), event(unit * 2 + 1, { at: 1_010, unit })];
    await store.insert(
      rows.map((placed) => ({ ...placed, row: { ...placed.row, environment: 'damaged' } })),
      [],
    );
  }
};

/** As a full disk leaves a merged part: its files are there and empty. */
const damage = async (): Promise<void> => {
  await connection.command('OPTIMIZE TABLE feedback FINAL');
  const parts = await connection.rows<{ path: string }>(
    "SELECT path FROM system.parts WHERE database = currentDatabase() AND table = 'feedback' AND active",
  );
  expect(parts).toHaveLength(1);
  for (const file of ['data.cmrk4', 'columns.txt', 'checksums.txt']) truncateSync(join(parts[0]?.path ?? '', file));
  await connection.command('SYSTEM DROP MARK CACHE', { inDatabase: false });
};
const aside = () => connection.rows('SELECT name FROM system.detached_parts WHERE database = currentDatabase()');

describe('a part that a full disk left damaged', () => {
  let whole: ComparisonSums;

  it('is given up for those that it was merged from: the sums are what they were', async () => {
    await fill();
    whole = await store.sums(query);
    expect(whole.cells[0]?.metrics[0]).toMatchObject({ units: 4 });
    expect(await store.mend()).toEqual([]);
    await damage();
    await expect(store.sums(query)).rejects.toMatchObject({ code: 246, retriable: true });
    expect(await store.mend()).toEqual([]);
    expect(await store.sums(query)).toEqual(whole);
    expect(await aside()).toEqual([]);
  }, 60_000);

  it('is told of, again and again, where those are gone', async () => {
    await damage();
    await expect(store.sums(query)).rejects.toMatchObject({ code: 246 });
    const sources = await connection.rows<{ path: string }>(
      "SELECT path FROM system.parts WHERE database = currentDatabase() AND table = 'feedback' AND NOT active",
    );
    for (const { path } of sources) rmSync(path, { recursive: true });
    const missing = [expect.stringMatching(/damaged part of \w+\.feedback aside \(broken-on-start_all_\w+\).*rebuild/)];
    expect(await store.mend()).toEqual(missing);
    expect(await store.mend()).toEqual(missing);
    // What fills the store anew ends it.
    await store.reset();
    await store.prepare();
    await fill();
    expect(await store.mend()).toEqual([]);
    expect(await store.sums(query)).toEqual(whole);
  }, 60_000);

  it('whose table a process had taken out when it died is put in again', async () => {
    await connection.command('DETACH TABLE feedback');
    await expect(store.sums(query)).rejects.toMatchObject({ code: 60, retriable: true });
    expect(await store.mend()).toEqual([]);
    expect(await store.sums(query)).toEqual(whole);
  }, 60_000);

  it('whose table was taken out is put in by the next start', async () => {
    await connection.command('DETACH TABLE exposure');
    await store.prepare();
    expect(await store.sums(query)).toEqual(whole);
  }, 60_000);
});
