/**
 * The log on Kafka ≥ 3.9: for platforms that run one, and for loads beyond one PostgreSQL.
 *
 * Known times are computed by readers from what Kafka stores, the same by everybody (kafka/known-times.ts). What Kafka can't store stands in a topic of the
 * log's own (kafka/kafka-index.ts). Each partition has one request of its own in flight; an append waits out an outage up to `patienceMs`,
 * and its messages are tried as long as somebody waits for them.
 */
import { Consumer, type Seat, type SeatEvents } from './consuming/consumer.js';
import {
  type Appended,
  type BatchLimits,
  type ConsumeOptions,
  EventLog,
  type Following,
  type FollowOptions,
  type LogMessage,
  type LogStats,
  type OutgoingMessage,
  type PartitionOffsets,
  type Subscription,
  type TopicState,
} from './event-log.js';
import { KafkaAppender } from './kafka/kafka-appender.js';
import { KafkaCatalogue } from './kafka/kafka-catalogue.js';
import { KafkaCluster } from './kafka/kafka-cluster.js';
import { explained } from './kafka/kafka-errors.js';
import { takeGroupSeat } from './kafka/kafka-group-seat.js';
import { KafkaIndex } from './kafka/kafka-index.js';
import type { MemberIdentity } from './kafka/kafka-membership.js';
import { type KafkaEventLogOptions, type KafkaSettings, settingsOf } from './kafka/kafka-options.js';
import { KafkaReader } from './kafka/kafka-reader.js';
import { type Standing, takeFollowerSeat } from './kafka/kafka-seat.js';
import { KafkaTopics } from './kafka/kafka-topics.js';
import { LogError } from './log-errors.js';
import { checkMessages } from './message-rules.js';

export type { KafkaEventLogOptions } from './kafka/kafka-options.js';

const defaultLimits = { maxMessages: 1_000, maxBytes: 8 * 2 ** 20 };

export class KafkaEventLog extends EventLog {
  private readonly settings: KafkaSettings;
  private readonly writing: KafkaCluster;
  private readonly reading: KafkaCluster;
  private readonly appender: KafkaAppender;
  private readonly topics: KafkaTopics;
  private readonly index: KafkaIndex;
  private readonly reader: KafkaReader;
  private readonly catalogue: KafkaCatalogue;
  private readonly consumers = new Set<Consumer>();
  private closing: Promise<void> | undefined;
  private isClosed = false;

  constructor(options: KafkaEventLogOptions) {
    super();
    this.settings = settingsOf(options);
    this.writing = new KafkaCluster(this.settings);
    this.reading = new KafkaCluster(this.settings);
    this.appender = new KafkaAppender({ ...this.settings, cluster: this.writing });
    this.topics = new KafkaTopics(this.settings, this.settings.topicSettings);
    this.index = new KafkaIndex(this.reading, (topic, messages) => this.appender.append(topic, messages));
    this.reader = new KafkaReader(this.reading, this.index);
    this.catalogue = new KafkaCatalogue({ topics: this.topics, index: this.index, reader: this.reader, appender: this.appender });
  }

  createTopic(spec: Parameters<EventLog['createTopic']>[0]): Promise<TopicState> {
    return this.asked(() => this.catalogue.create(spec));
  }

  describeTopic(topic: string): Promise<TopicState> {
    return this.asked(() => this.catalogue.recent(topic));
  }

  startGeneration(topic: string, change: { readonly partitions?: number } = {}): Promise<TopicState> {
    return this.asked(() => this.catalogue.startGeneration(topic, change.partitions));
  }

  async append(topic: string, messages: readonly OutgoingMessage[]): Promise<readonly Appended[]> {
    if (this.isClosed) throw closedError();
    if (messages.length === 0) return [];
    // All callers wait for the same promise, so that those who come before it is there keep their order.
    let state = await this.asked(() => this.catalogue.known(topic));
    // Another process may have opened a generation with more partitions.
    if (messages.some(({ partition }) => partition >= state.partitions)) state = await this.asked(() => this.catalogue.load(topic));
    checkMessages(state, messages);
    return this.appender.append(topic, messages);
  }

  consume(options: ConsumeOptions): Subscription {
    const { group, from } = options;
    const identity: MemberIdentity = { memberId: '', held: [] };
    return this.started(options, group, async (events) =>
      takeGroupSeat({ ...(await this.seatOptions(options)), sessionMs: this.settings.sessionMs, group, from, identity }, events),
    );
  }

  follow(options: FollowOptions): Following {
    const from = (options.from ?? []).map((offset, partition) => [partition, { offset, state: undefined }] as const);
    const positions = new Map<number, Standing>(from);
    return this.started(options, undefined, async (events) =>
      takeFollowerSeat({ ...(await this.seatOptions(options)), positions }, events),
    );
  }

  read({ topic, partition, offset, limit }: Parameters<EventLog['read']>[0]): Promise<readonly LogMessage[]> {
    return this.asked(async () => {
      const place = { topic: await this.catalogue.known(topic), partition, offset };
      return this.reader.read(place, { maxMessages: limit, maxBytes: defaultLimits.maxBytes });
    });
  }

  offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    return this.asked(async () => {
      await this.catalogue.known(topic);
      return this.reading.patiently(() => this.reading.bounds(topic));
    });
  }

  /** The broker compacts in its own time. */
  async compact(topic: string): Promise<number> {
    await this.describeTopic(topic);
    return 0;
  }

  dropBefore({ topic, partition, offset }: Parameters<EventLog['dropBefore']>[0]): Promise<number> {
    return this.asked(() => this.catalogue.dropBefore(topic, partition, offset));
  }

  stats(): LogStats {
    return { append: this.appender.stats(), consumers: [...this.consumers].map((consumer) => consumer.stats()) };
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  override async *readAll(topic: string): AsyncGenerator<LogMessage & { readonly partition: number }> {
    const { compacted } = await this.describeTopic(topic);
    if (!compacted) return yield* super.readAll(topic);
    // What the broker has not compacted away yet is superseded all the same.
    for (const { partition, earliest, end } of await this.offsets(topic)) {
      const current = new Map<string | null, LogMessage & { readonly partition: number }>();
      let offset = earliest;
      while (offset < end) {
        const messages = await this.read({ topic, partition, offset, limit: 1_000 });
        for (const message of messages) {
          current.delete(message.key);
          if (message.offset < end && message.value !== null) current.set(message.key, { ...message, partition });
        }
        offset = (messages.at(-1)?.offset ?? end) + 1;
      }
      yield* current.values();
    }
  }

  private async shutDown(): Promise<void> {
    // First the consumers: the batches in their hands may still have something to append.
    await Promise.all([...this.consumers].map((consumer) => consumer.close()));
    this.isClosed = true;
    await this.appender.close();
    await Promise.all([this.writing.close(), this.reading.close(), this.topics.close()]);
  }

  private async seatOptions(options: BatchLimits & { readonly topic: string }) {
    const limits = { maxMessages: options.maxMessages ?? defaultLimits.maxMessages, maxBytes: options.maxBytes ?? defaultLimits.maxBytes };
    return { ...this.settings, topic: await this.asked(() => this.catalogue.load(options.topic)), index: this.index, limits };
  }

  private started(options: ConsumeOptions | FollowOptions, group: string | undefined, connect: (events: SeatEvents) => Promise<Seat>) {
    if (this.closing !== undefined) throw closedError();
    const consumer: Consumer = new Consumer({
      topic: options.topic,
      group,
      handlers: options,
      roundMs: this.settings.roundMs,
      connect,
      onClosed: () => this.consumers.delete(consumer),
    });
    this.consumers.add(consumer);
    return consumer;
  }

  private async asked<T>(act: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw closedError();
    try {
      return await act();
    } catch (error) {
      throw explained(error);
    }
  }
}

const closedError = () => new LogError('log-closed', 'The log is closed.');
