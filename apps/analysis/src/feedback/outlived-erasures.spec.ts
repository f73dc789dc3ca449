import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERASURES, erasureKey, FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
import { partitionOf } from '@rampart/contracts/pseudonyms';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { erasureRow } from '@rampart/feedback-rows';
import { MemoryFeedbackStore, type PlacedRow } from '@rampart/feedback-store';
import { createLog, Metrics } from '@rampart/service-kit';
import { requestOf } from './erasures.examples.js';
import { FeedbackConsumer } from './feedback.consumer.js';
import { IntakeFigures } from './intake-figures.js';
import { OutlivedErasures } from './outlived-erasures.js';

const NOW = 1_700_000_000_000_000;
const HOUR = 3_600_000_000;
const [erased, other] = ['0'.repeat(32), 'f'.repeat(32)];
const PARTITIONS = 2;

const exposure = (unit: string, id: string): FeedbackRow => ({
  ...{ kind: 'exposure', project: 'shop', environment: 'live', name: 'button', unitType: 'user', unit, source: 'web', id },
  ...{ at: 1, variant: 'a', reason: 'SPLIT', segment: 1, digest: '0'.repeat(16), key: 'k' },
});

let log: MemoryEventLog;
let store: MemoryFeedbackStore;
let consumer: FeedbackConsumer;
let erasures: OutlivedErasures;

beforeEach(async () => {
  log = new MemoryEventLog();
  for (const spec of topicSpecs(PARTITIONS)) await log.createTopic(spec);
  store = new MemoryFeedbackStore();
  consumer = new FeedbackConsumer(log, store, new IntakeFigures(new Metrics('analysis')), createLog('analysis', 'silent'));
  await consumer.start('f1');
  erasures = new OutlivedErasures(log, store);
});

afterEach(async () => {
  await consumer.stop();
  await log.close();
});

const append = async (row: FeedbackRow) => {
  const [place] = await log.append(FEEDBACK, [{ partition: partitionOf(row.unit, PARTITIONS), value: JSON.stringify([row]) }]);
  if (place === undefined) throw new Error('the log took nothing');
  return place;
};
const erase = async (requestedAtUs = NOW) => {
  const unit = { project: 'shop', environment: 'live', unitType: 'user', unit: erased, by: 'k' };
  const { partition, offset } = await append(erasureRow(unit, { source: 'door', id: 'erase', at: requestedAtUs }));
  const request = { ...requestOf(partition, offset), requestedAtUs };
  await log.append(ERASURES, [{ partition: 0, key: erasureKey(request), value: JSON.stringify(request) }]);
};
const stored = async () => {
  const ends = await log.offsets(FEEDBACK);
  const isThere = async () => {
    const progress = await store.progress(FEEDBACK);
    return ends.every(({ partition, end }) => Number(progress.find((one) => one.partition === partition)?.offset ?? -1) === end - 1);
  };
  for (let waited = 0; !(await isThere()); waited++) {
    if (waited > 500) throw new Error('not stored within five seconds');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
/** As a process does that read the unit's first row, and stood still until now. */
const goesOn = async (id: string) => {
  const late: PlacedRow = { row: exposure(erased, id), position: 0n, knownAtUs: 1, partition: partitionOf(erased, PARTITIONS) };
  await store.insert([late], []);
};
const hasRows = async (unit: string): Promise<boolean> => {
  const asked = { ...erasureRow({ project: 'shop', environment: 'live', unitType: 'user', unit, by: 'k' }, { source: '', id: '', at: 0 }) };
  return (await store.outlived([{ row: asked, position: 1n << 60n, knownAtUs: 0 }])).length > 0;
};
const eventsInLog = async () => (await log.offsets(FEEDBACK)).reduce((sum, { end }) => sum + end, 0);

describe('rows that come behind the erasure of their unit', () => {
  beforeEach(async () => {
    await append(exposure(erased, 'first'));
    await append(exposure(other, 'second'));
  });

  it('are taken by the same erasure, repeated behind them; nobody else loses any', async () => {
    await erase();
    await stored();
    await goesOn('first');
    expect(await hasRows(erased)).toBe(true);
    expect(await erasures.repeat(NOW + HOUR)).toBe(1);
    await stored();
    expect([await hasRows(erased), await hasRows(other)]).toEqual([false, true]);
    expect(await erasures.repeat(NOW + HOUR)).toBe(0);
    // Once more, from a third process.
    await goesOn('first');
    expect(await erasures.repeat(NOW + 2 * HOUR)).toBe(1);
    await stored();
    expect(await hasRows(erased)).toBe(false);
  });

  it('are heard of by whoever keeps sums and records, with the time of the repetition', async () => {
    await erase();
    await stored();
    const before = await store.lastErasureUs();
    await goesOn('first');
    await erasures.repeat(NOW + HOUR);
    await stored();
    expect(await store.lastErasureUs()).toBeGreaterThan(before ?? Number.POSITIVE_INFINITY);
  });

  it('are nothing that is repeated while the store has not passed the erasure, or its repetition, yet', async () => {
    await stored();
    await consumer.stop();
    await erase();
    expect(await erasures.repeat(NOW)).toBe(0);
    await consumer.start('f1');
    await stored();
    await consumer.stop();
    await goesOn('first');
    const before = await eventsInLog();
    expect([await erasures.repeat(NOW), await erasures.repeat(NOW), await erasures.repeat(NOW)]).toEqual([1, 0, 0]);
    expect(await eventsInLog()).toBe(before + 1);
    await consumer.start('f1');
    await stored();
    expect(await hasRows(erased)).toBe(false);
  });

  it('are no rows of a unit that came back', async () => {
    await erase();
    await append(exposure(erased, 'anew'));
    await stored();
    expect(await erasures.repeat(NOW)).toBe(0);
    expect(await hasRows(erased)).toBe(true);
  });

  it('are looked for a day long', async () => {
    await erase(NOW - 25 * HOUR);
    await stored();
    await goesOn('first');
    expect(await erasures.repeat(NOW)).toBe(0);
  });

  it('of before more partitions came are looked for when nobody reads earlier generations any more', async () => {
    await stored();
    await log.startGeneration(FEEDBACK, { partitions: PARTITIONS + 1 });
    await erase();
    await store.insert(
      [],
      [0, 1, 2].map((partition) => ({ topic: FEEDBACK, partition, generation: partition === 2 ? 0 : 1, offset: 50n, knownAtUs: 2 })),
    );
    await goesOn('first');
    expect(await erasures.repeat(NOW)).toBe(0);
    await store.insert([], [{ topic: FEEDBACK, partition: 2, generation: 1, offset: 50n, knownAtUs: 2 }]);
    expect(await erasures.repeat(NOW)).toBe(1);
  });
});
