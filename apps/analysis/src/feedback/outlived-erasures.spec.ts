import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ERASURES, type ErasureMessage, erasureKey, FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
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
const unit = { project: 'shop', environment: 'live', unitType: 'user', unit: erased, by: 'k' };
const tell = (message: ErasureMessage) =>
  log.append(ERASURES, [{ partition: 0, key: erasureKey(message), value: JSON.stringify(message) }]);
/** @param doneAtUs  when the store had applied it; undefined: it tells that later */
const erase = async (doneAtUs: number | undefined = NOW, of: Partial<typeof unit> = {}) => {
  const { partition, offset } = await append(erasureRow({ ...unit, ...of }, { source: 'door', id: 'erase', at: NOW }));
  await tell({ ...requestOf(partition, offset), requestedAtUs: NOW });
  if (doneAtUs !== undefined) await tell({ kind: 'step', id: 'e', store: 'feedback-store', part: 'rows', doneAtUs, removed: null });
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
/** As a process does that read the unit's rows up to there, and stood still until now. @param offset  of its message */
const goesOn = async (id: string, offset = 0) => {
  const placed: PlacedRow = {
    ...{ row: exposure(erased, id), position: BigInt(offset) << 12n, knownAtUs: 1 },
    partition: partitionOf(erased, PARTITIONS),
  };
  await store.insert([placed], []);
};
/** Two rounds: what is seen in one alone may be on its way to be taken. */
const repeat = async (atUs = NOW + HOUR, by = erasures): Promise<number> => {
  const first = await by.repeat(atUs);
  expect(first).toBe(0);
  return by.repeat(atUs + 1);
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
    expect(await repeat()).toBe(1);
    await stored();
    expect([await hasRows(erased), await hasRows(other)]).toEqual([false, true]);
    expect(await repeat()).toBe(0);
    // Once more, from a third process.
    await goesOn('first');
    expect(await repeat()).toBe(1);
    await stored();
    expect(await hasRows(erased)).toBe(false);
  });

  it('are heard of by whoever keeps sums and records, with the time of the repetition', async () => {
    await erase();
    await stored();
    const before = await store.lastErasureUs();
    await goesOn('first');
    expect(await repeat()).toBe(1);
    await stored();
    expect(await store.lastErasureUs()).toBeGreaterThan(before ?? Number.POSITIVE_INFINITY);
  });

  it('are nothing that is repeated where they are gone again in the next round: they were read once more, and taken once more', async () => {
    await erase();
    await append(exposure(erased, 'came back'));
    await stored();
    await goesOn('first');
    expect(await erasures.repeat(NOW)).toBe(0);
    await store.insert([{ row: erasureRow(unit, { source: '', id: '', at: 0 }), position: 1n << 12n, knownAtUs: 0 }], []);
    expect([await erasures.repeat(NOW), await erasures.repeat(NOW)]).toEqual([0, 0]);
    expect(await hasRows(erased)).toBe(true);
  });

  it('are nothing that is repeated while the store has not passed the erasure, or its repetition, yet, whoever asks', async () => {
    await stored();
    await consumer.stop();
    await erase();
    expect(await repeat()).toBe(0);
    await consumer.start('f1');
    await stored();
    await consumer.stop();
    await goesOn('first');
    const before = await eventsInLog();
    expect([await repeat(), await repeat(), await repeat(NOW, new OutlivedErasures(log, store))]).toEqual([1, 0, 0]);
    expect(await eventsInLog()).toBe(before + 1);
    await consumer.start('f1');
    await stored();
    expect(await hasRows(erased)).toBe(false);
  });

  it('are found behind the first erasure, too, where another one was sent behind them', async () => {
    await erase();
    const behind = await append(exposure(erased, 'told before, sent behind'));
    const { partition, offset } = await append(erasureRow(unit, { source: 'assignment', id: 'again', at: NOW }));
    await tell({ kind: 'repetition', id: 'e', partition, offset, repeatedAtUs: NOW });
    await stored();
    expect(await hasRows(erased)).toBe(false);
    await goesOn('told before, sent behind', behind.offset);
    expect(await repeat()).toBe(1);
    await stored();
    expect(await hasRows(erased)).toBe(false);
  });

  it('are no rows of a unit that came back', async () => {
    await erase();
    await append(exposure(erased, 'anew'));
    await stored();
    expect(await repeat()).toBe(0);
    expect(await hasRows(erased)).toBe(true);
  });

  it('are looked for until a day after the store has applied the erasure, and as long as it has not', async () => {
    await erase(NOW - 25 * HOUR);
    await stored();
    await goesOn('first');
    expect(await repeat(NOW)).toBe(0);
    await tell({ kind: 'step', id: 'e', store: 'feedback-store', part: 'rows', doneAtUs: NOW - 23 * HOUR, removed: null });
    expect(await repeat(NOW)).toBe(1);
  });

  it('are none of a unit whose request leads to the erasure of somebody else', async () => {
    await erase(NOW, { unit: other });
    await stored();
    await store.insert([{ row: exposure(other, 'second'), position: 0n, knownAtUs: 1, partition: 1 }], []);
    const before = await eventsInLog();
    expect(await repeat()).toBe(0);
    expect(await eventsInLog()).toBe(before);
  });

  it('of before more partitions came are looked for when nobody reads earlier generations any more', async () => {
    await stored();
    await consumer.stop();
    await log.startGeneration(FEEDBACK, { partitions: PARTITIONS + 1 });
    await erase();
    const at = (partition: number, generation: number) => ({ topic: FEEDBACK, partition, generation, offset: 50n, knownAtUs: 2 });
    await store.insert([], [at(0, 1), at(1, 1), at(2, 0)]);
    await goesOn('first');
    expect(await repeat()).toBe(0);
    await store.insert([], [at(2, 1)]);
    expect(await repeat()).toBe(1);
    await consumer.start('f1');
  });
});
