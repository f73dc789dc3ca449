/** What waits to be appended to one partition, and the one request in flight. */
import { AppendPace } from '../append-pace.js';
import type { OutgoingMessage } from '../event-log.js';
import { LogError, LogUnavailableError } from '../log-errors.js';
import type { KafkaCluster, ProducedMessage } from './kafka-cluster.js';
import { delayed, explained, isStale } from './kafka-errors.js';

export interface QueueOptions {
  readonly cluster: KafkaCluster;
  readonly patienceMs: number;
  readonly stampMs: (() => number) | undefined;
  onBytes(change: number): void;
  onSent(): void;
}

/** What one caller appends, over all of its partitions. */
export interface Append {
  /** The caller was told that a part of it was not taken; what is in flight of the other parts may still be. */
  isGivenUp: boolean;
}

interface Waiting {
  readonly append: Append;
  readonly messages: readonly OutgoingMessage[];
  readonly bytes: number;
  readonly sinceMs: number;
  readonly resolve: (offsets: readonly number[]) => void;
  readonly reject: (error: Error) => void;
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

  /** Why it takes no more now; undefined where it does. An append over several partitions asks all before it goes into one. */
  refusal(): LogUnavailableError | undefined {
    // Nobody has to find out for himself, by waiting, that the log is away.
    if (this.running !== undefined && this.failsFor() > this.options.patienceMs) return this.away();
    const inHandMs = this.sentAtMs === undefined ? 0 : performance.now() - this.sentAtMs;
    if (this.queuedBytes === 0 || this.pace.waitMs(this.queuedBytes, inHandMs) <= this.options.patienceMs / 2) return undefined;
    return new LogUnavailableError(`${this.topic}/${this.partition} is slow, and too much waits already. Try again in a second.`, 1_000);
  }

  /** @returns the offsets, in order */
  submit(append: Append, messages: readonly OutgoingMessage[], bytes: number): Promise<readonly number[]> {
    this.noteBytes(bytes);
    return new Promise((resolve, reject) => {
      this.waiting.push({ append, messages, bytes, sinceMs: performance.now(), resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Tells those who have waited long enough. What was not sent is not sent any more. */
  sweep(): void {
    const oldest = performance.now() - this.options.patienceMs;
    for (const one of [...this.inFlight, ...this.waiting]) if (one.sinceMs < oldest && !one.append.isGivenUp) refuse(one, this.away());
    this.forgetUnwanted();
  }

  /** Also what waits here of an append that another partition did not take. */
  private forgetUnwanted(): void {
    if (!this.waiting.some(({ append }) => append.isGivenUp)) return;
    for (const one of this.waiting) {
      if (!one.append.isGivenUp) continue;
      this.noteBytes(-one.bytes);
      one.reject(this.away());
    }
    this.waiting = this.waiting.filter(({ append }) => !append.isGivenUp);
  }

  async close(): Promise<void> {
    this.closedAtMs = performance.now();
    await this.running;
  }

  private async run(): Promise<void> {
    // Everything submitted in the same turn belongs to the first request.
    await Promise.resolve();
    for (;;) {
      this.forgetUnwanted();
      if (this.waiting.length === 0) break;
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
        const base = await this.send(part, group);
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
      for (const one of group) refuse(one, explained(error));
    }
  }

  /**
   * @returns the offset of the first
   * @throws as soon as it can't be sent and nobody waits for it any more: a slow broker that gets everything twice becomes slower
   */
  private async send(messages: readonly OutgoingMessage[], group: readonly Waiting[]): Promise<number> {
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
        if (!isStale(error)) throw this.refusedMessage(error);
        this.trouble = error;
        this.failingSinceMs ??= performance.now();
        if (this.isHopeless(group)) throw this.away();
      }
      await delayed(attempt);
      await cluster.refresh();
    }
  }

  private isHopeless(group: readonly Waiting[]): boolean {
    if (group.every(({ append }) => append.isGivenUp)) return true;
    return this.closedAtMs !== undefined && performance.now() - this.closedAtMs > this.options.patienceMs;
  }

  private failsFor(): number {
    return this.failingSinceMs === undefined ? 0 : performance.now() - this.failingSinceMs;
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

  private refusedMessage(error: unknown): Error {
    const reason = error instanceof Error ? error.message : String(error);
    return new LogError('message-refused', `Kafka refuses messages of ${this.topic}/${this.partition}: ${reason}`, { cause: error });
  }
}

const refuse = ({ append, reject }: Waiting, error: Error): void => {
  append.isGivenUp = true;
  reject(error);
};

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
