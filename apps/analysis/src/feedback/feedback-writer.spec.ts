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

/** A store that never takes the value 13, and takes no longer than it is told to. */
class Superstitious extends MemoryFeedbackStore {
  readonly inserts: number[] = [];
  readonly taken = new Set<bigint>();
  isAway = false;
  /** Inserts of rows wait for theirs. */
  readonly holds: Promise<void>[] = [];

  override async insert(rows: readonly PlacedRow[], progressed: readonly Progress[]): Promise<void> {
    if (rows.length > 0) {
      this.inserts.push(rows.length);
      await this.holds.shift();
    }
    if (this.isAway) throw new StoreError('away', { retriable: true });
    if (rows.some(({ row: { value } }) => value === '13')) throw new StoreError('refused', { retriable: false });
    for (const { position } of rows) this.taken.add(position);
    await super.insert(rows, progressed);
  }

  held(): { release(): void; fail(): void } {
    let [release, fail]: [() => void, () => void] = [() => undefined, () => undefined];
    const hold = new Promise<void>((resolve, reject) => {
      release = resolve;
      fail = () => reject(new StoreError('away', { retriable: true }));
    });
    hold.catch(() => undefined);
    this.holds.push(hold);
    return { release, fail };
  }
}

const roomy = { bytes: 1_000_000, mostBytes: 10_000_000, waitMs: 5, onRefused: async () => undefined };

const gathered = async (writer: FeedbackWriter, rows: readonly PlacedRow[], progressed: Progress, bytes = 100): Promise<void> => {
  await writer.reserve(bytes);
  await writer.gather({ rows, progress: progressed }, bytes);
};

const aWhile = () => new Promise((resolve) => setTimeout(resolve, 20));

describe('the writer of feedback', () => {
  it('gathers the batches of several partitions in one insert', async () => {
    const store = new Superstitious();
    const writer = new FeedbackWriter(store, roomy);
    await Promise.all([
      gathered(writer, [row(1), row(2)], progress(2)),
      gathered(writer, [row(3)], progress(3, 1)),
      gathered(writer, [row(4)], progress(4)),
      gathered(writer, [], progress(9, 2), 0),
    ]);
    expect(store.inserts).toEqual([4]);
    expect(await store.progress('feedback.v1')).toEqual([progress(4), progress(3, 1), progress(9, 2)]);
  });

  it('does not wait once it has enough bytes', async () => {
    const store = new Superstitious();
    const writer = new FeedbackWriter(store, { ...roomy, bytes: 200, waitMs: 60_000 });
    await Promise.all([gathered(writer, [row(1)], progress(1)), gathered(writer, [row(2)], progress(2, 1))]);
    expect(store.inserts).toEqual([2]);
  });

  it('does not wait when somebody waits for its partition', async () => {
    const store = new Superstitious();
    const writer = new FeedbackWriter(store, { ...roomy, waitMs: 60_000 });
    const done = gathered(writer, [row(1)], progress(1));
    await Promise.resolve();
    writer.hurry();
    await done;
    expect(store.inserts).toEqual([1]);
  });

  it('lets nobody bring more than it may hold until something is stored, and one of any size where it holds nothing', async () => {
    const store = new Superstitious();
    const writer = new FeedbackWriter(store, { ...roomy, mostBytes: 250, waitMs: 60_000 });
    const first = store.held();
    const stored = [gathered(writer, [row(1)], progress(1)), gathered(writer, [row(2)], progress(2, 1))];
    await aWhile();
    expect(store.inserts).toEqual([]);
    // Who waits for room makes what is gathered go out.
    let hasRoom = false;
    const third = writer.reserve(100).then(() => {
      hasRoom = true;
    });
    await aWhile();
    expect([store.inserts, hasRoom]).toEqual([[2], false]);
    first.release();
    await Promise.all([...stored, third]);
    writer.release(100);
    await writer.reserve(9_999);
    writer.release(9_999);
  });

  it('gives room in the order in which it is asked for: a large batch does not wait for as long as there are small ones', async () => {
    const store = new Superstitious();
    const writer = new FeedbackWriter(store, { ...roomy, mostBytes: 300 });
    await writer.reserve(200);
    const order: string[] = [];
    const asked = [writer.reserve(250).then(() => order.push('large')), writer.reserve(50).then(() => order.push('small'))];
    await aWhile();
    expect(order).toEqual([]);
    writer.release(200);
    await Promise.all(asked);
    expect(order).toEqual(['large', 'small']);
  });

  describe('with two inserts on their way', () => {
    it('says of a partition only that it is stored up to where everything is', async () => {
      const store = new Superstitious();
      const writer = new FeedbackWriter(store, { ...roomy, bytes: 100 });
      const [first] = [store.held(), store.held().release()];
      const stored = [gathered(writer, [row(1)], progress(1)), gathered(writer, [row(2)], progress(2))];
      await aWhile();
      expect([...store.taken]).toEqual([2n << 12n]);
      expect(await store.progress('feedback.v1')).toEqual([]);
      first.release();
      await Promise.all(stored);
      expect(await store.progress('feedback.v1')).toEqual([progress(2)]);
    });

    it('takes nothing behind what was not stored, neither on its way nor gathered nor later, until that is written alone', async () => {
      const store = new Superstitious();
      const writer = new FeedbackWriter(store, { ...roomy, bytes: 100, waitMs: 60_000 });
      const [first, second] = [store.held(), store.held()];
      const outcomes = [1, 2, 3].map((at) => gathered(writer, [row(at)], progress(at)).then(() => 'stored', String));
      await aWhile();
      expect(store.inserts).toEqual([1, 1]);
      second.release();
      first.fail();
      expect(await Promise.all(outcomes)).toEqual(Array(3).fill('StoreError: away'));
      await expect(gathered(writer, [row(4)], progress(4))).rejects.toThrow('what comes before it is not stored yet');
      expect(writer.isBehind(progress(4))).toBe(true);
      expect(await store.progress('feedback.v1')).toEqual([]);
      // Others go on.
      await gathered(writer, [row(5)], progress(5, 1));
      await writer.writeAlone({ rows: [row(1)], progress: progress(1) });
      await gathered(writer, [row(2)], progress(2));
      expect(await store.progress('feedback.v1')).toEqual([progress(2), progress(5, 1)]);
    });

    it('tells when nothing is on its way any more, whatever became of it', async () => {
      const store = new Superstitious();
      const writer = new FeedbackWriter(store, { ...roomy, waitMs: 60_000 });
      await writer.settled();
      const first = store.held();
      const outcome = gathered(writer, [row(1)], progress(1)).catch(String);
      await Promise.resolve();
      let isSettled = false;
      const settled = writer.settled().then(() => {
        isSettled = true;
      });
      await aWhile();
      expect([store.inserts, isSettled]).toEqual([[1], false]);
      first.fail();
      await settled;
      expect(await outcome).toBe('StoreError: away');
    });
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
        if (rows.length === 0) return;
        this.sizes.push(rows.length);
        await new Promise((resolve) => setTimeout(resolve, this.tookMs));
      }
    }

    /** Rows of one insert after another, where a partition brings one each ten milliseconds. */
    const written = async (store: Slow, forMs: number) => {
      const writer = new FeedbackWriter(store, { ...roomy, waitMs: 150 });
      for (let atMs = 0; atMs < forMs; atMs += 10) {
        void gathered(writer, [row(atMs)], progress(atMs));
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

  it('leaves out of what is written alone what the store refuses, and names it before the progress', async () => {
    const store = new Superstitious();
    const refused: PlacedRow[] = [];
    const writer = new FeedbackWriter(store, {
      ...roomy,
      onRefused: async (found) => {
        // Named before anything moves on: a crash in between repeats the search.
        expect(await store.progress('feedback.v1')).toEqual([]);
        refused.push(...found);
      },
    });
    const rows = Array.from({ length: 100 }, (_, index) => row(index, index === 17 || index === 80 ? '13' : '1'));
    await expect(gathered(writer, rows, progress(100))).rejects.toMatchObject({ retriable: false });
    expect(refused).toEqual([]);
    await writer.writeAlone({ rows, progress: progress(100) });
    expect(refused.map(({ position }) => Number(position >> 12n))).toEqual([17, 80]);
    expect(store.taken.size).toBe(98);
    expect(await store.progress('feedback.v1')).toEqual([progress(100)]);
    expect(store.inserts.length).toBeLessThan(40);
  });

  it('says so when the store is away: nothing of the batch counts as stored', async () => {
    const store = new Superstitious();
    store.isAway = true;
    const writer = new FeedbackWriter(store, roomy);
    await expect(gathered(writer, [row(1)], progress(1))).rejects.toMatchObject({ retriable: true });
    await expect(writer.writeAlone({ rows: [row(1)], progress: progress(1) })).rejects.toMatchObject({ retriable: true });
    store.isAway = false;
    await writer.writeAlone({ rows: [row(1)], progress: progress(1) });
    expect(await store.progress('feedback.v1')).toEqual([progress(1)]);
  });

  it('takes nothing of an insert in which a row has no place', async () => {
    const store = new Superstitious();
    const gather = store.gather.bind(store);
    store.gather = () => {
      const { add, insert } = gather();
      const picky = (rows: readonly PlacedRow[]) => {
        if (rows.some(({ row: { value } }) => value === '13')) throw new StoreError('no place', { retriable: false });
        add(rows);
      };
      return { add: picky, insert };
    };
    const writer = new FeedbackWriter(store, { ...roomy, waitMs: 60_000, mostBytes: 200 });
    const outcomes = [
      gathered(writer, [row(1)], progress(1)).catch(String),
      gathered(writer, [row(2, '13')], progress(2, 1)).catch(String),
    ];
    expect(await Promise.all(outcomes)).toEqual(Array(2).fill('StoreError: no place'));
    expect([store.inserts, await store.progress('feedback.v1')]).toEqual([[], []]);
    // Its room is free again.
    await writer.reserve(200);
    writer.release(200);
  });
});
