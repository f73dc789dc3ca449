import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERASURES, erasureKey, erasureMessageIn, FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { MemoryFeedbackStore, type PlacedRow, type Progress } from '@rampart/feedback-store';
import { createLog } from '@rampart/service-kit';
import { ErasureConsumer } from './erasure.consumer.js';
import { requestOf } from './erasures.examples.js';

const exposureRow = (unit: string): FeedbackRow => ({
  ...{ kind: 'exposure', project: 'shop', environment: 'live', name: 'button', unitType: 'user', unit, source: 'web', id: `x-${unit}` },
  ...{ at: 1, variant: 'a', reason: 'SPLIT', segment: 1, digest: '0'.repeat(16), key: 'k' },
});
const [erased, other] = ['0'.repeat(32), '1'.repeat(32)];

class Kept extends MemoryFeedbackStore {
  readonly units = new Set<string>();

  override async insert(rows: readonly PlacedRow[], progress: readonly Progress[]): Promise<void> {
    for (const { row } of rows)
      if (row.kind === 'erasure') this.units.delete(row.unit);
      else this.units.add(row.unit);
    await super.insert(rows, progress);
  }
}

let log: MemoryEventLog;
let store: Kept;
let consumer: ErasureConsumer;

beforeEach(async () => {
  log = new MemoryEventLog();
  for (const spec of topicSpecs(2)) await log.createTopic(spec);
  store = new Kept();
  consumer = new ErasureConsumer(log, store, createLog('test', 'silent'));
});

afterEach(async () => {
  await consumer.stop();
  await log.close();
});

const erase = async (partition: number) => {
  const row: FeedbackRow = { ...exposureRow(erased), kind: 'erasure', name: '' };
  const [placed] = await log.append(FEEDBACK, [{ partition, value: JSON.stringify([row]) }]);
  const request = requestOf(partition, placed?.offset ?? 0);
  await log.append(ERASURES, [{ partition: 0, key: erasureKey(request), value: JSON.stringify(request) }]);
  return request;
};

const comesTo = (partition: number, generation: number, offset: number) =>
  store.insert([], [{ topic: FEEDBACK, partition, generation, offset: BigInt(offset), knownAtUs: 1 }]);

const isTold = async (): Promise<boolean> => {
  for await (const { value } of log.readAll(ERASURES)) if (erasureMessageIn(value)?.kind === 'step') return true;
  return false;
};
const until = async (isSo: () => Promise<boolean>) => {
  for (let waited = 0; waited < 500; waited += 1) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('not within five seconds');
};
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 400));

const late = (unit: string): PlacedRow => ({ row: exposureRow(unit), position: 1n << 12n, knownAtUs: 1, partition: 0 });

describe('an erasure', () => {
  it('is done when the store has passed it', async () => {
    const { offset } = await erase(1);
    consumer.start();
    await aMoment();
    expect(await isTold()).toBe(false);
    await comesTo(1, 0, offset);
    await until(isTold);
  });

  it('of a later generation takes what another process has written since, and is done when nobody reads earlier ones', async () => {
    await log.startGeneration(FEEDBACK, { partitions: 3 });
    const { offset } = await erase(2);
    consumer.start();
    await comesTo(2, 1, offset);
    await comesTo(1, 1, 0);
    await comesTo(0, 0, 0);
    await store.insert([late(erased), late(other)], []);
    await aMoment();
    expect(await isTold()).toBe(false);
    await comesTo(0, 1, 1);
    await until(isTold);
    expect([...store.units]).toEqual([other]);
  });
});
