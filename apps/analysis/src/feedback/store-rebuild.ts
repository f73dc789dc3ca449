/** A store filled anew from the log's beginning, beside the one that serves: the same rows, until one can take the other's place. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { FEEDBACK, type RebuildState } from '@rampart/contracts';
import { DomainError } from '@rampart/domain/errors';
import { type ConsumerStats, EventLog } from '@rampart/event-log';
import { FeedbackStore, type Progress } from '@rampart/feedback-store';
import { LOG, type Log, Metrics } from '@rampart/service-kit';
import { requireWholeLog } from './emptied-store.js';
import { FeedbackConsumer } from './feedback.consumer.js';
import { DEFAULT_HELD_BYTES, HELD_BYTES } from './held-bytes.js';
import { IntakeFigures } from './intake-figures.js';

/** What is left for the moment in which nothing is read: few messages. */
const NEARLY = 20;
const LOOK_EVERY_MS = 200;
const CATCH_UP_MS = 60_000;

export interface FilledBeside {
  /** To be called when the old store is written to no more. Rejects where it cannot; then the old one is as it was. */
  takeOver(): Promise<void>;
}

const IDLE: RebuildState = { state: 'idle', filling: null, read: 0, toRead: 0, error: null };

@Injectable()
export class StoreRebuild {
  private current: RebuildState = IDLE;
  private running: { readonly consumer: FeedbackConsumer; readonly beside: FeedbackStore; readonly over: AbortController } | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly store: FeedbackStore,
    @Inject(LOG) private readonly lines: Log,
    @Inject(HELD_BYTES) private readonly heldBytes: number = DEFAULT_HELD_BYTES,
  ) {}

  state(): RebuildState {
    return this.current;
  }

  /**
   * @param reading  of the consumer that fills the store that serves
   * @returns when reading has begun; `filled` resolves when hardly anything is missing, and rejects when it will not come to that
   * @throws DomainError rebuild-under-way, rebuild-shared, rebuild-loses-rows
   */
  async begin(reading: ConsumerStats | undefined): Promise<{ readonly filling: string; readonly filled: Promise<FilledBeside> }> {
    if (this.running !== undefined)
      throw new DomainError(
        'rebuild-under-way',
        `the store is being rebuilt already (filling ${this.current.filling}): GET /v1/analysis/rebuild says how far it is`,
      );
    const { partitions } = await this.log.describeTopic(FEEDBACK);
    const owned = reading?.partitions.length ?? 0;
    if (owned < partitions) {
      const message = `${owned} of ${partitions} partitions are read by this process, the others by another one, which would go on filling the old store: leave one analysis process running, and ask again`;
      throw new DomainError('rebuild-shared', message, { owned, partitions });
    }
    await requireWholeLog(this.log);
    const beside = await this.store.beside();
    const filling = await beside.identity();
    // Its figures are nobody's: those of the store that serves go on.
    const consumer = new FeedbackConsumer(
      this.log,
      beside,
      new IntakeFigures(new Metrics('rebuild')),
      this.lines,
      undefined,
      this.heldBytes,
    );
    const over = new AbortController();
    this.running = { consumer, beside, over };
    this.current = { ...IDLE, state: 'filling', filling };
    try {
      await consumer.start(filling, over.signal);
    } catch (error) {
      await this.end(error);
      throw error;
    }
    this.lines.info({ filling }, 'another store is filled from the log');
    const filled = this.nearlyFull(over.signal).then((): FilledBeside => ({ takeOver: () => this.takeOver() }));
    filled.catch((error: unknown) => this.end(error));
    return { filling, filled };
  }

  /** Leaves the store that serves as it is. */
  async abandon(): Promise<void> {
    await this.end(new Error('the process ended'));
  }

  private async nearlyFull(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const { read, toRead } = await this.measured();
      this.current = { ...this.current, read, toRead };
      if (toRead - read <= NEARLY && (await this.missing()).length === 0) return;
      const why = this.running?.consumer.trouble();
      if (why !== undefined && this.running?.consumer.stats()?.state === 'stopped') throw new Error(why);
      await sleep(LOOK_EVERY_MS, undefined, { signal });
    }
  }

  /** In messages, over all partitions. */
  private async measured(): Promise<Pick<RebuildState, 'read' | 'toRead'>> {
    const [offsets, progress] = await Promise.all([this.log.offsets(FEEDBACK), this.running?.beside.progress(FEEDBACK) ?? []]);
    let [read, toRead] = [0, 0];
    for (const { partition, earliest, end } of offsets) {
      const stored = progress.find((one) => one.partition === partition);
      read += stored === undefined ? 0 : Math.max(0, Number(stored.offset) + 1 - earliest);
      toRead += end - earliest;
    }
    return { read, toRead };
  }

  /** Partitions of which the store that serves has more than `NEARLY` messages more, or any where there are none. */
  private async missing(slack = NEARLY): Promise<readonly Progress[]> {
    const beside = (await this.running?.beside.progress(FEEDBACK)) ?? [];
    return (await this.store.progress(FEEDBACK)).filter((one) => {
      const there = beside.find(({ partition }) => partition === one.partition);
      if (there === undefined || there.generation < one.generation) return true;
      return there.generation === one.generation && there.offset + BigInt(slack) < one.offset;
    });
  }

  private async takeOver(): Promise<void> {
    const { running } = this;
    if (running === undefined) throw new Error('nothing was filled');
    const { consumer, beside } = running;
    try {
      const deadline = performance.now() + CATCH_UP_MS;
      while ((await this.missing(0)).length > 0) {
        if (performance.now() > deadline) throw new Error(`the new store did not catch up with the old one within ${CATCH_UP_MS / 1000} s`);
        await sleep(20);
      }
      await consumer.stop();
      await this.store.takeOver(beside);
      await beside.close();
      this.running = undefined;
      this.current = { ...this.current, read: this.current.toRead, state: 'done' };
      this.lines.info({ filling: this.current.filling }, 'the store that was filled from the log serves');
    } catch (error) {
      await this.end(error);
      throw error;
    }
  }

  private async end(error: unknown): Promise<void> {
    const { running } = this;
    if (running === undefined) return;
    this.running = undefined;
    running.over.abort();
    this.current = { ...this.current, state: 'failed', error: error instanceof Error ? error.message : String(error) };
    await running.consumer.stop().catch(() => undefined);
    await running.beside.close().catch(() => undefined);
  }
}
