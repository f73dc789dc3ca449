/** Gathers the batches of all partitions into few, large inserts; a row that the store will never take is set aside alone. */
import type { FeedbackStore, PlacedRow, Progress } from '@rampart/feedback-store';

export interface WriterOptions {
  /** An insert goes out as soon as its messages have this many bytes … */
  readonly bytes: number;
  /** … or when its first batch has waited this long, and twice as long as inserts take, up to a second: a store that is slow gets fewer and larger ones. */
  readonly waitMs: number;
  /** Told of each insert that is durable. */
  onInserted?(insert: { readonly rows: number; readonly seconds: number }): void;
  /** Must make durable that these rows are left out, before anything moves on. */
  onRefused(rows: readonly PlacedRow[]): Promise<void>;
}

/** Of one partition. */
export interface Batch {
  readonly rows: readonly PlacedRow[];
  readonly progress: readonly Progress[];
  /** Of the messages that it was made from. */
  readonly bytes: number;
  /** More is behind it that is not read before it is stored, or somebody waits for its partition. */
  readonly isUrgent?: boolean;
}

interface Pending {
  readonly rows: PlacedRow[];
  readonly progress: Progress[];
  bytes: number;
  /** It has waited long enough, or is full. */
  isDue: boolean;
  readonly settled: Promise<void>;
  settle(work: Promise<void>): void;
}

/** Two inserts at once keep the store busy while the next rows are read; more would only make smaller ones. */
const insertsAtOnce = 2;
const MOST_WAIT_MS = 1_000;

export class FeedbackWriter {
  private pending: Pending | undefined;
  private timer: NodeJS.Timeout | undefined;
  private inserting = 0;
  /** How long inserts take, the last ones most. */
  private insertMs = 0;

  constructor(
    private readonly store: FeedbackStore,
    private readonly options: WriterOptions,
  ) {}

  /** Resolves when rows and progress are durable. Rejects with what the store said; then nothing of the batch counts as stored. */
  write({ rows, progress, bytes, isUrgent = false }: Batch): Promise<void> {
    this.pending ??= this.begin();
    const { pending } = this;
    for (const row of rows) pending.rows.push(row);
    pending.progress.push(...progress);
    pending.bytes += bytes;
    if (isUrgent || pending.bytes >= this.options.bytes) this.due(pending);
    return pending.settled;
  }

  /** Somebody waits for what is in hand. */
  hurry(): void {
    if (this.pending !== undefined) this.due(this.pending);
  }

  private begin(): Pending {
    const waitMs = Math.max(this.options.waitMs, Math.min(2 * this.insertMs, MOST_WAIT_MS));
    let settle: Pending['settle'] = () => undefined;
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const pending = { rows: [], progress: [], bytes: 0, isDue: false, settled, settle };
    this.timer = setTimeout(() => this.due(pending), waitMs);
    return pending;
  }

  private due(pending: Pending): void {
    pending.isDue = true;
    this.send();
  }

  private send(): void {
    const { pending } = this;
    // What waits grows meanwhile, and goes out when an insert in hand has ended.
    if (pending?.isDue !== true || this.inserting >= insertsAtOnce) return;
    clearTimeout(this.timer);
    this.pending = undefined;
    this.inserting++;
    pending.settle(
      this.insert(pending).finally(() => {
        this.inserting--;
        this.send();
      }),
    );
  }

  private async insert({ rows, progress }: Pending): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.store.insert(rows, progress);
    } catch (error) {
      if (!isFinal(error)) throw error;
      const refused = await this.refusedRows(rows, error);
      await this.options.onRefused(refused);
      const left = new Set(refused);
      // Whole messages at once: what a message brought is counted by them.
      await this.store.insert(
        rows.filter((row) => !left.has(row)),
        progress,
      );
    }
    const tookMs = performance.now() - startedAt;
    this.insertMs = (this.insertMs + tookMs) / 2;
    this.options.onInserted?.({ rows: rows.length, seconds: tookMs / 1000 });
  }

  /** Halves the rows until each one that is refused is alone. Inserts are repeatable, so trying costs only time. */
  private async refusedRows(rows: readonly PlacedRow[], error: unknown): Promise<readonly PlacedRow[]> {
    // Without rows it was the progress that was refused, which no row can cure.
    if (rows.length === 0) throw error;
    if (rows.length === 1) return rows;
    const middle = rows.length >> 1;
    const refused: PlacedRow[] = [];
    for (const half of [rows.slice(0, middle), rows.slice(middle)]) {
      try {
        await this.store.insert(half, []);
      } catch (caught) {
        if (!isFinal(caught)) throw caught;
        refused.push(...(await this.refusedRows(half, caught)));
      }
    }
    return refused;
  }
}

const isFinal = (error: unknown): boolean => (error as { retriable?: unknown } | undefined)?.retriable === false;
