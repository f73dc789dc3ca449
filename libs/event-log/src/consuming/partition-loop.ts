/** Carries one owned partition from the log to its handler: read, deliver, commit, wait. */
import type { BatchLimits, ConsumeOptions, LogBatch, LogMessage, MessagePlace, PartitionProgress } from '../event-log.js';
import { LogError } from '../log-errors.js';
import { partsOfPosition } from '../positions.js';
import { offsetsIn } from '../ticks.js';
import { DeferredBatches } from './deferred-batches.js';
import { DeliveryAborted, defaultRetry, deliver } from './deliver.js';

/** What a loop needs of the log. Its errors end the loop; the consumer decides what follows. */
export interface PartitionSource {
  readonly topic: string;
  /** Gaps in the offsets are ordinary there and a loss elsewhere. */
  readonly compacted: boolean;
  /** True if `read` waits for news itself: an empty reading then says nothing about the end of the log. */
  readonly waitsForNews?: boolean;
  /** Where to begin, or to begin again: behind what was committed. @throws LogError when that is outside the log */
  start(): Promise<number>;
  /** @param signal  aborts when nobody wants the answer any more */
  read(from: number, signal: AbortSignal): Promise<Reading>;
  /** @param last  the last message that was delivered */
  commit(last: MessagePlace): Promise<void>;
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
  /** Of the next message to commit, and to read. */
  private next: number | undefined;
  private readTo = 0;
  private end = 0;
  private delivered = 0;
  private poisoned = 0;
  private skewUs = 0;
  private inHandBytes = 0;
  private failing: PartitionProgress['failing'];
  private hasNews = true;
  private wakeUp: (() => void) | undefined;
  private deferred = this.noneDeferred();
  /** What was read before something of it failed is given as a repeat. */
  private repeatedUntil = 0;
  private stopReading = new AbortController();

  constructor(private readonly options: LoopOptions) {
    this.abort.signal.addEventListener('abort', () => this.stopReading.abort());
    this.done = this.run();
    this.done.catch(() => undefined);
  }

  /** Something was appended, or may have been. */
  wake(): void {
    this.hasNews = true;
    this.wakeUp?.();
  }

  /** @param end  the log's end, read after `position` was; wakes the loop if it is behind */
  noticeEnd(end: number): void {
    this.end = end;
    if (this.next !== undefined && this.readTo < end) this.wake();
  }

  /** Lets the batches in hand end. */
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
    const heldBytes = this.inHandBytes + this.deferred.bytes + (this.options.source.aheadBytes?.() ?? 0);
    return { partition: this.options.partition, next, lag: Math.max(0, this.end - next), delivered, poisoned, failing, skewUs, heldBytes };
  }

  private async run(): Promise<void> {
    const { source } = this.options;
    try {
      this.beginAt(await source.start());
      while (!this.abort.signal.aborted) await this.step().catch((error: unknown) => this.givenUp(error));
      await this.deferred.settled();
    } catch (error) {
      // Whoever has the partition next must not meet what is still underway.
      await this.deferred.settled().catch(() => undefined);
      if (!(error instanceof DeliveryAborted)) throw error;
    }
  }

  /** Over what was deferred before it: the next step goes back behind both. */
  private givenUp(error: unknown): void {
    if (!(error instanceof DeliveryAborted) || this.abort.signal.aborted) throw error;
    if (!this.deferred.hasFailed) throw new Error('a batch was given up over nothing');
  }

  private async step(): Promise<void> {
    if (this.deferred.hasFailed) return this.goBack();
    const { source } = this.options;
    const from = this.readTo;
    const end = this.end;
    this.hasNews = false;
    const { batch, mayHaveMore } = await source.read(from, this.stopReading.signal);
    const last = batch.messages.at(-1);
    if (source.waitsForNews && last === undefined) return;
    this.checkGaps(from, batch.messages, end);
    if (last === undefined) {
      if (!(await this.deferred.settled())) return;
      // What was known to be there before the read and was not found is compacted away.
      if (end > from) this.beginAt(end);
      return this.idle();
    }
    this.readTo = last.offset + 1;
    await this.take(batch, last);
    if (!mayHaveMore && !source.waitsForNews) await this.idle();
  }

  private async take(batch: LogBatch, { offset, position, knownAtUs, appendedAtUs }: LogMessage): Promise<void> {
    const last: MessagePlace = { offset, position, knownAtUs, appendedAtUs };
    const messages = batch.messages.length;
    const bytes = bytesOf(batch.messages);
    this.inHandBytes = bytes;
    const { deferredTo } = await this.deliver(batch).finally(() => {
      this.inHandBytes = 0;
    });
    if (deferredTo !== undefined) this.deferred.add({ done: deferredTo, last, messages, bytes });
    else if (await this.deferred.settled()) await this.commit(last, messages);
  }

  private async commit(last: MessagePlace, messages: number): Promise<void> {
    this.delivered += messages;
    await this.options.source.commit(last);
    this.moveTo(last.offset + 1);
    this.skewUs = last.knownAtUs - last.appendedAtUs;
  }

  /** Behind what was committed last: what was deferred since then has failed. */
  private async goBack(): Promise<void> {
    await this.deferred.settled();
    this.deferred = this.noneDeferred();
    this.stopReading = new AbortController();
    if (this.abort.signal.aborted) return;
    this.repeatedUntil = Math.max(this.repeatedUntil, this.readTo);
    this.beginAt(await this.options.source.start());
  }

  private noneDeferred(): DeferredBatches {
    return new DeferredBatches({
      commit: (last, messages) => this.commit(last, messages),
      onFailure: () => {
        this.stopReading.abort();
        this.wake();
      },
    });
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

  private async deliver(batch: LogBatch): Promise<{ readonly deferredTo: Promise<void> | undefined }> {
    const { handlers } = this.options;
    const { signal } = this.abort;
    const wasRead = (batch.messages[0]?.offset ?? 0) < this.repeatedUntil;
    let deferredTo: Promise<void> | undefined;
    const onBatch = async (part: LogBatch, isAgain: boolean) => {
      const isRepeat = isAgain || wasRead;
      // What was deferred before it goes before it: else its handler would be past what must be given again.
      if (isRepeat && !(await this.areDeferredDone())) throw new DeliveryAborted();
      deferredTo = undefined;
      const defer = (done: Promise<void>) => {
        deferredTo = done;
        // It may reject before anybody waits for it.
        done.catch(() => undefined);
      };
      await handlers.onBatch(part, { signal, isRepeat, defer });
      if (!isRepeat) return;
      await deferredTo;
      deferredTo = undefined;
    };
    this.poisoned += await deliver(batch, {
      retry: handlers.retry ?? defaultRetry,
      ...{ signal, onBatch },
      ...(handlers.onPoison === undefined ? {} : { onPoison: handlers.onPoison.bind(handlers) }),
      onTrouble: (trouble) => {
        this.failing = trouble;
      },
    });
    return { deferredTo };
  }

  private async areDeferredDone(): Promise<boolean> {
    // A commit that failed ends the loop at its next step.
    return this.deferred.settled().catch(() => false);
  }

  private beginAt(next: number): void {
    this.readTo = next;
    this.moveTo(next);
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
