/** What a contract needs of an adapter beyond its port, and small tools to watch consumers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumeOptions, EventLog, LogBatch, LogMessage, PoisonMessage } from '../event-log.js';
import { isTick } from '../ticks.js';

/** Where a log may differ from the others, since its server decides. */
export interface LogPeculiarities {
  /** Superseded messages and old tombstones go when the server gets round to it, not at once and not on demand. */
  readonly compactsInItsTime?: boolean;
  /** Each partition of a new generation begins with a tick that takes an offset. */
  readonly marksGenerations?: boolean;
  /** A member is itself over a new connection, and commits what the broken one could not. */
  readonly commitsOverNewConnections?: boolean;
}

export interface LogHarness extends LogPeculiarities {
  /** Opens the same log as another process would. */
  open(options?: { readonly maxQueuedBytes?: number }): EventLog;
  /** Stops the log's clock at a time, in microseconds; `undefined` lets it run again. */
  setClock(nowUs: number | undefined): Promise<void>;
  /** Breaks every connection that is open now. */
  cut(): Promise<void>;
  /** The partition as after a restore from a backup: what stood at or after `end` is gone. */
  truncate(topic: string, partition: number, end: number): Promise<void>;
  dispose(): Promise<void>;
}

let topics = 0;
const run = `${process.pid.toString(36)}-${Date.now().toString(36)}`;

/** A name that no other test and no other run uses. */
export const freshName = (): string => {
  topics += 1;
  return `contract-${run}-${topics}.v1`;
};

/** A topic that no other test uses. */
export const freshTopic = async (log: EventLog, { partitions = 1, compacted = false } = {}): Promise<string> => {
  const topic = freshName();
  await log.createTopic({ topic, partitions, compacted });
  return topic;
};

export const textOf = ({ value }: Pick<LogMessage, 'value'>): string | null => (value === null ? null : Buffer.from(value).toString());

export const appendTexts = (log: EventLog, topic: string, texts: readonly string[], partition = 0) =>
  log.append(
    topic,
    texts.map((value) => ({ partition, value })),
  );

export const eventually = async (what: string, isSo: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> => {
  const deadline = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Not within ${withinMs} ms: ${what}`);
    await sleep(5);
  }
};

/** A consumer that remembers. */
export class Recorder {
  readonly batches: LogBatch[] = [];
  readonly poison: PoisonMessage[] = [];

  get messages(): readonly (LogMessage & { readonly partition: number })[] {
    return this.batches.flatMap(({ partition, messages }) => messages.map((message) => ({ ...message, partition })));
  }

  get texts(): readonly (string | null)[] {
    return this.messages.map(textOf);
  }

  /** @param before  runs before a batch is remembered; what it throws fails the batch */
  options(topic: string, group: string, before: (batch: LogBatch) => Promise<void> | void = () => undefined): ConsumeOptions {
    return {
      topic,
      group,
      retry: { firstMs: 5, maxMs: 20 },
      onBatch: async (batch) => {
        await before(batch);
        this.batches.push(batch);
      },
      onPoison: async (poison) => {
        this.poison.push(poison);
      },
    };
  }

  /** What somebody wrote: all but ticks. */
  get events(): readonly (string | null)[] {
    return this.messages.filter((message) => !isTick(message)).map(textOf);
  }

  async until(count: number): Promise<void> {
    await eventually(`${count} messages (${this.messages.length} so far)`, () => this.messages.length >= count);
  }
}

/** An error that says of itself that repeating changes nothing. */
export class FinalError extends Error {
  readonly retriable = false;
}
