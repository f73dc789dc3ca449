/** What waits to be appended to one partition, and the one request in flight. */
import { AppendPace } from '../append-pace.js';
import type { OutgoingMessage } from '../event-log.js';
import { LogError, LogUnavailableError } from '../log-errors.js';
import type { KafkaCluster, ProducedMessage } from './kafka-cluster.js';
import { delayed, explained, isStale } from './kafka-errors.js';

export interface QueueOptions {
  readonly cluster: KafkaCluster;
  readonly patienceMs: number;
  readonly persistenceMs: number;
  readonly stampMs: (() => number) | undefined;
  onBytes(change: number): void;
  onSent(): void;
}

interface Waiting {
  readonly messages: readonly OutgoingMessage[];
  readonly bytes: number;
  readonly sinceMs: number;
  readonly resolve: (offsets: readonly number[]) => void;
  readonly reject: (error: Error) => void;
  /** The caller was told that the log is away; the messages may still be in flight. */
  isGivenUp: boolean;
}

const maxGroupBytes = 4 * 2 ** 20;
const maxGroupMessages = 5_000;

export class PartitionQueue {
  private waiting: Waiting[] = [];
  private inFlight: readonly Waiting[] = [];
  private running: Promise<void> | undefined;
  private failingSinceMs: number | undefined;
  private trouble: unknown;
  private closedAtMs: number | undefined;
  private readonly pace = new AppendPace({ maxGroupBytes });
  private queuedBytes = 0;
  private sentAtMs: number | undefined;

  constructor(
    private readonly topic: string,
    private readonly partition: number,
    private readonly options: QueueOptions,
  ) {}

  /** @returns the offsets, in order */
  submit(messages: readonly OutgoingMessage[], bytes: number): Promise<readonly number[]> {
    // Nobody has to find out for himself, by waiting, that the log is away.
    if (this.running !== undefined && this.failsFor() > this.options.patienceMs) return Promise.reject(this.away());
    const inHandMs = this.sentAtMs === undefined ? 0 : performance.now() - this.sentAtMs;
    if (this.queuedBytes > 0 && this.pace.waitMs(this.queuedBytes, inHandMs) > this.options.patienceMs / 2) {
      return Promise.reject(
        new LogUnavailableError(`${this.topic}/${this.partition} is slow, and too much waits already. Try again in a second.`, 1_000),
      );
    }
    this.noteBytes(bytes);
    return new Promise((resolve, reject) => {
      this.waiting.push({ messages, bytes, sinceMs: performance.now(), resolve, reject, isGivenUp: false });
      this.running ??= this.run();
    });
  }

  /** Tells those who have waited long enough. What was not sent is not sent any more. */
  sweep(): void {
    const oldest = performance.now() - this.options.patienceMs;
    const isLate = ({ sinceMs, isGivenUp }: Waiting) => !isGivenUp && sinceMs < oldest;
    for (const one of this.inFlight) if (isLate(one)) this.giveUp(one);
    if (!this.waiting.some(isLate)) return;
    for (const one of this.waiting) if (isLate(one)) this.giveUp(one);
    for (const one of this.waiting) if (one.isGivenUp) this.noteBytes(-one.bytes);
    this.waiting = this.waiting.filter((one) => !one.isGivenUp);
  }

  async close(): Promise<void> {
    this.closedAtMs = performance.now();
    await this.running;
  }

  private async run(): Promise<void> {
    // Everything submitted in the same turn belongs to the first request.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      this.inFlight = this.nextGroup();
      const bytes = this.inFlight.reduce((sum, one) => sum + one.bytes, 0);
      this.sentAtMs = performance.now();
      await this.settle(this.inFlight);
      this.pace.took(bytes, performance.now() - this.sentAtMs);
      this.sentAtMs = undefined;
      this.noteBytes(-bytes);
      this.inFlight = [];
    }
    this.running = undefined;
  }

  private noteBytes(change: number): void {
    this.queuedBytes += change;
    this.options.onBytes(change);
  }

  private nextGroup(): readonly Waiting[] {
    let count = 0;
    let bytes = 0;
    let messages = 0;
    for (const one of this.waiting) {
      bytes += one.bytes;
      messages += one.messages.length;
      if (count > 0 && (bytes > this.pace.groupBytes || messages > maxGroupMessages)) break;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  private async settle(group: readonly Waiting[]): Promise<void> {
    try {
      const offsets: number[] = [];
      for (const part of partsOf(group.flatMap(({ messages }) => messages))) {
        const base = await this.send(part);
        for (let index = 0; index < part.length; index += 1) offsets.push(base + index);
      }
      let at = 0;
      for (const { messages, resolve } of group) {
        resolve(offsets.slice(at, at + messages.length));
        at += messages.length;
      }
    } catch (error) {
      // One message of several may be to blame.
      if (group.length > 1 && error instanceof LogError) {
        for (const one of group) await this.settle([one]);
        return;
      }
      for (const { reject } of group) reject(explained(error));
    }
  }

  /** @returns the offset of the first; tried until it is there, or for so long that nobody can want it any more */
  private async send(messages: readonly OutgoingMessage[]): Promise<number> {
    const { cluster, stampMs, patienceMs, onSent } = this.options;
    const timestamp = stampMs?.();
    const records = messages.map((message) => producedOf(message, timestamp));
    const topicData = [{ topic: this.topic, partitions: [{ partition: this.partition, messages: records }] }];
    for (let attempt = 1; ; attempt += 1) {
      try {
        const broker = await cluster.leader(this.topic, this.partition);
        const { topics } = await broker.produce({ acks: -1, timeout: patienceMs, topicData });
        const base = topics[0]?.partitions[0]?.baseOffset;
        if (base === undefined) throw new Error('The broker acknowledged an append without its offset.');
        cluster.worked();
        onSent();
        this.failingSinceMs = undefined;
        return Number(base);
      } catch (error) {
        if (!isStale(error)) throw this.refusal(error);
        this.trouble = error;
        this.failingSinceMs ??= performance.now();
        if (this.isHopeless()) throw this.away();
      }
      await delayed(attempt);
      await cluster.refresh();
    }
  }

  private isHopeless(): boolean {
    const { patienceMs, persistenceMs } = this.options;
    if (this.closedAtMs !== undefined && performance.now() - this.closedAtMs > patienceMs) return true;
    return this.failsFor() > persistenceMs;
  }

  private failsFor(): number {
    return this.failingSinceMs === undefined ? 0 : performance.now() - this.failingSinceMs;
  }

  private giveUp(one: Waiting): void {
    one.isGivenUp = true;
    one.reject(this.away());
  }

  private away(): LogUnavailableError {
    const { trouble } = this;
    const reason = trouble instanceof Error ? trouble.message : 'no answer yet';
    return new LogUnavailableError(
      `The log's Kafka can't take ${this.topic}/${this.partition} now (${reason}). Try again in a second.`,
      1_000,
      {
        cause: trouble,
      },
    );
  }

  private refusal(error: unknown): Error {
    const reason = error instanceof Error ? error.message : String(error);
    return new LogError('message-refused', `Kafka refuses messages of ${this.topic}/${this.partition}: ${reason}`, { cause: error });
  }
}

const partsOf = (messages: readonly OutgoingMessage[]): readonly (readonly OutgoingMessage[])[] => {
  if (messages.length <= 1) return [messages];
  const parts: OutgoingMessage[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = message.value === null ? 0 : Buffer.byteLength(message.value);
    const last = parts.at(-1);
    if (last === undefined || last.length >= maxGroupMessages || bytes + size > maxGroupBytes) {
      parts.push([message]);
      bytes = size;
    } else {
      last.push(message);
      bytes += size;
    }
  }
  return parts;
};

const producedOf = ({ key = null, value, headers }: OutgoingMessage, timestamp: number | undefined): ProducedMessage => ({
  key,
  // kafkajs takes strings and Buffers only.
  value:
    value === null || typeof value === 'string' || Buffer.isBuffer(value)
      ? value
      : Buffer.from(value.buffer, value.byteOffset, value.length),
  ...(headers === undefined ? {} : { headers }),
  ...(timestamp === undefined ? {} : { timestamp }),
});
