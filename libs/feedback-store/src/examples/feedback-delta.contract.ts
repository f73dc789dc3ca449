/** What every feedback store must do when it is asked what has changed. */
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addSums } from '../definition/sums-arithmetic.js';
import type { ComparisonQuery, ComparisonSums, FeedbackStore, PlacedRow } from '../feedback-store.js';
import { MemoryFeedbackStore } from '../memory-feedback-store.js';
import { shifted, type Watched, watchedWorlds } from './random-worlds.js';
import { comparison, event, exposure } from './rows.examples.js';

export interface DeltaContract {
  readonly create: () => Promise<FeedbackStore>;
  /** Rows of long ago may be counted in another way than those of now. */
  readonly nowUs: number;
  readonly numRuns: number;
  /** After the chains: merges, where there are any. */
  readonly settle?: () => Promise<void>;
}

export const feedbackDeltaContract = (name: string, { create, nowUs, numRuns, settle }: DeltaContract): void => {
  describe(`the deltas of a feedback store, by ${name}`, () => {
    let store: FeedbackStore;
    const begunUs = nowUs - 1_000_000_000;

    beforeEach(async () => {
      store ??= await create();
    });

    afterAll(async () => {
      await store?.close();
    });

    let environments = 0;
    const inEnvironment = <T extends { readonly environment: string }>(of: T): T => ({ ...of, environment: `delta${environments}` });
    const insert = (rows: readonly PlacedRow[]) =>
      store.insert(
        rows.map((placed) => ({
          ...placed,
          knownAtUs: placed.knownAtUs + begunUs,
          row: inEnvironment({ ...placed.row, at: placed.row.at + begunUs }),
        })),
        [],
      );
    const ask = (about: Partial<ComparisonQuery> & { readonly knownUntilUs: number }, metrics = [{}] as Parameters<typeof comparison>[0]) =>
      inEnvironment(comparison(metrics, { ...about, knownUntilUs: about.knownUntilUs + begunUs }));
    /** Base at `since` plus what changed is what a recount at `until` says. */
    const changes = async (queryAt: (knownUntilUs: number) => ComparisonQuery, since: number, until: number): Promise<ComparisonSums> => {
      const [delta] = await store.delta([queryAt(until)], since + begunUs);
      if (delta === undefined) throw new Error('one query, no delta');
      expect(addSums(await store.sums(queryAt(since)), delta)).toEqual(await store.sums(queryAt(until)));
      return delta;
    };

    beforeEach(() => {
      environments++;
    });

    it('is nothing where nothing came and nothing closed', async () => {
      await insert([exposure(1, { at: 1000 }), event(2, { at: 1010 })]);
      const delta = await changes((knownUntilUs) => ask({ knownUntilUs }), 1020, 1109);
      expect(delta).toEqual({ cells: [], population: [], lateExposures: 0, crossedLate: 0 });
    });

    it('closes a unit exactly at its close, without a row in between', async () => {
      await insert([exposure(1, { at: 1000 }), event(2, { at: 1010 })]);
      const delta = await changes((knownUntilUs) => ask({ knownUntilUs }), 1109, 1110);
      expect(delta.cells[0]?.metrics[0]).toMatchObject({ units: 1, openUnits: -1, sum: 1_000_000n });
      expect((await changes((knownUntilUs) => ask({ knownUntilUs }), 1110, 1111)).cells).toEqual([]);
    });

    it('closes each metric of a unit in its own time', async () => {
      await insert([exposure(1, { at: 1000 }), event(2, { at: 1010 })]);
      const queryAt = (knownUntilUs: number) => ask({ knownUntilUs }, [{ windowUs: 50 }, { windowUs: 70 }, { windowUs: null }]);
      const units = ({ cells }: ComparisonSums) => cells[0]?.metrics.map((metric) => metric.units);
      expect(units(await changes(queryAt, 1059, 1060))).toEqual([1, 0, 0]);
      expect(units(await changes(queryAt, 1060, 1080))).toEqual([0, 1, 0]);
    });

    it('counts a late event of a window that was long over, and nothing of what came after the window', async () => {
      const [exposed, last, after] = [1000, 1099, 1100];
      await insert([
        exposure(1, { at: exposed }),
        event(2, { at: 1010 }),
        exposure(3, { at: exposed, unit: 2 }),
        event(4, { at: 1010, unit: 2 }),
      ]);
      await insert([event(5, { at: last, known: 9_000 }), event(6, { at: after, known: 9_000, unit: 2 })]);
      const queryAt = (knownUntilUs: number) => ask({ knownUntilUs }, [{ windowUs: 100 }, { windowUs: 40 }]);
      const { cells } = await changes(queryAt, 8_999, 9_000);
      expect(cells[0]?.metrics.map(({ units, lateEvents }) => [units, lateEvents])).toEqual([
        [0, 1],
        [0, 0],
      ]);
      expect((await changes(queryAt, 999, 9_000)).cells[0]?.metrics.map(({ units }) => units)).toEqual([2, 2]);
    });

    it('takes a unit out again that shows up in a second arm', async () => {
      await insert([exposure(1, { at: 1000 }), exposure(2, { at: 1020, variant: 'b' })]);
      const delta = await changes((knownUntilUs) => ask({ knownUntilUs }), 1010, 1020);
      expect(delta.population).toEqual([
        { cell: 0, segment: 1, kind: 'counted', units: -1 },
        { cell: 0, segment: 1, kind: 'two-arms', units: 1 },
      ]);
      expect(delta.cells[0]?.metrics[0]).toMatchObject({ openUnits: -1 });
    });

    it('counts what a metric without window sees as soon as it is known', async () => {
      await insert([exposure(1, { at: 1000 }), event(2, { at: 1010, known: 1500 })]);
      const queryAt = (knownUntilUs: number) => ask({ knownUntilUs }, [{ type: 'first-error', windowUs: null }]);
      expect((await changes(queryAt, 1499, 1500)).cells[0]?.metrics[0]).toMatchObject({ units: 0, sum: 1_000_000n });
    });

    it('counts a first error as soon as it is known, though its window is not over, and not when it is late', async () => {
      await insert([exposure(1, { at: 1000 }), event(2, { at: 1010, known: 1020 }), exposure(3, { at: 1000, unit: 2 })]);
      await insert([event(4, { at: 1010, known: 2000, unit: 2 })]);
      const error = { type: 'first-error', direction: 'decrease', windowUs: 500 } as const;
      const queryAt = (knownUntilUs: number) => ask({ knownUntilUs, allowedLatenessUs: 100 }, [error]);
      expect((await changes(queryAt, 1019, 1020)).cells[0]?.metrics[0]).toMatchObject({ units: 0, openUnits: 0, sum: 1_000_000n });
      const whole = (await changes(queryAt, 0, 5000)).cells[0]?.metrics[0];
      expect(whole).toMatchObject({ units: 2, openUnits: 0, sum: 1_000_000n, lateEvents: 1 });
    });

    it('has one end for all queries, and none before its beginning', async () => {
      const two = [ask({ knownUntilUs: 1000 }), ask({ knownUntilUs: 1001 })];
      await expect(store.delta(two, begunUs)).rejects.toThrow(RangeError);
      await expect(store.delta([ask({ knownUntilUs: 1000 })], begunUs + 1001)).rejects.toThrow(RangeError);
    });

    const chains: { queries: readonly ComparisonQuery[]; sinceUs: number; expected: readonly ComparisonSums[] }[] = [];

    it('adds up to the recount at every look, whatever comes late, twice or anew', async () => {
      await fc.assert(
        fc.asyncProperty(watchedWorlds, async (watched) => {
          const { rows, looks } = placedIn(watched, `chain${++environments}`, begunUs);
          const definition = new MemoryFeedbackStore();
          let totals: readonly ComparisonSums[] = [];
          let sinceUs = 0;
          for (const { rows: coming, queries, atUs } of looks(rows)) {
            await definition.insert(coming, []);
            await store.insert(coming, []);
            const expected = await Promise.all(queries.map((query) => definition.sums(query)));
            const deltas = sinceUs === 0 ? [] : await store.delta(queries, sinceUs);
            totals =
              sinceUs === 0
                ? await Promise.all(queries.map((query) => store.sums(query)))
                : deltas.map((delta, index) => addSums(totals[index] ?? delta, delta));
            expect(totals).toEqual(expected);
            if (sinceUs > 0) chains.push({ queries, sinceUs, expected: deltas });
            sinceUs = atUs;
          }
        }),
        { numRuns },
      );
    }, 600_000);

    it('says the same of the past when all rows are there, and after merges', async () => {
      await settle?.();
      expect(chains.length).toBeGreaterThan(0);
      for (const { queries, sinceUs, expected } of chains.slice(0, 60)) expect(await store.delta(queries, sinceUs)).toEqual(expected);
    }, 300_000);
  });
};

/** The rows that come before each look, a tail of those before once more among them, and what is asked then. */
const placedIn = ({ world, looksAtUs, redelivered }: Watched, environment: string, byUs: number) => {
  const { rows, query } = shifted(world, byUs);
  const own = rows.map((one) => ({ ...one, row: { ...one.row, environment } }));
  const placed = own.flatMap((one) => [one, ...twinOf(one)]);
  const looks = (all: readonly PlacedRow[]) =>
    looksAtUs.map((lookUs, index) => {
      const atUs = lookUs + byUs;
      const known = all.filter(({ knownAtUs }) => knownAtUs <= atUs);
      const stored = all.filter(({ knownAtUs }) => index > 0 && knownAtUs <= (looksAtUs[index - 1] ?? 0) + byUs).length;
      const queries = [
        query,
        ...twinsOf(query),
        { ...query, metrics: query.metrics.slice(1), multipleExposure: 'first' as const },
        { ...query, metrics: [] },
      ];
      return {
        atUs,
        rows: known.slice(Math.max(0, stored - (redelivered[index] ?? 0))).toReversed(),
        queries: queries.map((one): ComparisonQuery => ({ ...one, environment, knownUntilUs: atUs })),
      };
    });
  return { rows: placed, looks };
};

const twin = 'twin';

/** The same exposures once more, to another experiment. */
const twinOf = (placed: PlacedRow): readonly PlacedRow[] => {
  const { row, position } = placed;
  if (row.kind !== 'exposure' && row.kind !== 'assignment') return [];
  return [{ ...placed, position: position + 2048n, row: { ...row, name: twin, id: `${row.id}-${twin}` } }];
};

/** Queries that may be answered together with the first, and each other, and yet differ in all that may differ. */
const twinsOf = (query: ComparisonQuery): readonly ComparisonQuery[] => {
  const other = { ...query, experiment: twin };
  const [first] = query.timeline;
  const again = { fromUs: query.knownUntilUs - 20, segment: query.segments.at(-1) ?? 1 };
  return [
    {
      ...other,
      cells: query.cells.toReversed(),
      timeline: [first, again],
      reasonWhenMissing: query.reasonWhenMissing === 'SPLIT' ? 'unknown' : 'SPLIT',
      metrics: [...query.metrics.toReversed(), ...query.metrics.slice(0, 1)],
    },
    { ...other, segments: query.segments.slice(0, 1), metrics: query.metrics.slice(0, 1) },
  ];
};
