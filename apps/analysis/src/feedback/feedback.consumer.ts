/** From the log into the store: rows, then progress, then the offset. Each event is delivered at least once and counts once. */

import { Inject, Injectable } from '@nestjs/common';
import { DEAD_LETTERS, type DeadLetter, FEEDBACK } from '@rampart/contracts';
import {
  type BatchControl,
  type ConsumerStats,
  EventLog,
  type LogBatch,
  type LogMessage,
  partsOfPosition,
  type Subscription,
} from '@rampart/event-log';
import { FeedbackStore, type PlacedRow, type Progress } from '@rampart/feedback-store';
import { LOG, type Log } from '@rampart/service-kit';
import { consumerTrouble } from '../consumer-trouble.js';
import { ErasedBefore, erasuresSoFar } from './erased-before.js';
import { placedRows, UnreadableMessage } from './feedback-message.js';
import { type Batch, BehindError, FeedbackWriter } from './feedback-writer.js';
import { DEFAULT_HELD_BYTES, HELD_BYTES, sharesOf } from './held-bytes.js';
import { IntakeFigures, worstSkewUs } from './intake-figures.js';
import { SkippedRows } from './skipped-rows.js';
import { TracedRows } from './traced-rows.js';

/** Offsets hang on it; each filling of the store reads the log from its beginning. */
const FEEDBACK_GROUP = 'analysis-feedback';

const WAIT_MS = 150;
const MOST_MESSAGES = 4_000;

interface Taking {
  readonly writer: FeedbackWriter;
  readonly skipped: SkippedRows;
  /** A batch of half as many bytes has more behind it. */
  readonly readBytes: number;
  /** Of partitions, each once: when they abort, what is gathered goes out. */
  readonly hurried: WeakSet<AbortSignal>;
}

interface Taken {
  readonly rows: readonly PlacedRow[];
  readonly storing: ReturnType<TracedRows['storing']>;
}

type Store = (batch: Batch) => Promise<void>;

const isErasure = ({ row }: PlacedRow): boolean => row.kind === 'erasure';

@Injectable()
export class FeedbackConsumer {
  private subscription: Subscription | undefined;
  private skipped: SkippedRows | undefined;
  private failure: string | undefined;
  private readonly erased = new ErasedBefore();
  /** By partition, the last message that nobody could read: what is read again is not set aside again. */
  private readonly setAsideUpTo = new Map<number, bigint>();

  constructor(
    private readonly log: EventLog,
    private readonly store: FeedbackStore,
    private readonly figures: IntakeFigures,
    @Inject(LOG) private readonly lines: Log,
    private readonly traces: TracedRows = new TracedRows(log),
    @Inject(HELD_BYTES) private readonly heldBytes: number = DEFAULT_HELD_BYTES,
  ) {}

  /** @param filling  of the store */
  async start(filling: string, stopping?: AbortSignal): Promise<void> {
    // All at once, as topics are made: each is a wait for log or store.
    const [skipped, erasures, { partitions }, from] = await Promise.all([
      this.skippedRows(stopping),
      erasuresSoFar(this.log),
      this.log.describeTopic(FEEDBACK),
      this.storedUpTo(),
    ]);
    await this.erased.note(erasures);
    this.traces.start();
    this.figures.follow(() => this.stats());
    const { read, insert, gathered } = sharesOf(this.heldBytes, partitions);
    const writer = new FeedbackWriter(this.store, {
      ...{ bytes: insert, mostBytes: gathered, waitMs: WAIT_MS },
      onInserted: (insert) => this.figures.inserted(insert),
      onRefused: async (rows) => {
        await skipped.add(rows);
        this.figures.skipped(rows.length);
        this.lines.error(
          { rows: rows.map(({ partition, position }) => `${partition}/${position}`) },
          'the store refuses rows: left out by place',
        );
      },
    });
    const taking: Taking = { writer, skipped, readBytes: read, hurried: new WeakSet() };
    this.failure = undefined;
    this.subscription = this.log.consume({
      topic: FEEDBACK,
      group: `${FEEDBACK_GROUP}.${filling}`,
      from,
      ...{ maxMessages: MOST_MESSAGES, maxBytes: read },
      onBatch: (batch, control) => this.take(batch, taking, control),
      onPoison: ({ partition, message, error }) => this.setAside(message, partition, String(error)),
    });
    this.subscription.done.catch((error: unknown) => {
      this.failure = error instanceof Error ? error.message : String(error);
      this.lines.fatal({ err: error }, 'feedback is no longer stored');
    });
  }

  /** Kept at once, so that a start that fails over something else leaves nothing behind that nobody closes. */
  private async skippedRows(stopping: AbortSignal | undefined): Promise<SkippedRows> {
    if (this.skipped !== undefined) return this.skipped;
    const read = await SkippedRows.read(this.log, stopping);
    // Read by a later start meanwhile.
    if (this.skipped !== undefined) await read.close();
    this.skipped ??= read;
    return this.skipped;
  }

  /** A filling that nobody read into yet and that has rows was restored: the log goes on behind them. */
  private async storedUpTo(): Promise<readonly (number | undefined)[]> {
    const next: (number | undefined)[] = [];
    for (const { partition, offset } of await this.store.progress(FEEDBACK)) next[partition] = Number(offset) + 1;
    return next;
  }

  stats(): ConsumerStats | undefined {
    return this.subscription?.stats();
  }

  /** How far the log's clock lies behind its own known times; of the partitions read here, the worst. */
  skewUs(): number {
    return worstSkewUs(this.stats()?.partitions ?? []);
  }

  /** Why nothing is stored at the moment. */
  trouble(): string | undefined {
    if (this.failure !== undefined) return this.failure;
    const stats = this.stats();
    if (stats === undefined) return 'the reading of feedback has not begun';
    return consumerTrouble(stats);
  }

  async stop(): Promise<void> {
    await this.subscription?.close();
    this.subscription = undefined;
    await this.skipped?.close();
    this.skipped = undefined;
    await this.traces.close();
  }

  /** Rows go at once to where they are gathered: as objects they would live as long as an insert takes, and be collected late. */
  private async take(batch: LogBatch, { writer, skipped, readBytes, hurried }: Taking, control: BatchControl): Promise<void> {
    if (!hurried.has(control.signal)) {
      // Whoever is to have the partition next waits for what is in hand of it.
      hurried.add(control.signal);
      control.signal.addEventListener('abort', () => writer.hurry());
    }
    if (control.isRepeat) return this.storeAlone(batch, await this.rowsOfAll(batch, skipped), writer);
    const bytes = batch.messages.reduce((sum, { value }) => sum + (value?.byteLength ?? 0), 0);
    await writer.reserve(bytes);
    const taken = await this.rowsOfAll(batch, skipped).catch((error: unknown) => {
      writer.release(bytes);
      throw error;
    });
    if (taken.rows.some(isErasure)) {
      writer.release(bytes);
      // It removes what is there by then: all before it must be.
      await writer.settled();
      if (writer.isBehind(batch)) throw new BehindError();
      return this.storeAlone(batch, taken, writer);
    }
    const done = neverFinal(this.stored(batch, taken, (one) => writer.gather(one, bytes)));
    if (control.signal.aborted) writer.hurry();
    // Else there is nothing more to read, and what comes meanwhile is one batch.
    if (bytes >= readBytes / 2 || batch.messages.length >= MOST_MESSAGES / 2) control.defer(done);
    else await done;
  }

  private async storeAlone(batch: LogBatch, taken: Taken, writer: FeedbackWriter): Promise<void> {
    const erasures = taken.rows.filter(isErasure);
    if (erasures.length > 0) {
      await writer.settled();
      await this.erased.note(erasures);
    }
    await this.stored(batch, taken, (one) => writer.writeAlone(one));
  }

  private stored(batch: LogBatch, { rows, storing }: Taken, store: Store): Promise<void> {
    if (storing !== undefined) return storing.around(() => this.write(batch, rows, store));
    return this.write(batch, rows, store);
  }

  /** Keeps nothing of the batch while it waits. */
  private write({ topic, partition, generation, messages }: LogBatch, rows: readonly PlacedRow[], store: Store): Promise<void> {
    const last = messages.at(-1);
    if (last === undefined) return Promise.resolve();
    const progress: Progress = { topic, partition, generation, offset: BigInt(last.offset), knownAtUs: last.knownAtUs };
    // Asked in the turn in which they go: an erasure that is noted later waits for them.
    const going = rows.filter((placed) => !this.erased.has(placed));
    return this.erased.written(generation, store({ rows: going, progress }));
  }

  private async rowsOfAll({ partition, messages }: LogBatch, skipped: SkippedRows): Promise<Taken> {
    const rows: PlacedRow[] = [];
    const storing = this.traces.storing(partition);
    for (const message of messages) {
      const placed = await this.rowsOf(message, partition);
      storing?.came(message, placed);
      for (const row of placed) {
        if (!skipped.has(row)) rows.push(row);
      }
    }
    return { rows, storing };
  }

  private async rowsOf(message: LogMessage, partition: number): Promise<readonly PlacedRow[]> {
    try {
      return placedRows(message, partition);
    } catch (error) {
      if (!(error instanceof UnreadableMessage)) throw error;
      if (message.position > (this.setAsideUpTo.get(partition) ?? -1n)) await this.setAside(message, partition, error.message);
      return [];
    }
  }

  /** The message goes to the dead letters as a whole; the rest of its partition goes on. */
  private async setAside({ value, position, appendedAtUs }: LogMessage, partition: number, why: string): Promise<void> {
    const { generation, offset } = partsOfPosition(position);
    const letter: DeadLetter = {
      project: null,
      environment: null,
      key: null,
      code: 'unreadable-message',
      path: '',
      message: `message ${partition}-${offset} of ${FEEDBACK} (generation ${generation}) ${why}`,
      receivedAtUs: appendedAtUs,
      eventId: null,
      source: null,
      raw: value === null || value.byteLength > 65_536 ? null : Buffer.from(value).toString('utf8'),
      topic: FEEDBACK,
      position: String(position),
    };
    await this.log.append(DEAD_LETTERS, [{ partition: 0, value: JSON.stringify(letter) }]);
    this.setAsideUpTo.set(partition, position);
    this.figures.unreadable();
  }
}

/** Whose fault it was shows when each batch is written alone. */
const neverFinal = async (stored: Promise<void>): Promise<void> => {
  try {
    await stored;
  } catch (error) {
    throw new Error(error instanceof Error ? error.message : String(error), { cause: error });
  }
};
