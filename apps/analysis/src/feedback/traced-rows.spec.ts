import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { comparisonKey, DECISIONS, FEEDBACK, type FeedbackRow, LOOKS, TRACEPARENT_HEADER, topicSpecs } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log';
import { MemoryFeedbackStore } from '@rampart/feedback-store';
import { createLog, Metrics, Tracing } from '@rampart/service-kit';
import { FeedbackConsumer } from './feedback.consumer.js';
import { IntakeFigures } from './intake-figures.js';
import { TracedRows } from './traced-rows.js';

const CLIENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const OTHER = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;

/** Spans that end, as `name < parent`, and what they carry. */
const ended: { name: string; parent: string | undefined; attributes: object; isError: boolean }[] = [];
let spans = 0;
const tracing = new Tracing({
  start: (name, { parent, attributes = {} }) => {
    spans += 1;
    const traceparent = `00-${parent?.split('-')[1]}-${String(spans).padStart(16, '0')}-01`;
    return { traceparent, end: ({ error } = {}) => ended.push({ name, parent, attributes, isError: error !== undefined }) };
  },
  close: async () => undefined,
});

const row: FeedbackRow = {
  ...{ kind: 'metric', project: 'shop', environment: 'live', name: 'buy', unitType: 'user', unit: '0'.repeat(32), source: 'web' },
  ...{ id: 'e1', at: 1, value: '1', digest: '0'.repeat(16), key: 'k' },
};
const place = { project: 'shop', environment: 'live', experiment: 'button', comparison: 1, stage: null };

let log: MemoryEventLog;
let consumer: FeedbackConsumer;

beforeEach(async () => {
  ended.length = 0;
  log = new MemoryEventLog();
  for (const spec of topicSpecs(1)) await log.createTopic(spec);
  const lines = createLog('test', 'silent');
  consumer = new FeedbackConsumer(
    log,
    new MemoryFeedbackStore(),
    new IntakeFigures(new Metrics('analysis')),
    lines,
    new TracedRows(log, tracing),
  );
  await consumer.start('f1');
});
afterEach(async () => {
  await consumer.stop();
  await log.close();
});

const until = async (names: readonly string[]): Promise<void> => {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (JSON.stringify(ended.map(({ name }) => name)) === JSON.stringify(names)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(ended.map(({ name }) => name)).toEqual(names);
};
const store = (header: string | undefined) =>
  log.append(FEEDBACK, [
    { partition: 0, value: JSON.stringify([row]), ...(header === undefined ? {} : { headers: { [TRACEPARENT_HEADER]: header } }) },
  ]);
const look = (knownUntilUs: number, more: object = {}) => {
  const told = { ...place, ...more };
  const value = JSON.stringify({ ...told, knownUntilUs, lookedAtUs: knownUntilUs + 1, verdict: 'continue', units: 1 });
  return log.append(LOOKS, [{ partition: 0, key: comparisonKey(told), value }]);
};
const storedKnownAtUs = async (offset: number) => (await log.read({ topic: FEEDBACK, partition: 0, offset, limit: 1 }))[0]?.knownAtUs ?? 0;

describe('a traced row', () => {
  it('is followed into the store, to the first look that knows it and to the first record', async () => {
    await store(`${CLIENT}, nonsense,${OTHER}`);
    await until(['store feedback.v1', 'store feedback.v1']);
    expect(ended.map(({ parent }) => parent)).toEqual([CLIENT, OTHER]);
    const knownAtUs = await storedKnownAtUs(0);
    await look(knownAtUs - 1);
    await look(knownAtUs, { environment: 'elsewhere' });
    await look(knownAtUs);
    await look(knownAtUs + 10);
    await until(['store feedback.v1', 'store feedback.v1', 'look', 'look']);
    expect(ended[2]).toMatchObject({ attributes: { 'rampart.experiment': 'button', 'rampart.verdict': 'continue', 'rampart.units': 1 } });
    expect(ended[2]?.parent?.split('-')[1]).toBe('a'.repeat(32));
    const record = { ...place, id: 'r1', cause: 'first', knownUntilUs: knownAtUs, verdict: { verdict: 'go' } };
    await log.append(DECISIONS, [{ partition: 0, value: JSON.stringify({ record, recordedAtUs: knownAtUs + 5 }) }]);
    await until(['store feedback.v1', 'store feedback.v1', 'look', 'look', 'record', 'record']);
    expect(ended[4]).toMatchObject({ attributes: { 'rampart.verdict': 'go', 'rampart.record': 'r1', 'rampart.cause': 'first' } });
  });

  it('is the only one that is followed', async () => {
    await store(undefined);
    await store(CLIENT);
    await until(['store feedback.v1']);
    expect(ended[0]).toMatchObject({ isError: false, attributes: { 'messaging.kafka.offset': 1, 'rampart.rows': 1 } });
  });
});
