/** The log out of one Kafka and into another one that has nothing of it: whoever reads it there sees what he saw here. */
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TICK_HEADER } from '@rampart/contracts';
import { type OwnKafka, ownKafka } from '@rampart/test-engines';
import { appendTexts, eventually, freshTopic, Recorder, textOf } from './contract/harness.js';
import type { EventLog, LogMessage } from './event-log.js';
import { batchBytes, batchesIn } from './kafka/copied-batches.js';
import { kafkaOf } from './kafka/kafka-cluster.js';
import { KafkaLogCopy } from './kafka/kafka-log-copy.js';
import { KafkaEventLog } from './kafka-event-log.js';
import type { CopiedTopic } from './log-copy.js';
import { isTick } from './ticks.js';

const settableClock = {
  ...{ 'message.timestamp.type': 'CreateTime', 'message.timestamp.after.max.ms': '9223372036854775807' },
  // So that a test sees holes.
  ...{ 'min.compaction.lag.ms': '0', 'segment.ms': '200', 'min.cleanable.dirty.ratio': '0.01' },
};
const startMs = 1_700_000_000_000;

let nowMs = startMs;
let log: EventLog;
/** Both their own: compaction is in no hurry on a shared one, and a copy goes where there is nothing. */
let [here, there]: readonly [OwnKafka?, OwnKafka?] = [];
let names: { readonly events: string; readonly heads: string; readonly odd: string };
let last: readonly CopiedTopic[] = [];

const tick = async (topic: string, partition = 0): Promise<void> => {
  await log.append(topic, [{ partition, value: null, headers: { [TICK_HEADER]: '1' } }]);
  nowMs += 1_000;
};

const allOf = async (of: EventLog, topic: string, partitions: number): Promise<readonly (readonly LogMessage[])[]> =>
  Promise.all(Array.from({ length: partitions }, (_, partition) => of.read({ topic, partition, offset: 0, limit: 10_000 })));

/** What is left of it without ticks, whose places may be told by another one. */
const told = (messages: readonly LogMessage[] = []) =>
  messages
    .filter((message) => !isTick(message))
    .map(({ appendedAtUs: _, value, ...message }) => ({ ...message, value: value === null ? null : textOf({ value }) }));

const brokersOf = (kafka: OwnKafka | undefined): readonly string[] => kafka?.brokers.split(',') ?? [];
const opened = (kafka: OwnKafka | undefined, topicSettings = {}) =>
  new KafkaEventLog({ brokers: brokersOf(kafka), roundMs: 50, sessionMs: 1_500, topicSettings, stampMs: () => nowMs });

beforeAll(async () => {
  [here, there] = await Promise.all([ownKafka(), ownKafka()]);
  log = opened(here, settableClock);
  names = { events: await freshTopic(log), heads: await freshTopic(log, { compacted: true }), odd: await freshTopic(log) };
  const { events, heads, odd } = names;
  // Events among ticks, a clock that steps back an hour, a beginning that is dropped, more partitions, a group that has read some of it.
  await appendTexts(log, events, ['dropped', 'first']);
  for (let n = 0; n < 50; n += 1) await tick(events);
  await appendTexts(log, events, ['between ticks', 'in one batch']);
  for (let n = 0; n < 5; n += 1) await tick(events);
  nowMs -= 3_600_000;
  for (let n = 0; n < 20; n += 1) await tick(events);
  await appendTexts(log, events, ['an hour before what it follows']);
  await log.dropBefore({ topic: events, partition: 0, offset: 1 });
  const recorder = new Recorder();
  const reading = log.consume(recorder.options(events, 'readers'));
  await eventually('the group has read it', () => recorder.texts.includes('an hour before what it follows'));
  await reading.close();
  nowMs += 7_200_000;
  await log.startGeneration(events, { partitions: 2 });
  await appendTexts(log, events, ['of another generation'], 1);
  await log.append(events, [{ partition: 0, value: 'with headers', key: 'k', headers: { traceparent: '00-x', ['__proto__']: 'y' } }]);
  for (let n = 0; n < 10; n += 1) await tick(events, 1);
  // Heads that replace each other, so that compaction leaves holes.
  for (let n = 0; n < 30; n += 1) {
    await log.append(heads, [{ partition: 0, key: n % 7 === 0 ? `kept ${n}` : 'head', value: `${n}` }]);
    nowMs += n === 20 ? -60_000 : 20;
  }
  await log.append(heads, [{ partition: 0, key: 'kept 7', value: null }]);
  await eventually('compaction has run', async () => {
    nowMs += 1_000;
    await log.append(heads, [{ partition: 0, key: 'head', value: 'newest' }]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const [, second] = await log.read({ topic: heads, partition: 0, offset: 0, limit: 2 });
    return second?.offset !== 1;
  });
  // What others wrote: transactions leave a place of their own.
  const producer = kafkaOf({ brokers: brokersOf(here), clientId: 'stranger', patienceMs: 10_000 }, { retries: 8 }).producer({
    ...{ transactionalId: odd, idempotent: true, maxInFlightRequests: 1 },
  });
  await producer.connect();
  const transaction = await producer.transaction();
  await transaction.send({ topic: odd, messages: [{ partition: 0, value: 'one', headers: { twice: ['a', 'b'] } }] });
  await transaction.commit();
  await producer.disconnect();
  await appendTexts(log, odd, ['after it']);
  // A coordinator answers a commit before its partitions know of it.
  await eventually(
    'both can be read',
    async () => told(await log.read({ topic: odd, partition: 0, offset: 0, limit: 10_000 })).length >= 2,
  );
}, 90_000);

afterAll(async () => {
  await log?.close();
  await Promise.all([here?.stop(), there?.stop()]);
});

const copyOver = async (): Promise<void> => {
  const [from, to] = [new KafkaLogCopy({ brokers: brokersOf(here) }), new KafkaLogCopy({ brokers: brokersOf(there) })];
  try {
    const topics = Object.values(names);
    expect(await to.existing(topics)).toEqual([]);
    last = await from.survey(topics);
    // What comes later belongs to another moment.
    await appendTexts(log, names.events, ['too late']);
    for (const one of last) await to.write(one, from.read(one));
    for (const one of last) await to.settle(one);
    expect([...(await to.existing(topics))].toSorted()).toEqual(['log-index.v1', ...topics].toSorted());
  } finally {
    await Promise.all([from.close(), to.close()]);
  }
};

describe('a log that was copied to another Kafka', () => {
  it('has every message at its place, with its position and its known time, whatever clock, compaction and generations did', async () => {
    const before = await Promise.all([allOf(log, names.events, 2), allOf(log, names.heads, 1), allOf(log, names.odd, 1)]);
    await copyOver();
    const other = opened(there);
    const after = await Promise.all([allOf(other, names.events, 2), allOf(other, names.heads, 1), allOf(other, names.odd, 1)]);
    for (const [index, partitions] of before.entries())
      for (const [partition, messages] of partitions.entries()) expect(told(after[index]?.[partition])).toEqual(told(messages));
    expect(told(before[0]?.[0]).map(({ value }) => value)).toEqual([
      ...['first', 'between ticks', 'in one batch', 'an hour before what it follows', 'with headers'],
    ]);
    for (const { topic, partitions } of last.filter(({ topic }) => topic !== 'log-index.v1'))
      expect(await other.offsets(topic)).toEqual(partitions.map((one, partition) => ({ partition, ...one })));
    for (const topic of Object.values(names)) expect(await other.describeTopic(topic)).toEqual(await log.describeTopic(topic));
    await other.close();
  }, 60_000);

  it('is read on by its groups behind what they have read, and goes on behind its newest known time', async () => {
    const other = opened(there);
    const recorder = new Recorder();
    const reading = other.consume(recorder.options(names.events, 'readers'));
    await appendTexts(other, names.events, ['appended there'], 1);
    await eventually('it is read on', () => recorder.events.length >= 3);
    expect([...recorder.events].toSorted()).toEqual(['appended there', 'of another generation', 'with headers']);
    await reading.close();
    const [, second = []] = await allOf(other, names.events, 2);
    const [newest, ...older] = second.toReversed();
    expect(newest?.knownAtUs).toBeGreaterThan(Math.max(...older.map(({ knownAtUs }) => knownAtUs)));
    // The broker's own time again, not that of whoever writes.
    expect(Math.abs((newest?.appendedAtUs ?? 0) / 1_000 - Date.now())).toBeLessThan(600_000);
    await other.close();
  }, 30_000);

  it('is written over nothing that is there', async () => {
    const to = new KafkaLogCopy({ brokers: brokersOf(there) });
    const [, events] = last;
    await expect(to.write(events as CopiedTopic, Readable.from([]))).rejects.toMatchObject({ code: 'topic-differs' });
    await to.close();
  });

  it('leaves out ticks between ticks', async () => {
    const from = new KafkaLogCopy({ brokers: brokersOf(here) });
    const events = last.find(({ topic }) => topic === names.events) as CopiedTopic;
    let ticks = 0;
    for await (const { records } of batchesIn(from.read(events))) if (records.every(({ value }) => value === null)) ticks += 1;
    // Of five runs the last of each, two markers of a generation, and the tick before the clock stepped back with what hangs on it.
    expect(ticks).toBeGreaterThanOrEqual(5);
    expect(ticks).toBeLessThan(50);
    await from.close();
  });

  it('is refused where its bytes are not what was written', async () => {
    const bytes = batchBytes({
      partition: 0,
      firstOffset: 7,
      timestampMs: 5,
      records: [{ offset: 7, key: null, value: Buffer.from('x'), headers: {} }],
    });
    const read = async (...parts: readonly Buffer[]) => {
      const found = [];
      for await (const batch of batchesIn(Readable.from(parts))) found.push(batch);
      return found;
    };
    expect(await read(bytes.subarray(0, 9), Buffer.concat([bytes.subarray(9), bytes]))).toHaveLength(2);
    await expect(read(bytes.subarray(0, 30))).rejects.toThrow('not what was written');
    await expect(read(Buffer.from('hello, this is no batch at all'))).rejects.toThrow('not what was written');
  });
});
