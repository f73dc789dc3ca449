import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryFeedbackStore, type PlacedRow, type Progress, StoreError } from '@rampart/feedback-store';
import { FeedbackWriter } from './feedback-writer.js';

const row = (number: number, value = '1'): PlacedRow => ({
  position: BigInt(number) << 12n,
  knownAtUs: number,
  partition: 0,
  row: {
    kind: 'metric',
    project: 'shop',
    environment: 'live',
    name: 'buy',
    unitType: 'user',
    unit: '0'.repeat(32),
    source: 'web',
    id: String(number),
    at: number,
    value,
    digest: '0'.repeat(16),
    key: 'k',
  },
});

const progress = (offset: number, partition = 0): Progress => ({
  topic: 'feedback.v1',
  partition,
  generation: 0,
  offset: BigInt(offset),
  knownAtUs: offset,
});

/** A store that never takes the value 13. */
class Superstitious extends MemoryFeedbackStore {
  readonly inserts: number[] = [];
  readonly taken = new Set<bigint>();
  isAway = false;

  override async insert(rows: readonly PlacedRow[], progressed: readonly Progress[]): Promise<void> {
    this.inserts.push(rows.length);
    if (this.isAway) throw new StoreError('away', { retriable: true });
    if (rows.some(({ row: { value } }) => value === '13')) throw new StoreError('refused', { retriable: false });
    for (const { position } of rows) this.taken.add(position);
    await super.insert(rows, progressed);
  }
}

const writerOf = (store: Superstitious) => {
  const refused: PlacedRow[] = [];
  const options = {
    bytes: 1_000_000,
    waitMs: 5,
    onRefused: async (found: readonly PlacedRow[]) => {
      // Named before anything moves on: a crash in between repeats the search.
      expect(await store.progress('feedback.v1')).toEqual([]);
      refused.push(...found);
    },
  };
  return { writer: new FeedbackWriter(store, options), refused };
};

describe('the writer of feedback', () => {
  it('gathers the batches of several partitions in one insert', async () => {
    const store = new Superstitious();
    const { writer } = writerOf(store);
    await Promise.all([
      writer.write({ rows: [row(1), row(2)], progress: [progress(2)], bytes: 200 }),
      writer.write({ rows: [row(3)], progress: [progress(3, 1)], bytes: 100 }),
      writer.write({ rows: [], progress: [progress(9, 2)], bytes: 0 }),
    ]);
    expect(store.inserts).toEqual([3]);
    expect(await store.progress('feedback.v1')).toEqual([progress(2), progress(3, 1), progress(9, 2)]);
  });

  it('does not wait once it has enough bytes', async () => {
    const store = new Superstitious();
    const writer = new FeedbackWriter(store, { bytes: 200, waitMs: 60_000, onRefused: async () => undefined });
    await Promise.all([
      writer.write({ rows: [row(1)], progress: [], bytes: 100 }),
      writer.write({ rows: [row(2)], progress: [], bytes: 100 }),
    ]);
    expect(store.inserts).toEqual([2]);
  });

  it.each(['as nothing more is read before it is stored', 'as somebody waits for its partition'])('does not wait %s', async (why) => {
    const store = new Superstitious();
    const writer = new FeedbackWriter(store, { bytes: 200, waitMs: 60_000, onRefused: async () => undefined });
    const isFirst = why.startsWith('as nothing');
    const done = writer.write({ rows: [row(1)], progress: [], bytes: 100, isUrgent: isFirst });
    if (!isFirst) writer.hurry();
    await done;
    expect(store.inserts).toEqual([1]);
  });

  describe('to a store that is slow', () => {
    beforeEach(() => void jest.useFakeTimers());
    afterEach(() => void jest.useRealTimers());

    /** Inserts take what the clock is moved by meanwhile. */
    class Slow extends MemoryFeedbackStore {
      readonly sizes: number[] = [];
      constructor(private readonly tookMs: number) {
        super();
      }
      override async insert(rows: readonly PlacedRow[]): Promise<void> {
        this.sizes.push(rows.length);
        await new Promise((resolve) => setTimeout(resolve, this.tookMs));
      }
    }

    /** Rows of one insert after another, where a partition brings one each ten milliseconds. */
    const written = async (store: Slow, forMs: number) => {
      const writer = new FeedbackWriter(store, { bytes: 1_000_000, waitMs: 150, onRefused: async () => undefined });
      for (let atMs = 0; atMs < forMs; atMs += 10) {
        void writer.write({ rows: [row(atMs)], progress: [], bytes: 100 });
        await jest.advanceTimersByTimeAsync(10);
      }
      return store.sizes;
    };

    it('goes out twice as late as inserts take, so that it has the store for a third of the time', async () => {
      expect((await written(new Slow(20), 3_000)).slice(-3)).toEqual([15, 15, 15]);
      expect((await written(new Slow(200), 6_000)).slice(-3)).toEqual([40, 40, 40]);
    });

    it('never waits longer than a second', async () => {
      expect((await written(new Slow(3_000), 20_000)).at(3)).toBeGreaterThanOrEqual(100);
      const seldom = await written(new Slow(600), 12_000);
      expect(seldom.slice(-3)).toEqual([100, 100, 100]);
    });
  });

  it('leaves alone out what the store refuses, and names it before the progress', async () => {
    const store = new Superstitious();
    const { writer, refused } = writerOf(store);
    const rows = Array.from({ length: 100 }, (_, index) => row(index, index === 17 || index === 80 ? '13' : '1'));
    await writer.write({ rows, progress: [progress(100)], bytes: 100 });
    expect(refused.map(({ position }) => Number(position >> 12n))).toEqual([17, 80]);
    expect(store.taken.size).toBe(98);
    expect(await store.progress('feedback.v1')).toEqual([progress(100)]);
    expect(store.inserts.length).toBeLessThan(40);
  });

  it('says so when the store is away: nothing of the batch counts as stored', async () => {
    const store = new Superstitious();
    store.isAway = true;
    const { writer, refused } = writerOf(store);
    await expect(writer.write({ rows: [row(1)], progress: [progress(1)], bytes: 100 })).rejects.toMatchObject({ retriable: true });
    store.isAway = false;
    await writer.write({ rows: [row(1)], progress: [progress(1)], bytes: 100 });
    expect(refused).toEqual([]);
    expect(await store.progress('feedback.v1')).toEqual([progress(1)]);
  });
});
