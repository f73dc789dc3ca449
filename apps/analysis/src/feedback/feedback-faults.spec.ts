/** A store that fails, refuses and takes its time, at random, under many batches in hand: nothing is lost, and no progress is ahead of its rows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log';
import { type Gathering, MemoryFeedbackStore, type PlacedRow, type Progress, StoreError } from '@rampart/feedback-store';
import { createLog, Metrics } from '@rampart/service-kit';
import { FeedbackConsumer } from './feedback.consumer.js';
import { IntakeFigures } from './intake-figures.js';
import { TracedRows } from './traced-rows.js';

const PARTITIONS = 2;
const MESSAGES = 150;
const ERASED_AT = 90;
/** Batches of four messages and inserts of nine: enough of them that many fail, however busy the machine is. */
const HELD_BYTES = 8_000;

const rowOf = (partition: number, message: number): FeedbackRow => ({
  kind: 'metric',
  project: 'shop',
  environment: 'live',
  name: 'buy',
  unitType: 'user',
  unit: String(message % 10).padStart(31, '0') + partition,
  source: 'web',
  id: `${partition}-${message}`,
  at: 1,
  value: message % 50 === 33 ? '13' : '1',
  digest: '0'.repeat(16),
  key: 'k',
});

const erasureOf = (partition: number): FeedbackRow => ({ ...rowOf(partition, 0), kind: 'erasure', name: '', id: 'gone' });

/** A linear congruential generator: the same faults for the same seed. */
const randomOf = (seed: number) => {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
};

class Moody extends MemoryFeedbackStore {
  readonly ids = new Map<string, PlacedRow>();
  readonly progressed = new Map<number, number>();
  underway = 0;
  mostUnderway = 0;
  failures = 0;

  constructor(
    private readonly random: () => number,
    private readonly onProgress: (progress: Progress) => void,
  ) {
    super();
  }

  override gather(): Gathering {
    const { add, insert } = super.gather();
    return {
      // No place for it.
      add: (rows) => {
        if (rows.some(({ row: { value } }) => value === '13') && this.random() < 0.5) throw refused();
        add(rows);
      },
      insert,
    };
  }

  override async insert(rows: readonly PlacedRow[], progress: readonly Progress[]): Promise<void> {
    this.underway++;
    this.mostUnderway = Math.max(this.mostUnderway, this.underway);
    await sleep(this.random() * 4);
    this.underway--;
    if (rows.some(({ row: { value } }) => value === '13')) throw refused();
    if (this.random() < 0.2) {
      this.failures++;
      throw new StoreError('away', { retriable: true });
    }
    for (const placed of rows) {
      if (placed.row.kind === 'erasure') {
        for (const [id, { row, position }] of this.ids) {
          if (row.unit === placed.row.unit && position < placed.position) this.ids.delete(id);
        }
      } else this.ids.set(placed.row.id, placed);
    }
    await super.insert(rows, progress);
    for (const one of progress) this.onProgress(one);
  }
}

const refused = () => new StoreError('refused', { retriable: false });

describe('feedback on its way into a store that fails', () => {
  it.each([1, 2, 3, 4])(
    'is all there in the end, and no progress is told before (seed %i)',
    async (seed) => {
      const log = new MemoryEventLog();
      for (const spec of topicSpecs(PARTITIONS)) await log.createTopic(spec);
      for (let message = 0; message < MESSAGES; message++) {
        const values = Array.from({ length: PARTITIONS }, (_, partition) => ({
          partition,
          value: JSON.stringify([message === ERASED_AT ? erasureOf(partition) : rowOf(partition, message)]),
        }));
        await log.append(FEEDBACK, values);
      }
      const isErased = (message: number) => message % 10 === 0 && message <= ERASED_AT;
      const isRefused = (message: number) => message % 50 === 33;
      const ahead: string[] = [];
      const store: Moody = new Moody(randomOf(seed), ({ partition, offset }) => {
        for (let message = 0; message <= Number(offset); message++) {
          if (!isErased(message) && !isRefused(message) && !store.ids.has(`${partition}-${message}`))
            ahead.push(`${partition}-${message} is missing at ${offset}`);
        }
      });
      const consumer = new FeedbackConsumer(
        ...[log, store, new IntakeFigures(new Metrics('analysis')), createLog('test', 'silent'), new TracedRows(log), HELD_BYTES],
      );
      await consumer.start('f');
      const last = async () => (await store.progress(FEEDBACK)).map(({ offset }) => Number(offset)).join();
      for (let waited = 0; waited < 1_400 && (await last()) !== `${MESSAGES - 1},${MESSAGES - 1}`; waited++) await sleep(10);
      expect(await last()).toBe(`${MESSAGES - 1},${MESSAGES - 1}`);
      expect(ahead).toEqual([]);
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const there = Array.from({ length: MESSAGES }, (_, message) => message).filter((message) =>
          store.ids.has(`${partition}-${message}`),
        );
        expect(there).toEqual(
          Array.from({ length: MESSAGES }, (_, message) => message).filter((message) => !isErased(message) && !isRefused(message)),
        );
      }
      // It did fail, and there was more than one insert on its way.
      expect(store.failures).toBeGreaterThan(5);
      expect(store.mostUnderway).toBeGreaterThan(1);
      await consumer.stop();
      await log.close();
    },
    20_000,
  );
});
