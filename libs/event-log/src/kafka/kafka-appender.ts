/** The writing side: in each partition one request in flight, of that partition alone; what comes meanwhile goes into the next one. */
import type { Appended, AppendStats, OutgoingMessage } from '../event-log.js';
import { LogError, LogUnavailableError } from '../log-errors.js';
import type { KafkaCluster } from './kafka-cluster.js';
import { type Append, PartitionQueue } from './kafka-partition-queue.js';

export interface AppenderOptions {
  readonly cluster: KafkaCluster;
  readonly maxQueuedBytes: number;
  readonly patienceMs: number;
  readonly stampMs: (() => number) | undefined;
}

const bookkeepingBytes = 100;
const sweepMs = 100;

export class KafkaAppender {
  private readonly queues = new Map<string, PartitionQueue>();
  private readonly counted = { messages: 0, bytes: 0, commits: 0, overflowed: 0, failed: 0 };
  private queuedBytes = 0;
  private sweeping: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(private readonly options: AppenderOptions) {}

  /** The messages must be valid: topic and partitions exist, keys are there where they must be. */
  async append(topic: string, messages: readonly OutgoingMessage[]): Promise<readonly Appended[]> {
    if (this.isClosed) throw new LogError('log-closed', 'The log is closed: nothing can be appended any more.');
    let bytes = 0;
    for (const message of messages) bytes += sizeOf(message);
    const { maxQueuedBytes } = this.options;
    if (this.queuedBytes > 0 && this.queuedBytes + bytes > maxQueuedBytes) {
      this.counted.overflowed += 1;
      const text = `The log's queue is full: ${this.queuedBytes} of ${maxQueuedBytes} bytes wait to become durable. Try again in a second.`;
      throw new LogUnavailableError(text, 1_000);
    }
    try {
      const placed = await this.submit(topic, messages);
      this.counted.messages += messages.length;
      this.counted.bytes += bytes;
      return placed;
    } catch (error) {
      this.counted.failed += 1;
      throw error;
    }
  }

  stats(): AppendStats {
    return { ...this.counted, queuedBytes: this.queuedBytes };
  }

  /** Settles what was submitted; what an outage holds up is given up after the patience. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all([...this.queues.values()].map((queue) => queue.close()));
    clearInterval(this.sweeping);
  }

  private async submit(topic: string, messages: readonly OutgoingMessage[]): Promise<readonly Appended[]> {
    const parts = new Map<number, OutgoingMessage[]>();
    for (const message of messages) {
      const part = parts.get(message.partition);
      if (part === undefined) parts.set(message.partition, [message]);
      else part.push(message);
    }
    const entries = [...parts];
    // All or none: what one partition took of an append that another refused would come again, and be stored again, with the next attempt.
    for (const [partition] of entries) {
      const refusal = this.queue(topic, partition).refusal();
      if (refusal !== undefined) throw refusal;
    }
    const append: Append = { isGivenUp: false };
    const bases = await Promise.all(
      entries.map(([partition, part]) => {
        const bytes = part.reduce((sum, message) => sum + sizeOf(message), 0);
        return this.queue(topic, partition).submit(append, part, bytes);
      }),
    );
    const offsets = new Map(entries.map(([partition], index) => [partition, (bases[index] ?? [])[Symbol.iterator]()]));
    return messages.map(({ partition }) => ({ partition, offset: offsets.get(partition)?.next().value ?? Number.NaN }));
  }

  private queue(topic: string, partition: number): PartitionQueue {
    const name = `${topic}/${partition}`;
    const found = this.queues.get(name);
    if (found !== undefined) return found;
    const queue = new PartitionQueue(topic, partition, {
      ...this.options,
      onBytes: (change) => this.noticeBytes(change),
      onSent: () => {
        this.counted.commits += 1;
      },
    });
    this.queues.set(name, queue);
    return queue;
  }

  /** One clock for all that waits, and none while nothing does. */
  private noticeBytes(change: number): void {
    this.queuedBytes += change;
    if (this.queuedBytes > 0) {
      this.sweeping ??= setInterval(() => {
        for (const queue of this.queues.values()) queue.sweep();
      }, sweepMs);
      return;
    }
    clearInterval(this.sweeping);
    this.sweeping = undefined;
  }
}

const sizeOf = ({ key, value }: OutgoingMessage): number =>
  bookkeepingBytes + (value === null ? 0 : Buffer.byteLength(value)) + (key?.length ?? 0);
