/** The log: topics of partitions, each a sequence of messages in the order in which they became durable. */
import type { TopicSpec } from '@rampart/contracts';

export interface TopicState extends TopicSpec {
  /** 0 for a new log; rises when it was recreated, restored or repartitioned. */
  readonly generation: number;
}

export interface OutgoingMessage {
  readonly partition: number;
  /** Of a compacted topic: what later messages replace; never null there. */
  readonly key?: string | null;
  /** Strings travel as UTF-8. Null in a compacted topic removes the key. */
  readonly value: Uint8Array | string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Appended {
  readonly partition: number;
  readonly offset: number;
  /** Where the log tells it to writers (Kafka does not); readers always get it. */
  readonly knownAtUs?: number;
}

export interface LogMessage {
  /** Rises by one in a plain topic; a compacted one has gaps. */
  readonly offset: number;
  /** Of row 0 of this message: `positionOf(generation, offset, row)` gives the others. */
  readonly position: bigint;
  /** Strictly rising within a partition whatever a clock does; microseconds since the epoch. */
  readonly knownAtUs: number;
  /** What the log's clock said; for diagnosis only. */
  readonly appendedAtUs: number;
  readonly key: string | null;
  readonly value: Uint8Array | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface LogBatch {
  readonly topic: string;
  readonly partition: number;
  readonly generation: number;
  /** In offset order, at least one, all of this generation. */
  readonly messages: readonly LogMessage[];
}

/** A message without what it says. */
export type MessagePlace = Pick<LogMessage, 'offset' | 'position' | 'knownAtUs' | 'appendedAtUs'>;

export interface BatchControl {
  /** Aborts when the partition is given up or the consumer closes: finish soon; the outcome may no longer count. */
  readonly signal: AbortSignal;
  /** It was given before, alone or with others, and could not be processed. */
  readonly isRepeat: boolean;
  /**
   * The handler is done with the batch when this resolves, and returns before: the next batch is read meanwhile, and nothing of this one is kept in memory. When
   * it rejects, it and all behind it are read again and given as repeats, one after the other. Of a repeat it is waited for.
   */
  defer(done: Promise<void>): void;
}

/** Pauses between attempts double from `firstMs` to `maxMs`. */
export interface RetryPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** A batch holds at most `maxMessages` messages and ends with the one that reaches `maxBytes`. */
export interface BatchLimits {
  readonly maxMessages?: number;
  readonly maxBytes?: number;
}

export interface ConsumeOptions extends BatchLimits {
  readonly topic: string;
  /** Consumers of one group share the partitions. Its name is forever: the offsets hang on it. A new group starts at the earliest message. */
  readonly group: string;
  /** The first offset of each partition in which the group has none yet: what has everything before it already. The earliest message if absent. */
  readonly from?: readonly (number | undefined)[];
  readonly retry?: RetryPolicy;
  /**
   * Called for one batch at a time in each partition, for several partitions at once. The offset is committed after it resolves, and after what it defers to:
   * at least once.
   * An error with `retriable: false` splits the batch until the message that causes it is alone; any other error is retried for ever.
   */
  onBatch(batch: LogBatch, control: BatchControl): Promise<void>;
  /** Takes the message that can't be processed (to the dead letters); retried until it resolves, then the rest proceeds. */
  onPoison(poison: PoisonMessage): Promise<void>;
}

export interface PoisonMessage {
  readonly topic: string;
  readonly partition: number;
  readonly generation: number;
  readonly message: LogMessage;
  readonly error: unknown;
}

export interface FollowOptions extends BatchLimits {
  readonly topic: string;
  /** The first offset of each partition; everything from the earliest message if absent. */
  readonly from?: readonly number[];
  readonly retry?: RetryPolicy;
  /** As `onBatch`, but without a group: every follower gets everything, and every error is retried for ever. */
  onBatch(batch: LogBatch, control: BatchControl): Promise<void>;
}

export interface Subscription {
  /** Resolves after `close`; rejects with the sentence that stopped the consumer (an offset beyond the log's end). */
  readonly done: Promise<void>;
  stats(): ConsumerStats;
  /** Lets the batches in hand end, commits them and hands the partitions over. A handler that awaits it waits for itself. */
  close(): Promise<void>;
}

export interface Following extends Subscription {
  /** Resolves when everything that was in the log at the start has been delivered; rejects when it stops before. */
  readonly caughtUp: Promise<void>;
}

export interface PartitionOffsets {
  readonly partition: number;
  /** Of the first message that can be read, or lower where a compacted topic has gaps; equal to `end` when there is none. */
  readonly earliest: number;
  /** Of the next message to come. */
  readonly end: number;
}

export interface PartitionProgress {
  readonly partition: number;
  /** Of the next message to deliver. */
  readonly next: number;
  /** Messages behind the log's end, as of the last round. */
  readonly lag: number;
  readonly delivered: number;
  readonly poisoned: number;
  /** What keeps the batch in hand from being delivered. */
  readonly failing: { readonly attempts: number; readonly error: string } | undefined;
  /**
   * Known time − append time of the last message delivered, in microseconds: 0 or a few, unless the log's clock stepped back or servers disagree about the
   * time. Beyond a second, what "known at" says is no longer when it was written.
   */
  readonly skewUs?: number;
  /** Of messages that were read and are not delivered yet, read ahead included. */
  readonly heldBytes: number;
}

export interface ConsumerStats {
  readonly topic: string;
  /** Absent for a follower. */
  readonly group: string | undefined;
  readonly state: 'connecting' | 'running' | 'stopped';
  /** The last trouble of the connection or what stopped it. */
  readonly error: string | undefined;
  /** Those that this consumer owns now. */
  readonly partitions: readonly PartitionProgress[];
}

export interface AppendStats {
  readonly messages: number;
  readonly bytes: number;
  /** Durable transactions: messages / commits is the size of a group. */
  readonly commits: number;
  /** Appends refused because the queue was full. */
  readonly overflowed: number;
  /** Appends that failed because the log was away. */
  readonly failed: number;
  readonly queuedBytes: number;
}

export interface LogStats {
  readonly append: AppendStats;
  readonly consumers: readonly ConsumerStats[];
}

/** The port, and its token for dependency injection. */
export abstract class EventLog {
  /** Idempotent. @throws LogError `topic-differs` if it exists with another partition count or kind */
  abstract createTopic(spec: TopicSpec): Promise<TopicState>;

  /** @throws LogError `unknown-topic` */
  abstract describeTopic(topic: string): Promise<TopicState>;

  /**
   * Opens the next generation: positions rise above all earlier ones, known times continue beyond the greatest one of any partition, offsets go on.
   * On Kafka each partition of it begins with a tick that takes an offset.
   * For a log that was restored or gets more partitions; producers learn a new count at their next start.
   */
  abstract startGeneration(topic: string, change?: { readonly partitions?: number }): Promise<TopicState>;

  /**
   * Resolves when all messages are durable, in the order given. Messages of one partition keep their order, also over concurrent calls.
   * @throws LogUnavailableError when the queue is full or the log is away: retry after `retryAfterMs`; a retry may repeat messages
   * @throws LogError when a message can never be taken; nothing of the call was appended
   */
  abstract append(topic: string, messages: readonly OutgoingMessage[]): Promise<readonly Appended[]>;

  abstract consume(options: ConsumeOptions): Subscription;

  abstract follow(options: FollowOptions): Following;

  /** Up to `limit` messages from an offset on, in offset order; fewer when the log ends or after 8 MB. */
  abstract read(from: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    readonly limit: number;
  }): Promise<readonly LogMessage[]>;

  /** One entry per partition, in order. */
  abstract offsets(topic: string): Promise<readonly PartitionOffsets[]>;

  /**
   * Removes the tombstones of a compacted topic that are older than a day, and of a plain one all but the last of successive ticks that are older than an
   * hour; that says for how many offsets it stands (`offsetsIn`), and the first message of a partition stays. @returns how many.
   * On PostgreSQL a superseded message is gone at once, and tombstones when this is called. On Kafka both are the broker's business, in its own time
   * (never within a week of the append): reads may show superseded messages in between, and this does nothing and returns 0.
   */
  abstract compact(topic: string): Promise<number>;

  /** Removes the messages before an offset of a plain topic. @returns how many */
  abstract dropBefore(range: { readonly topic: string; readonly partition: number; readonly offset: number }): Promise<number>;

  abstract stats(): LogStats;

  /** Closes consumers and followers, then settles the appends in hand. Later calls are refused with `log-closed`. */
  abstract close(): Promise<void>;

  /** Every message from the earliest to the end as of now, partition by partition; of a compacted topic the current values. */
  async *readAll(topic: string): AsyncGenerator<LogMessage & { readonly partition: number }> {
    const { compacted } = await this.describeTopic(topic);
    for (const { partition, earliest, end } of await this.offsets(topic)) {
      let offset = earliest;
      while (offset < end) {
        const messages = await this.read({ topic, partition, offset, limit: 1000 });
        for (const message of messages) {
          if (message.offset < end && !(compacted && message.value === null)) yield { ...message, partition };
        }
        offset = (messages.at(-1)?.offset ?? end) + 1;
      }
    }
  }
}
