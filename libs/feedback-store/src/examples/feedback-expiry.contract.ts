/** What every feedback store must do with rows that are old. */
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ComparisonQuery, Expiry, FeedbackStore } from '../feedback-store.js';
import { comparison, event, exposure } from './rows.examples.js';

const DAY = 86_400_000_000;
const at = (days: number): number => days * DAY;

/** @param create  an empty store, prepared */
export const feedbackExpiryContract = (name: string, create: () => Promise<FeedbackStore>): void => {
  describe(`old rows, by ${name}`, () => {
    let store: FeedbackStore;
    beforeEach(async () => {
      if (store === undefined) store = await create();
      else await store.reset();
    });
    afterAll(async () => {
      await store?.close();
    });

    const query = comparison([{ covariate: { lookbackUs: 5 * DAY, whenMissing: 'zero' } }], {
      timeline: [{ segment: 1, fromUs: at(100) }],
      knownUntilUs: at(1000),
    });
    const { project, environment } = query;
    const expiry = (about: Partial<Expiry>): Expiry => ({
      ...{ environments: [{ project, environment }], beforeUs: at(200), open: [], countsBeforeUs: 0, lettersBeforeUs: 0 },
      ...about,
    });
    const rows = [
      exposure(1, { unit: 1, at: at(101) }),
      event(2, { unit: 1, at: at(101) + 1 }),
      event(3, { unit: 1, at: at(97) }),
      event(4, { unit: 2, at: at(50) }),
      exposure(5, { unit: 3, at: at(300) }),
    ];
    const counted = async (of: ComparisonQuery = query) => (await store.sums(of)).population.reduce((units, one) => units + one.units, 0);
    /** A server removes them when it gets round to it. */
    const settled = async (isSo: () => Promise<boolean>) => {
      for (let tries = 0; tries < 200 && !(await isSo()); tries++) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(await isSo()).toBe(true);
    };

    it('go, and what is gone is known', async () => {
      await store.insert(rows, []);
      expect(await store.expiredUntil(query)).toBeNull();
      await store.expire(expiry({}));
      expect(await store.expiredUntil(query)).toBe(at(200));
      await settled(async () => (await counted()) === 1);
    });

    it('stay where an open comparison needs them, as far as it looks back', async () => {
      await store.insert(rows, []);
      const before = await store.sums(query);
      await store.expire(expiry({ open: [query] }));
      // Of five days before its start, and one for clocks.
      expect(await store.expiredUntil(query)).toBe(at(94));
      const other = { ...query, experiment: 'another' };
      expect(await store.expiredUntil(other)).toBe(at(94));
      expect(await store.sums(query)).toEqual(before);
      expect(await counted()).toBe(2);
    });

    it('stay in environments that are not named, and where nothing is asked for', async () => {
      await store.insert(rows, []);
      await store.expire(expiry({ environments: [{ project, environment: 'elsewhere' }] }));
      await store.expire(expiry({ environments: [] }));
      await store.expire(expiry({ beforeUs: null }));
      expect(await store.expiredUntil(query)).toBeNull();
      expect(await counted()).toBe(2);
    });

    it('are remembered as gone until the store is filled anew', async () => {
      await store.insert(rows, []);
      await store.expire(expiry({}));
      await store.expire(expiry({ beforeUs: at(150) }));
      expect(await store.expiredUntil(query)).toBe(at(200));
      await store.reset();
      expect(await store.expiredUntil(query)).toBeNull();
    });
  });
};
