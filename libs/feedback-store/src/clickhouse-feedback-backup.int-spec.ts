import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type FreshClickhouse, freshClickhouse } from '@rampart/test-engines';
import { ClickhouseFeedbackBackup, type StoreTable } from './clickhouse-feedback-backup.js';
import { ClickhouseFeedbackStore } from './clickhouse-feedback-store.js';
import { ClickhouseFeedbackViews } from './clickhouse-feedback-views.js';
import { comparison, event, exposure } from './examples/rows.examples.js';

jest.setTimeout(60_000);

let [from, to]: FreshClickhouse[] = [];

beforeAll(async () => {
  [from, to] = await Promise.all([freshClickhouse(), freshClickhouse()]);
});
afterAll(() => Promise.all([from?.drop(), to?.drop()]));

const optionsOf = (one: FreshClickhouse | undefined) => ({ url: one?.url ?? '', database: one?.database ?? '' });

describe('the rows of the store', () => {
  it('are read in pieces and filled into an empty one: the same sums, whole and as what changed since, and the same duplicates', async () => {
    const rows = Array.from({ length: 200 }, (_, unit) => [
      exposure(3 * unit, { unit: unit * unit + 1, at: 1000 + unit, variant: unit % 2 === 0 ? 'a' : 'b' }),
      event(3 * unit + 1, { unit: unit * unit + 1, at: 1010 + unit, value: `${unit * 1_000_000}` }),
      event(3 * unit + 2, { unit: unit * unit + 1, at: 1011 + unit, name: `other ${unit % 3}` }),
    ]).flat();
    const store = new ClickhouseFeedbackStore(optionsOf(from));
    await store.prepare();
    await store.insert(rows, []);
    // Some of it twice: merges may drop one of them, and what counts duplicates must outlive that.
    await store.insert(
      rows.slice(0, 90).map((row) => ({ ...row, position: row.position + (5_000n << 12n) })),
      [],
    );
    const [old, backup] = [new ClickhouseFeedbackBackup(optionsOf(from), 7), new ClickhouseFeedbackBackup(optionsOf(to), 7)];
    const restored = new ClickhouseFeedbackStore(optionsOf(to));
    await restored.prepare();
    expect([await old.isEmpty(), await backup.isEmpty()]).toEqual([false, true]);
    let pieces = 0;
    const kept: { readonly table: StoreTable; readonly bytes: Buffer }[] = [];
    for await (const { table, columns, rows: found } of old.read()) {
      const chunks: Buffer[] = [];
      for await (const piece of found) chunks.push(piece);
      pieces += chunks.length;
      kept.push({ table: { table, columns }, bytes: Buffer.concat(chunks) });
    }
    expect(pieces).toBeGreaterThan(60);
    for (const { table, bytes } of kept) await backup.write(table, Readable.from([bytes]));
    expect(await backup.isEmpty()).toBe(false);
    const query = comparison([{}], { knownUntilUs: 1_400 });
    expect(await restored.sums(query)).toEqual(await store.sums(query));
    expect(await restored.delta([query], 1_100)).toEqual(await store.delta([query], 1_100));
    const views = [new ClickhouseFeedbackViews(optionsOf(from)), new ClickhouseFeedbackViews(optionsOf(to))];
    const [before, after] = await Promise.all(views.map((one) => one.duplicates(query)));
    expect(after).toEqual(before);
    expect(before?.duplicates).toBeGreaterThan(0);
    await Promise.all([store, restored, old, backup, ...views].map((one) => one.close()));
  });
});
