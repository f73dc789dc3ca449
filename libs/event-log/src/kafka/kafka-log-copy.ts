/**
 * The log out of a Kafka while it is written to, and into one that has none of it: the same messages at the same offsets, with the same known times, read on by
 * the same groups. So positions, rows that were stored by them, and what the log's own index says of them stay true.
 *
 * Known times are made of each batch's append time and first offset (known-times.ts), so batches are copied as they were, into topics that take the
 * time they are given until the copy is whole. Offsets that nothing is at any more are filled with records that say nothing: what compaction took, what was dropped,
 * where transactions ended, and the ticks between ticks, which are not worth their room.
 */
import { TICK_HEADER } from '@rampart/contracts';
import kafkajs from 'kafkajs';
import type { CopiedTopic, LogCopy } from '../log-copy.js';
import { LogError } from '../log-errors.js';
import { batchBytes, batchesIn, type CopiedBatch, type CopiedRecord } from './copied-batches.js';
import { claimOf } from './generation-marker.js';
import { KafkaCluster, type RawRecord } from './kafka-cluster.js';
import { codecOf } from './kafka-codecs.js';
import { explained } from './kafka-errors.js';
import { indexTopic } from './kafka-index.js';
import { type KafkaEventLogOptions, type KafkaSettings, settingsOf } from './kafka-options.js';
import { unreadError } from './kafka-records.js';
import { KafkaTopics } from './kafka-topics.js';
import { freshAhead } from './known-times.js';

const { CompressionTypes } = kafkajs;

const fetchBytes = 8 * 2 ** 20;
/** Records that say nothing go in batches of so many: some kilobytes each, packed. */
const fillersAtOnce = 20_000;
/** A time that no message's can be behind: a filler never moves a known time. Zero means "now" to kafkajs. */
const longAgoMs = 1;
/** In a compacted topic the last of them is all that stays, for a day. */
const fillerKey = Buffer.from('filler');
const packedAboveBytes = 2 ** 20;

export class KafkaLogCopy implements LogCopy {
  private readonly settings: KafkaSettings;
  private readonly cluster: KafkaCluster;
  private readonly topics: KafkaTopics;

  constructor(options: KafkaEventLogOptions) {
    this.settings = settingsOf(options);
    this.cluster = new KafkaCluster(this.settings);
    // Until a copy is whole its topics believe whoever writes.
    this.topics = new KafkaTopics(this.settings, { 'message.timestamp.type': 'CreateTime' });
  }

  async existing(topics: readonly string[]): Promise<readonly string[]> {
    const there = new Set(await this.topics.names());
    return [indexTopic, ...topics].filter((topic) => there.has(topic));
  }

  async survey(topics: readonly string[]): Promise<readonly CopiedTopic[]> {
    const found: CopiedTopic[] = [];
    for (const topic of await this.existing(topics)) {
      const { compacted } = await this.topics.describe(topic);
      const bounds = await this.cluster.patiently(() => this.cluster.bounds(topic));
      found.push({ topic, compacted, partitions: bounds.map(({ earliest, end }) => ({ earliest, end })) });
    }
    return found;
  }

  async *read({ topic, compacted, partitions }: CopiedTopic): AsyncGenerator<Buffer> {
    for (const [partition, { earliest, end }] of partitions.entries()) {
      const batches = this.batches(topic, partition, earliest, end);
      for await (const batch of compacted ? batches : withoutTicksBetween(batches, earliest)) yield batchBytes(batch);
    }
  }

  async write(copied: CopiedTopic, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const { topic, compacted, partitions } = copied;
    const spec = { topic, compacted, partitions: partitions.length };
    if (!(await this.topics.create(spec))) throw new LogError('topic-differs', `This Kafka has a topic ${topic} already.`);
    const ends = partitions.map(() => 0);
    for await (const batch of batchesIn(bytes)) {
      const { partition } = batch;
      ends[partition] = await this.fill(copied, partition, ends[partition] ?? 0, batch.firstOffset);
      ends[partition] = await this.append(copied, whole(batch, compacted));
    }
    for (const [partition, { earliest, end }] of partitions.entries()) {
      await this.fill(copied, partition, ends[partition] ?? 0, end);
      if (earliest > 0 && !compacted) await this.topics.dropBefore(topic, partition, earliest);
    }
  }

  async settle({ topic, compacted }: CopiedTopic): Promise<void> {
    await this.topics.configure({ topic, compacted });
  }

  async close(): Promise<void> {
    await Promise.all([this.cluster.close(), this.topics.close()]);
  }

  private async *batches(topic: string, partition: number, earliest: number, end: number): AsyncGenerator<CopiedBatch> {
    let offset = earliest;
    while (offset < end) {
      const { messages } = await this.cluster.patiently(() => this.cluster.fetch(topic, partition, offset, fetchBytes));
      const from = offset;
      for (const records of byBatch(messages)) {
        const [first, last] = [records[0], records.at(-1)];
        if (first === undefined || last === undefined || Number(last.offset) < from || Number(first.offset) >= end) continue;
        const codec = codecOf(first);
        if (codec !== undefined) throw unreadError(topic, partition, { codec, offset: Number(first.offset), last: Number(last.offset) });
        yield copied(partition, records, from);
        offset = Number(last.offset) + 1;
      }
      if (offset > from) continue;
      // Whatever is behind was compacted away; or the end of this batch was, and the next one did not fit into the answer.
      if (messages.length === 0 || messages.some((record) => Number(record.offset) >= end)) return;
      offset += 1;
    }
  }

  /** @returns the next offset */
  private async fill({ topic, compacted }: CopiedTopic, partition: number, from: number, to: number): Promise<number> {
    for (let at = from; at < to; ) {
      const messages = Array.from({ length: Math.min(fillersAtOnce, to - at) }, () => ({ ...filler(compacted), timestamp: longAgoMs }));
      await this.produce(topic, { partition, at, messages, isPacked: true });
      at += messages.length;
    }
    return Math.max(from, to);
  }

  private async append({ topic }: CopiedTopic, { partition, firstOffset, timestampMs, records }: CopiedBatch): Promise<number> {
    const bytes = records.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0);
    const messages = records.map(({ key, value, headers }) => ({ key, value, headers, timestamp: timestampMs }));
    await this.produce(topic, { partition, at: firstOffset, messages, isPacked: bytes > packedAboveBytes });
    return firstOffset + records.length;
  }

  private async produce(
    topic: string,
    { partition, at, messages, isPacked }: { partition: number; at: number; messages: readonly object[]; isPacked: boolean },
  ): Promise<void> {
    const request = {
      ...{ acks: -1, timeout: this.settings.persistenceMs, topicData: [{ topic, partitions: [{ partition, messages }] }] },
      compression: isPacked ? CompressionTypes.GZIP : CompressionTypes.None,
    };
    const answer = await this.cluster
      .patiently(async () => (await this.cluster.leader(topic, partition)).produce(request), this.settings.persistenceMs)
      .catch((error: unknown) => {
        throw explained(error);
      });
    const base = Number(answer.topics[0]?.partitions[0]?.baseOffset);
    if (base !== at)
      throw new LogError(
        'topic-differs',
        `${topic}/${partition} took at offset ${base} what was to be at ${at}: somebody writes into it, or a broker went away. Remove the topics that were made, and restore again.`,
      );
  }
}

const byBatch = (messages: readonly RawRecord[]): readonly (readonly RawRecord[])[] => {
  const batches: RawRecord[][] = [];
  let last: RawRecord['batchContext'] | undefined;
  for (const record of messages) {
    if (record.batchContext !== last) batches.push([]);
    last = record.batchContext;
    batches.at(-1)?.push(record);
  }
  return batches;
};

/** What lies before `from` was dropped, though its batch is there. */
const copied = (partition: number, records: readonly RawRecord[], from: number): CopiedBatch => {
  const [first] = records;
  const timestampMs = Number(first?.batchContext.maxTimestamp);
  const firstOffset = Number(first?.batchContext.firstOffset);
  return {
    ...{ partition, firstOffset, timestampMs },
    records: records
      .filter(({ offset }) => Number(offset) >= from)
      .map(({ offset, key, value, headers, isControlRecord }) =>
        isControlRecord === true ? { ...filler(false), offset: Number(offset) } : { offset: Number(offset), key, value, headers },
      ),
  };
};

const filler = (compacted: boolean): Omit<CopiedRecord, 'offset'> => ({
  key: compacted ? fillerKey : null,
  value: null,
  headers: { [TICK_HEADER]: Buffer.from('1') },
});

/** From its first offset to its last record without a gap, as Kafka takes it. */
const whole = (batch: CopiedBatch, compacted: boolean): CopiedBatch => {
  const { firstOffset, records } = batch;
  const length = (records.at(-1)?.offset ?? firstOffset) + 1 - firstOffset;
  if (length === records.length) return batch;
  const there = new Map(records.map((record) => [record.offset, record]));
  const all = Array.from({ length }, (_, index) => {
    const offset = firstOffset + index;
    return there.get(offset) ?? { ...filler(compacted), offset };
  });
  return { ...batch, records: all };
};

const isTicks = ({ records }: CopiedBatch): boolean =>
  records.every((record) => record.value === null && record.headers[TICK_HEADER] !== undefined && claimOf(record) === undefined);

/** Of ticks that follow each other the last stays, and those that the known times of later messages hang on: a clock has stepped back behind them. */
async function* withoutTicksBetween(batches: AsyncIterable<CopiedBatch>, earliest: number): AsyncGenerator<CopiedBatch> {
  let ahead = Number.NEGATIVE_INFINITY;
  let tick: CopiedBatch | undefined;
  for await (const batch of batches) {
    const fresh = freshAhead({ batchContext: { firstOffset: `${batch.firstOffset}`, maxTimestamp: `${batch.timestampMs}` } });
    const [isTick, isFirst] = [isTicks(batch), batch.firstOffset <= earliest];
    if (tick !== undefined && !(isTick && fresh >= ahead)) yield tick;
    tick = undefined;
    ahead = Math.max(ahead, fresh);
    if (isTick && !isFirst) tick = batch;
    else yield batch;
  }
  if (tick !== undefined) yield tick;
}
