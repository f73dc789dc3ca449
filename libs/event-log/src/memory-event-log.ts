/** The whole log in this process, for tests that are not about PostgreSQL. Nothing survives it. */
import { Consumer, type Seat, type SeatEvents } from './consuming/consumer.js';
import { checkedStart, type PartitionSource, readingOf } from './consuming/partition-loop.js';
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
import { LogError, LogUnavailableError } from './log-errors.js';
import { MemoryGroups } from './memory/memory-groups.js';
import { MemoryTopic } from './memory/memory-topic.js';
import { checkMessages, checkSameTopic, checkTopicSpec } from './message-rules.js';
import { TICKS_FOLD_AFTER_US } from './ticks.js';

/** What outlives a log's instance: several instances over one store are several processes over one server. */
export class MemoryStore {
  readonly topics = new Map<string, MemoryTopic>();
  readonly groups = new MemoryGroups();
  /** The log's clock, in microseconds; tests may set it. */
  nowUs: () => number = () => Date.now() * 1_000;
  /** Set: every call fails as it does while a server is away. */
  isAway = false;
}

/** Where a reader's offsets are kept. */
interface OffsetPlace {
  readonly who: string;
  stored(partition: number): number | undefined;
  commit(partition: number, next: number): void;
}

export interface MemoryEventLogOptions {
  readonly store?: MemoryStore;
  readonly maxQueuedBytes?: number;
}

const defaultLimits = { maxMessages: 1_000, maxBytes: 8 * 2 ** 20 };
const tombstoneLifeUs = 24 * 3_600 * 1_000_000;

export class MemoryEventLog extends EventLog {
  readonly store: MemoryStore;
  private readonly consumers = new Set<Consumer>();
  private readonly maxQueuedBytes: number;
  private readonly counted = { messages: 0, bytes: 0, commits: 0, overflowed: 0, failed: 0 };
  private queuedBytes = 0;
  private readonly inHand = new Set<Promise<unknown>>();
  private isClosing = false;
  private isClosed = false;

  constructor({ store = new MemoryStore(), maxQueuedBytes = 64 * 2 ** 20 }: MemoryEventLogOptions = {}) {
    super();
    this.store = store;
    this.maxQueuedBytes = maxQueuedBytes;
  }

  async createTopic(spec: Parameters<EventLog['createTopic']>[0]): Promise<TopicState> {
    checkTopicSpec(spec);
    this.checkThere();
    const topic = this.store.topics.get(spec.topic) ?? new MemoryTopic(spec);
    this.store.topics.set(spec.topic, topic);
    checkSameTopic(spec, topic.state());
    return topic.state();
  }

  async describeTopic(topic: string): Promise<TopicState> {
    return this.topic(topic).state();
  }

  async startGeneration(topic: string, { partitions }: { readonly partitions?: number } = {}): Promise<TopicState> {
    const found = this.topic(topic);
    const before = found.state().partitions;
    const count = partitions ?? before;
    checkTopicSpec({ topic, partitions: count });
    if (count < before) throw new LogError('topic-differs', `${topic} has ${before} partitions and can't get fewer (${count}).`);
    found.startGeneration(count);
    return found.state();
  }

  async append(topic: string, messages: readonly OutgoingMessage[]): Promise<readonly Appended[]> {
    const appending = this.appendLater(topic, messages);
    this.inHand.add(appending);
    try {
      return await appending;
    } finally {
      this.inHand.delete(appending);
    }
  }

  consume(options: ConsumeOptions): Subscription {
    const { topic, group } = options;
    const who = `Consumer group "${group}"`;
    return this.started(options, group, (events) => {
      const member = this.store.groups.join(`${group}/${topic}`, events);
      const place: OffsetPlace = {
        who,
        stored: (partition) => member.offset(partition) ?? options.from?.[partition],
        commit: (partition, next) => member.commit(partition, next),
      };
      return {
        survey: async () => ({ ...member.place(), offsets: this.topic(topic).offsets() }),
        acquire: async (partition) => member.acquire(partition),
        release: async (partition) => member.release(partition),
        source: (partition) => this.source(topic, partition, place, limitsOf(options)),
        leave: async () => member.leave(),
      };
    });
  }

  follow(options: FollowOptions): Following {
    const { topic, from } = options;
    const offsets = new Map(from?.entries());
    const place: OffsetPlace = {
      who: 'A follower',
      stored: (partition) => offsets.get(partition),
      commit: (partition, next) => offsets.set(partition, next),
    };
    return this.started(options, undefined, () => ({
      survey: async () => ({ rank: 0, members: 1, offsets: this.topic(topic).offsets() }),
      acquire: async () => true,
      release: async () => undefined,
      source: (partition) => this.source(topic, partition, place, limitsOf(options)),
      leave: async () => undefined,
    }));
  }

  async read({ topic, partition, offset, limit }: Parameters<EventLog['read']>[0]): Promise<readonly LogMessage[]> {
    return this.topic(topic).read(partition, offset, { maxMessages: limit, maxBytes: defaultLimits.maxBytes });
  }

  async offsets(topic: string): Promise<readonly PartitionOffsets[]> {
    return this.topic(topic).offsets();
  }

  async compact(topic: string): Promise<number> {
    const found = this.topic(topic);
    if (!found.state().compacted) return found.foldTicks(this.store.nowUs() - TICKS_FOLD_AFTER_US);
    return found.dropTombstones(this.store.nowUs() - tombstoneLifeUs);
  }

  async dropBefore({ topic, partition, offset }: Parameters<EventLog['dropBefore']>[0]): Promise<number> {
    return this.topic(topic).dropBefore(partition, offset);
  }

  stats(): LogStats {
    const consumers = [...this.consumers].map((consumer) => consumer.stats());
    return { append: { ...this.counted, queuedBytes: this.queuedBytes }, consumers };
  }

  async close(): Promise<void> {
    this.isClosing = true;
    await Promise.all([...this.consumers].map((consumer) => consumer.close()));
    this.isClosed = true;
    await Promise.allSettled(this.inHand);
  }

  private async appendLater(topic: string, messages: readonly OutgoingMessage[]): Promise<readonly Appended[]> {
    const found = this.topic(topic);
    checkMessages(found.state(), messages);
    const bytes = messages.reduce((sum, { value }) => sum + 100 + (value === null ? 0 : Buffer.byteLength(value)), 0);
    if (this.queuedBytes > 0 && this.queuedBytes + bytes > this.maxQueuedBytes) {
      this.counted.overflowed += 1;
      throw new LogUnavailableError(
        `The log's queue is full: ${this.queuedBytes} of ${this.maxQueuedBytes} bytes wait. Try again in a second.`,
        1_000,
      );
    }
    this.queuedBytes += bytes;
    // Durable later, as everywhere: nobody may rely on an append that is there at once.
    await new Promise((resolve) => setImmediate(resolve));
    this.queuedBytes -= bytes;
    if (this.store.isAway) this.counted.failed += 1;
    this.checkAway();
    const appended = found.append(messages, this.store.nowUs());
    this.counted.messages += messages.length;
    this.counted.bytes += bytes;
    this.counted.commits += 1;
    return appended;
  }

  private source(name: string, partition: number, place: OffsetPlace, limits: Required<BatchLimits>): PartitionSource {
    const topic = this.topic(name);
    const { compacted } = topic.state();
    return {
      topic: name,
      compacted,
      start: async () => {
        const bounds = topic.offsets()[partition] ?? { earliest: 0, end: 0 };
        return checkedStart(place.stored(partition) ?? bounds.earliest, { who: place.who, topic: name, partition, compacted, ...bounds });
      },
      read: async (from) => {
        this.checkAway();
        return readingOf(name, partition, topic.read(partition, from, limits), limits);
      },
      commit: async ({ offset }) => {
        this.checkAway();
        place.commit(partition, offset + 1);
      },
    };
  }

  private started(options: ConsumeOptions | FollowOptions, group: string | undefined, sit: (events: SeatEvents) => Seat): Consumer {
    if (this.isClosing) throw new LogError('log-closed', 'The log is closed.');
    const consumer: Consumer = new Consumer({
      topic: options.topic,
      group,
      handlers: options,
      roundMs: 100,
      connect: async (events) => {
        const { listeners } = this.topic(options.topic);
        const seat = sit(events);
        listeners.add(events);
        const leave = () => {
          listeners.delete(events);
          return seat.leave(false);
        };
        return { ...seat, leave };
      },
      onClosed: () => this.consumers.delete(consumer),
    });
    this.consumers.add(consumer);
    return consumer;
  }

  private topic(name: string): MemoryTopic {
    this.checkThere();
    const topic = this.store.topics.get(name);
    if (topic === undefined) throw new LogError('unknown-topic', `The log has no topic "${name}". Create it first: createTopic.`);
    return topic;
  }

  private checkThere(): void {
    if (this.isClosed) throw new LogError('log-closed', 'The log is closed.');
    this.checkAway();
  }

  private checkAway(): void {
    if (this.store.isAway) throw new LogUnavailableError('The log is away. Try again in a second.', 1_000);
  }
}

const limitsOf = ({ maxMessages, maxBytes }: BatchLimits): Required<BatchLimits> => ({
  maxMessages: maxMessages ?? defaultLimits.maxMessages,
  maxBytes: maxBytes ?? defaultLimits.maxBytes,
});
