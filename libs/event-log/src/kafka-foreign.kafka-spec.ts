/** The log on Kafka among records that others wrote: whatever they are, no partition stops without saying why, and no time or position changes. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RAW_FEEDBACK } from '@rampart/contracts';
import { kafkaAddress } from '@rampart/test-engines';
import { CompressionCodecs, CompressionTypes, type IHeaders, type Kafka, type Producer } from 'kafkajs';
import { appendTexts, eventually, freshTopic, Recorder, textOf } from './contract/harness.js';
import { kafkaOf } from './kafka/kafka-cluster.js';
import { KafkaEventLog } from './kafka-event-log.js';
import { partsOfPosition } from './positions.js';
import { isTick } from './ticks.js';

const brokers = kafkaAddress().split(',');

/** A frame of LZ4 around what is not compressed: header, one stored block, end. */
const lz4Frame = (bytes: Buffer): Buffer => {
  const size = Buffer.alloc(4);
  size.writeUInt32LE((bytes.length | 0x8000_0000) >>> 0);
  return Buffer.concat([Buffer.from('04224d18604082', 'hex'), size, bytes, Buffer.alloc(4)]);
};

describe('the log on Kafka, among what others write', () => {
  let log: KafkaEventLog;
  let kafka: Kafka;
  let producer: Producer;
  beforeAll(async () => {
    log = new KafkaEventLog({ brokers, roundMs: 50, sessionMs: 1_500 });
    kafka = kafkaOf({ brokers, clientId: 'stranger', patienceMs: 10_000 }, { retries: 8, initialRetryTime: 50 });
    producer = kafka.producer();
    await producer.connect();
  });
  afterAll(async () => {
    await producer?.disconnect();
    await log?.close();
  });

  it('reads a record with ten thousand headers in no time', async () => {
    const topic = await freshTopic(log);
    await write(topic, 'much', { ...Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`h${n}`, 'x'])), ['__proto__']: 'y' });
    const begun = performance.now();
    const [message] = await log.read({ topic, partition: 0, offset: 0, limit: 1 });
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect(Object.keys(message?.headers ?? {})).toHaveLength(10_001);
  });

  it('stops at a batch that gzip has made a thousand times smaller, before it fills the memory', async () => {
    const topic = await freshTopic(log);
    const bomb = Array.from({ length: 12 }, () => ({ partition: 0, value: Buffer.alloc(4 * 2 ** 20) }));
    await producer.send({ topic, acks: -1, compression: CompressionTypes.GZIP, messages: bomb });
    await expect(log.read({ topic, partition: 0, offset: 0, limit: 1 })).rejects.toThrow(/offset 0: .* to 11 at least.* gzip to more than/);
  });

  const write = (topic: string, value: string | null, headers: IHeaders = {}, partition = 0) =>
    producer.send({ topic, acks: -1, messages: [{ partition, value, headers }] });

  /** In one batch. */
  const writeLz4 = async (topic: string, values: readonly string[], partition = 0) => {
    const registered = CompressionCodecs[CompressionTypes.LZ4];
    CompressionCodecs[CompressionTypes.LZ4] = () => ({ compress: async ({ buffer }: { buffer: Buffer }) => lz4Frame(buffer) });
    try {
      const messages = values.map((value) => ({ partition, value }));
      await producer.send({ topic, acks: -1, compression: CompressionTypes.LZ4, messages });
    } finally {
      CompressionCodecs[CompressionTypes.LZ4] = registered;
    }
  };

  it.each([
    ['of a generation that no position has room for', '999:1'],
    ['of a time in a thousand years', `1:${32_000_000_000_000_000}`],
    ['of the generation that is', `0:${8_000_000_000_000_000}`],
    ['with a token that was guessed', `1:${'0'.repeat(32)}`],
    ['that nobody can read', '…'],
  ])('takes a marker %s for an ordinary message', async (_, marker) => {
    const topic = await freshTopic(log);
    const recorder = new Recorder();
    await appendTexts(log, topic, ['before']);
    await write(topic, null, { 'rampart-generation': marker, tick: '1' });
    await appendTexts(log, topic, ['after']);
    const consumer = log.consume(recorder.options(topic, 'g'));
    await recorder.until(3);
    expect(recorder.texts.slice(-3)).toEqual(['before', null, 'after']);
    for (const { position, knownAtUs, appendedAtUs } of recorder.messages) {
      expect(partsOfPosition(position).generation).toBe(0);
      expect(knownAtUs - appendedAtUs).toBeLessThan(1_000);
    }
    expect(consumer.stats()).toMatchObject({ state: 'running', error: undefined });
  });

  it('begins a generation once, though its marker is written again by somebody who saw it', async () => {
    const topic = await freshTopic(log);
    await appendTexts(log, topic, ['old']);
    await log.startGeneration(topic);
    const [, marker] = await log.read({ topic, partition: 0, offset: 0, limit: 10 });
    await log.startGeneration(topic);
    await appendTexts(log, topic, ['new']);
    await write(topic, null, { ...marker?.headers });
    await appendTexts(log, topic, ['newest']);
    const other = new KafkaEventLog({ brokers });
    for (const reader of [log, other]) {
      const messages = await reader.read({ topic, partition: 0, offset: 0, limit: 10 });
      expect(messages.map(({ position }) => partsOfPosition(position).generation)).toEqual([0, 1, 2, 2, 2, 2]);
      expect(messages.map(textOf)).toEqual(['old', null, null, 'new', null, 'newest']);
    }
    await other.close();
  });

  it('reads on over entries in its index that it has not written', async () => {
    for (const [key, value] of [
      ['not JSON', 'x'],
      ['["group","g"]', '{'],
      [null, 'x'],
      ['7', 'null'],
      ['["start","t",999,"x"]', '{"aboveUs":1}'],
    ] as const) {
      await producer.send({ topic: 'log-index.v1', acks: -1, messages: [{ key: key ?? 'none', value }] });
    }
    const other = new KafkaEventLog({ brokers });
    const topic = await freshTopic(other);
    expect(await other.startGeneration(topic)).toMatchObject({ generation: 1 });
    await other.close();
  });

  it('gives what a transaction leaves behind as messages without content', async () => {
    const topic = await freshTopic(log);
    const transactional = kafka.producer({ transactionalId: topic, idempotent: true, maxInFlightRequests: 1 });
    await transactional.connect();
    for (const value of ['one', 'two']) {
      const transaction = await transactional.transaction();
      await transaction.send({ topic, messages: [{ partition: 0, value }] });
      await transaction.commit();
    }
    await transactional.disconnect();
    const recorder = new Recorder();
    log.consume(recorder.options(topic, 'g'));
    await recorder.until(4);
    expect(recorder.texts).toEqual(['one', null, 'two', null]);
    expect(recorder.messages.map(isTick)).toEqual([false, true, false, true]);
  }, 30_000);

  it('has the broker pack anew what services write in compressions that it can’t read', async () => {
    await log.createTopic({ topic: RAW_FEEDBACK, partitions: 1, compacted: false });
    await writeLz4(RAW_FEEDBACK, ['a', 'b', 'c']);
    const recorder = new Recorder();
    log.consume(recorder.options(RAW_FEEDBACK, `g-${process.pid}`));
    await eventually('what was written', () => recorder.texts.slice(-3).join() === 'a,b,c');
  });

  it('stops at records that it can’t decompress, says which and what to do, and reads the other partitions on', async () => {
    const topic = await freshTopic(log, { partitions: 2 });
    await appendTexts(log, topic, ['good']);
    await writeLz4(topic, ['x', 'y', 'z']);
    await appendTexts(log, topic, ['behind']);
    const recorder = new Recorder();
    const consumer = log.consume(recorder.options(topic, 'g'));
    await eventually('the trouble', () => (consumer.stats().partitions[0]?.failing?.attempts ?? 0) > 2);
    const [stuck] = consumer.stats().partitions;
    expect(stuck).toMatchObject({ partition: 0, next: 1, lag: 4 });
    expect(stuck?.failing?.error).toMatch(new RegExp(`^${topic}/0 .* offset 1: .* to 3 .* LZ4`));
    expect(stuck?.failing?.error).toContain('compression.type=gzip');
    await appendTexts(log, topic, ['elsewhere'], 1);
    await eventually('the other partition', () => recorder.texts.includes('elsewhere'));
    expect(new Set(recorder.texts)).toEqual(new Set(['good', 'elsewhere']));
    expect((await log.read({ topic, partition: 0, offset: 0, limit: 10 })).map(textOf)).toEqual(['good']);
    await expect(log.read({ topic, partition: 0, offset: 1, limit: 10 })).rejects.toMatchObject({ code: 'unreadable-records' });
    // What the sentence says to do.
    await consumer.close();
    const admin = kafka.admin();
    await admin.connect();
    await admin.setOffsets({ groupId: `g.${topic}`, topic, partitions: [{ partition: 0, offset: '4' }] });
    await admin.disconnect();
    log.consume(recorder.options(topic, 'g'));
    await eventually('what is behind', () => recorder.texts.includes('behind'));
    const [behind] = await log.read({ topic, partition: 0, offset: 4, limit: 1 });
    expect(recorder.messages.find((message) => textOf(message) === 'behind')?.knownAtUs).toBe(behind?.knownAtUs);
  }, 30_000);
});
