/** Carries one owned partition from the log to its handler: read, deliver, commit, wait. */
import type { BatchLimits, ConsumeOptions, LogBatch, LogMessage, PartitionProgress } from '../event-log.js';
import { LogError } from '../log-errors.js';
import { partsOfPosition } from '../positions.js';
import { offsetsIn } from '../ticks.js';
import { DeliveryAborted, defaultRetry, deliver } from './deliver.js';

/** What a loop needs of the log. Its errors end the loop; the consumer decides what follows. */
export interface PartitionSource {
  readonly topic: string;
  /** Gaps in the offsets are ordinary there and a loss elsewhere. */
  readonly compacted: boolean;
  /** True if `read` waits for news itself: an empty reading then says nothing about the end of the log. */
  readonly waitsForNews?: boolean;
  /** Where to begin. @throws LogError when that is outside the log */
  start(): Promise<number>;
  /** @param signal  aborts when nobody wants the answer any more */
  read(from: number, signal: AbortSignal): Promise<Reading>;
  commit(next: number): Promise<void>;
  /** What keeps it from reading on while it waits. */
  trouble?(): PartitionProgress['failing'];
  /** Of messages that it has read ahead. */
  aheadBytes?(): number;
}

/** The messages from an offset on, none at the end of the log. */
export interface Reading {
  readonly batch: LogBatch;
  /** False if the end of the log was reached: what comes later is announced. */
  readonly mayHaveMore: boolean;
}

/** A generation ends its batch: what follows comes with the next read. */
export const readingOf = (topic: string, partition: number, found: readonly LogMessage[], limits: Required<BatchLimits>): Reading => {
  const generationOf = ({ position }: LogMessage) => partsOfPosition(position).generation;
  const generation = found[0] === undefined ? 0 : generationOf(found[0]);
  const last = found.at(-1);
  const isMixed = last !== undefined && generationOf(last) !== generation;
  const messages = isMixed ? found.filter((message) => generationOf(message) === generation) : found;
  const bytes = bytesOf(found);
  const mayHaveMore = isMixed || found.length >= limits.maxMessages || bytes >= limits.maxBytes;
  return { batch: { topic, partition, generation, messages }, mayHaveMore };
};

const bytesOf = (messages: readonly LogMessage[]): number => messages.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0);

export type Handlers = Pick<ConsumeOptions, 'onBatch' | 'retry'> & Partial<Pick<ConsumeOptions, 'onPoison'>>;

export interface LoopOptions {
  readonly partition: number;
  readonly source: PartitionSource;
  readonly handlers: Handlers;
  /** Called after each commit, and once when the start is known. */
  onProgress?(next: number): void;
}

export class PartitionLoop {
  /** Resolves after `stop`; rejects with what ended it. */
  readonly done: Promise<void>;
  private readonly abort = new AbortController();
  private next: number | undefined;
  private end = 0;
  private delivered = 0;
  private poisoned = 0;
  private skewUs = 0;
  private inHandBytes = 0;
  private failing: PartitionProgress['failing'];
  private hasNews = true;
  private wakeUp: (() => void) | undefined;

  constructor(private readonly options: LoopOptions) {
    this.done = this.run();
    this.done.catch(() => undefined);
  }

  /** Something was appended, or may have been. */
  wake(): void {
    this.hasNews = true;
    this.wakeUp?.();
  }

  /** @param end  the log's end, read after `next` was; wakes the loop if it is behind */
  noticeEnd(end: number): void {
    this.end = end;
    if (this.next !== undefined && this.next < end) this.wake();
  }

  /** Lets the batch in hand end. */
  async stop(): Promise<void> {
    this.abort.abort();
    this.wakeUp?.();
    await this.done.catch(() => undefined);
  }

  get position(): number | undefined {
    return this.next;
  }

  progress(): PartitionProgress {
    const { delivered, poisoned, skewUs } = this;
    const failing = this.failing ?? this.options.source.trouble?.();
    const next = this.next ?? 0;
    const heldBytes = this.inHandBytes + (this.options.source.aheadBytes?.() ?? 0);
    return { partition: this.options.partition, next, lag: Math.max(0, this.end - next), delivered, poisoned, failing, skewUs, heldBytes };
  }

  private async run(): Promise<void> {
    const { source } = this.options;
    try {
      this.moveTo(await source.start());
      while (!this.abort.signal.aborted) await this.step();
    } catch (error) {
      if (!(error instanceof DeliveryAborted)) throw error;
    }
  }

  private async step(): Promise<void> {
    const { source } = this.options;
    const from = this.next ?? 0;
    const end = this.end;
    this.hasNews = false;
    const { batch, mayHaveMore } = await source.read(from, this.abort.signal);
    const last = batch.messages.at(-1);
    if (source.waitsForNews && last === undefined) return;
    this.checkGaps(from, batch.messages, end);
    if (last === undefined) {
      // What was known to be there before the read and was not found is compacted away.
      if (end > from) this.moveTo(end);
      return this.idle();
    }
    this.inHandBytes = bytesOf(batch.messages);
    this.poisoned += await this.deliver(batch);
    this.inHandBytes = 0;
    this.delivered += batch.messages.length;
    await source.commit(last.offset + 1);
    this.moveTo(last.offset + 1);
    this.skewUs = last.knownAtUs - last.appendedAtUs;
    if (!mayHaveMore && !source.waitsForNews) await this.idle();
  }

  /** Offsets of a plain topic are dense: a hole is a loss, and to pass it would hide it. */
  private checkGaps(from: number, messages: readonly LogMessage[], end: number): void {
    const { source, partition } = this.options;
    if (source.compacted) return;
    let expected = from;
    for (const message of messages) {
      const { offset } = message;
      // Folded ticks stand for the offsets before theirs, too; a reader may have stood among them.
      if (offset - offsetsIn(message) + 1 > expected) throw this.gap(partition, expected, offset);
      expected = offset + 1;
    }
    if (messages.length === 0 && end > from) throw this.gap(partition, from, end);
  }

  private gap(partition: number, from: number, found: number): LogError {
    return gapError(this.options.source.topic, partition, from, found);
  }

  private deliver(batch: LogBatch): Promise<number> {
    const { handlers } = this.options;
    const { signal } = this.abort;
    return deliver(batch, {
      retry: handlers.retry ?? defaultRetry,
      signal,
      onBatch: (part) => handlers.onBatch(part, { signal }),
      ...(handlers.onPoison === undefined ? {} : { onPoison: handlers.onPoison.bind(handlers) }),
      onTrouble: (trouble) => {
        this.failing = trouble;
      },
    });
  }

  private moveTo(next: number): void {
    this.next = next;
    this.end = Math.max(this.end, next);
    this.options.onProgress?.(next);
  }

  private async idle(): Promise<void> {
    if (this.hasNews || this.abort.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.wakeUp = resolve;
    });
    this.wakeUp = undefined;
  }
}

/** Messages that should be there are gone. */
export const gapError = (topic: string, partition: number, from: number, found: number): LogError =>
  new LogError(
    'offset-before-start',
    `${topic}/${partition} was to go on at offset ${from}, but goes on at ${found}: ${found - from} messages are gone. Nothing was skipped; rebuild from a backup, or use a new group.`,
  );

/** Refuses a start outside the log: an offset is never reset silently. */
export const checkedStart = (start: number, { who, topic, partition, earliest, end, compacted }: StartCheck): number => {
  const place = `${who} stands at offset ${start} of ${topic}/${partition}`;
  if (start > end) {
    throw new LogError(
      'offset-beyond-end',
      `${place}, but the log ends at ${end}. It was restored or recreated: open a new generation and give the consumer a new group, or restore its offset; nothing was reset.`,
    );
  }
  if (start < earliest && !compacted) {
    throw new LogError(
      'offset-before-start',
      `${place}, but the log begins at ${earliest}: ${earliest - start} messages are gone. Rebuild from a backup, or give the consumer a new group; nothing was skipped.`,
    );
  }
  return start;
};

export interface StartCheck {
  readonly who: string;
  readonly topic: string;
  readonly partition: number;
  readonly earliest: number;
  readonly end: number;
  readonly compacted: boolean;
}
