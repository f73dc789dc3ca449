/** What every feedback store must do when a unit is erased. */
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FeedbackStore, PlacedRow } from '../feedback-store.js';
import { comparison, erasure, event, exposure } from './rows.examples.js';

/** @param create  an empty store, prepared */
export const feedbackErasureContract = (name: string, create: () => Promise<FeedbackStore>): void => {
  describe(`the erasure of a unit, by ${name}`, () => {
    let store: FeedbackStore;

    beforeEach(async () => {
      if (store === undefined) store = await create();
      else await store.reset();
    });

    afterAll(async () => {
      await store?.close();
    });

    const query = comparison([{}]);
    const ofUnit = (unit: number, first: number): readonly PlacedRow[] => [
      exposure(first, { unit, at: 1000 }),
      event(first + 1, { unit, at: 1010 }),
      exposure(first + 2, { unit, at: 1000, name: 'other' }),
    ];
    const world = [...ofUnit(1, 1), ...ofUnit(2, 4), ...ofUnit(3, 7)];
    const anew = [
      exposure(21, { unit: 2, at: 3000, id: 'exposure-4' }),
      event(22, { unit: 2, at: 3010, value: '5000000', id: 'metric-5' }),
    ];

    it('leaves the sums of a world that never had its rows', async () => {
      await store.insert(ofUnit(1, 1), []);
      await store.insert(ofUnit(3, 7), []);
      const without = await store.sums(query);
      await store.reset();
      await store.insert(world, []);
      expect(await store.sums(query)).not.toEqual(without);
      await store.insert([erasure(20, { unit: 2, at: 2000 })], []);
      expect(await store.sums(query)).toEqual(without);
    });

    it('lets what comes after it count anew, also under the ids of before, in one batch or several', async () => {
      const rows = [...world, erasure(20, { unit: 2, at: 2000 }), ...anew];
      for (const cut of [rows.length, world.length, world.length + 1]) {
        await store.reset();
        await store.insert(rows.slice(0, cut), []);
        await store.insert(rows.slice(cut), []);
        const { cells, population } = await store.sums(query);
        expect(cells[0]?.metrics[0]).toMatchObject({ units: 3, sum: 7_000_000n });
        expect(population).toEqual([{ cell: 0, segment: 1, kind: 'counted', units: 3 }]);
      }
    });

    it('is the same when the log is read again, from the start or from the middle', async () => {
      const rows = [...world, erasure(20, { unit: 2, at: 2000 }), ...anew];
      await store.insert(rows, []);
      const sums = await store.sums(query);
      for (const from of [0, 4, world.length]) {
        await store.insert(rows.slice(from), []);
        expect(await store.sums(query)).toEqual(sums);
      }
      expect(await store.erasedUnits(query, 1999)).toBe(1);
    });

    it('is of one environment, and of nobody else', async () => {
      await store.insert(world, []);
      const before = await store.sums(query);
      await store.insert([erasure(20, { unit: 2, at: 2000, environment: 'staging' }), erasure(21, { unit: 9, at: 2001 })], []);
      expect(await store.sums(query)).toEqual(before);
      expect([await store.erasedUnits(query, 0), await store.lastErasureUs()]).toEqual([0, null]);
    });

    it('is told to whoever asks as of before it, by the comparisons that lost a unit', async () => {
      await store.insert([...world, event(10, { unit: 4, at: 1000 })], []);
      await store.insert([erasure(20, { unit: 2, at: 2000 }), erasure(21, { unit: 3, at: 2001 }), erasure(22, { unit: 4, at: 2002 })], []);
      const since = (atUs: number) => store.erasedUnits(query, atUs);
      expect([await since(1999), await since(2000), await since(2001)]).toEqual([2, 1, 0]);
      expect(await store.erasedUnits({ ...query, experiment: 'nobody-knows' }, 0)).toBe(0);
      expect(await store.lastErasureUs()).toBe(2002);
    });

    it('is outlived by rows of before that somebody inserts after it, until it is repeated behind them', async () => {
      const [first, second, elsewhere] = [
        erasure(20, { unit: 2, at: 2000 }),
        erasure(21, { unit: 3, at: 2001 }),
        erasure(20, { unit: 2, at: 2000, environment: 'staging' }),
      ];
      const all = [first, second, elsewhere, erasure(23, { unit: 9, at: 2003 })];
      expect(await store.outlived(all)).toEqual([]);
      await store.insert([...world, first, second, elsewhere], []);
      await store.insert(anew, []);
      expect(await store.outlived(all)).toEqual([]);
      for (const late of ofUnit(2, 4)) {
        await store.insert([late], []);
        expect(await store.outlived(all)).toEqual([first]);
        await store.insert([erasure(30, { unit: 2, at: 4000 })], []);
        expect(await store.outlived([...all, erasure(30, { unit: 2, at: 4000 })])).toEqual([]);
      }
    });

    it('moves a delta only by what came since', async () => {
      await store.insert([...world, erasure(20, { unit: 2, at: 2000 })], []);
      const [delta] = await store.delta([{ ...query, knownUntilUs: 4000 }], 2000);
      expect(delta?.population.every(({ units }) => units === 0) ?? true).toBe(true);
    });
  });
};
