/** From the spool to the log, in spool order; what is acknowledged leaves the spool. A crash in between sends it twice, which counts once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { FEEDBACK, type FeedbackRow, MAX_ROWS_PER_MESSAGE } from '@rampart/contracts';
import type { Appended, EventLog } from '@rampart/event-log';
import { messagesOf, traceHeaders } from '@rampart/feedback-rows';
import { noTracing, type Tracing } from '@rampart/service-kit';
import type { ErasedUnits } from './erased-units.js';
import type { ExposureSpool } from './exposure-spool.js';
import { ForwardedCounts } from './forwarded-counts.js';
import { ForwardedTraces } from './forwarded-traces.js';
import type { SentUnits } from './sent-places.js';
import { spooledRow } from './spooled-text.js';

const RETRY = { firstMs: 100, maxMs: 2_000 };
/** What arrives within this time shares a message: a message costs more than a row. */
const GATHER_MS = 20;
const nobody = { has: () => false };
const nowhere = { sending: () => () => undefined, leaveOut: () => undefined };

interface Places {
  sending(rows: readonly FeedbackRow[], place: number): (appended: readonly Appended[]) => SentUnits | undefined;
  leaveOut(row: FeedbackRow): void;
}

export class SpoolForwarder {
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private wake: () => void = () => undefined;
  private failure: string | undefined;
  private forwardedRows = 0;
  private readonly counts: ForwardedCounts;

  constructor(
    private readonly spool: ExposureSpool,
    private readonly log: Pick<EventLog, 'append'>,
    private readonly partitions: number,
    private readonly tracing: Tracing = noTracing,
    private readonly erased: Pick<ErasedUnits, 'has'> = nobody,
    private readonly places: Places = nowhere,
  ) {
    this.counts = new ForwardedCounts(log);
  }

  get forwarded(): number {
    return this.forwardedRows;
  }

  /** Why the log has not got what waits; undefined while it takes it. */
  trouble(): string | undefined {
    return this.failure;
  }

  start(): void {
    this.spool.whenAdded(() => this.wake());
    this.counts.start();
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.running;
    await this.counts.stop();
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let attempts = 0;
    while (!signal.aborted) {
      try {
        const sent = await this.forward();
        attempts = 0;
        this.failure = undefined;
        if (sent === 0) await this.added();
        if (sent < MAX_ROWS_PER_MESSAGE) await this.pause(GATHER_MS);
      } catch (error) {
        this.failure = error instanceof Error ? error.message : String(error);
        await this.pause(Math.min(RETRY.maxMs, RETRY.firstMs * 2 ** Math.min(attempts, 10)));
        attempts += 1;
      }
    }
  }

  private async forward(): Promise<number> {
    const spooled = this.spool.first(MAX_ROWS_PER_MESSAGE);
    if (spooled.length === 0) return 0;
    const contents = spooled.flatMap(({ place, text }) => {
      const content = spooledRow(text);
      if (!this.erased.has(content.row, place)) return [content];
      if (place < this.spool.openedAt) this.places.leaveOut(content.row);
      return [];
    });
    const rows = contents.map(({ row }) => row);
    const traces = this.tracing.isOn ? ForwardedTraces.of(contents, this.tracing) : undefined;
    const sent = this.places.sending(rows, spooled.at(-1)?.place ?? 0);
    const append = () => this.log.append(FEEDBACK, messagesOf(rows, this.partitions, traceHeaders(traces?.traceOf)));
    const appended = rows.length === 0 ? [] : await (traces === undefined ? append() : traces.around(append));
    this.counts.add(rows);
    await this.spool.remove(spooled, sent(appended));
    this.forwardedRows += spooled.length;
    return spooled.length;
  }

  private added(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      // Added between the look and this line.
      if (this.spool.depth > 0 || this.stopping.signal.aborted) resolve();
    });
  }

  private pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
