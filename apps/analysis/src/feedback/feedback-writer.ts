/** Gathers the batches of all partitions into few, large inserts; a row that the store will never take is set aside alone. */
import type { FeedbackStore, Gathering, PlacedRow, Progress } from '@rampart/feedback-store';

export interface WriterOptions {
  /** An insert goes out as soon as its messages have this many bytes … */
  readonly bytes: number;
  /** … or when its first batch has waited this long, and twice as long as inserts take, up to a second: a store that is slow gets fewer and larger ones. */
  readonly waitMs: number;
  /** Of messages that are gathered, or on their way: who brings more waits. */
  readonly mostBytes: number;
  /** Told of each insert that is durable. */
  onInserted?(insert: { readonly rows: number; readonly seconds: number }): void;
  /** Must make durable that these rows are left out, before anything moves on. */
  onRefused(rows: readonly PlacedRow[]): Promise<void>;
}

/** Of one partition. */
export interface Batch {
  readonly rows: readonly PlacedRow[];
  readonly progress: Progress;
}

interface Pending {
  readonly gathering: Gathering;
  /** By partition, the last one. */
  readonly progress: Map<string, Progress>;
  rows: number;
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
  private readonly inserting = new Set<Promise<void>>();
  /** Partitions of which something gathered was not stored: nothing behind it may count as stored before it is. */
  private readonly behind = new Set<string>();
  private heldBytes = 0;
  private readonly waiting: { readonly bytes: number; admit(): void }[] = [];
  /** How long inserts take, the last ones most. */
  private insertMs = 0;

  constructor(
    private readonly store: FeedbackStore,
    private readonly options: WriterOptions,
  ) {}

  /** Resolves when there is room for messages of so many bytes, which is then theirs: `gather` or `release` follows. Any fit where nothing is held. */
  async reserve(bytes: number): Promise<void> {
    if (this.waiting.length === 0 && this.hasRoom(bytes)) {
      this.heldBytes += bytes;
      return;
    }
    await new Promise<void>((admit) => {
      this.waiting.push({ bytes, admit });
      this.hurry();
    });
  }

  release(bytes: number): void {
    this.heldBytes -= bytes;
    // In the order in which they came: a large one would else wait for as long as there are small ones.
    for (let first = this.waiting[0]; first !== undefined && this.hasRoom(first.bytes); first = this.waiting[0]) {
      this.waiting.shift();
      this.heldBytes += first.bytes;
      first.admit();
    }
    if (this.waiting.length > 0) this.hurry();
  }

  private hasRoom(bytes: number): boolean {
    return this.heldBytes === 0 || this.heldBytes + bytes <= this.options.mostBytes;
  }

  /**
   * Takes rows, but erasures, of which nothing is kept here; resolves when they and their progress are durable. Rejects with what the store said: then nothing
   * of the insert counts as stored, nor what was gathered after it, and each of its batches must be written by itself.
   * @param bytes  as reserved
   */
  gather({ rows, progress }: Batch, bytes: number): Promise<void> {
    if (this.isBehind(progress)) {
      this.release(bytes);
      return Promise.reject(new BehindError());
    }
    this.pending ??= this.begin();
    const { pending } = this;
    pending.bytes += bytes;
    pending.progress.set(partitionOf(progress), progress);
    try {
      pending.gathering.add(rows);
    } catch (error) {
      this.giveUp(pending, error);
      return pending.settled;
    }
    pending.rows += rows.length;
    if (pending.bytes >= this.options.bytes || this.waiting.length > 0) this.due(pending);
    return pending.settled;
  }

  /** Whether something gathered of the partition was not stored, and nothing was written alone since. */
  isBehind(progress: Pick<Progress, 'topic' | 'partition'>): boolean {
    return this.behind.has(partitionOf(progress));
  }

  /**
   * An insert of its own, in which rows that the store will never take are looked for. Resolves when the others are durable, and their progress. All before it
   * must be.
   */
  async writeAlone({ rows, progress }: Batch): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.store.insert(rows, [progress]);
    } catch (error) {
      if (!isFinal(error)) throw error;
      const refused = await this.refusedRows(rows, error);
      await this.options.onRefused(refused);
      const left = new Set(refused);
      // Whole messages at once: what a message brought is counted by them.
      await this.store.insert(
        rows.filter((row) => !left.has(row)),
        [progress],
      );
    }
    this.behind.delete(partitionOf(progress));
    this.inserted(rows.length, startedAt);
  }

  /** Somebody waits for what is in hand. */
  hurry(): void {
    if (this.pending !== undefined) this.due(this.pending);
  }

  /** Resolves when nothing that was gathered until now is on its way any more, whatever became of it. */
  async settled(): Promise<void> {
    this.hurry();
    const underway = [...this.inserting];
    if (this.pending !== undefined) underway.push(this.pending.settled);
    await Promise.allSettled(underway);
  }

  private begin(): Pending {
    const waitMs = Math.max(this.options.waitMs, Math.min(2 * this.insertMs, MOST_WAIT_MS));
    let settle: Pending['settle'] = () => undefined;
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    // Whoever brought rows is told; who waits for all of them need not be.
    settled.catch(() => undefined);
    const pending = { gathering: this.store.gather(), progress: new Map(), rows: 0, bytes: 0, isDue: false, settled, settle };
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
    if (pending?.isDue !== true || this.inserting.size >= insertsAtOnce) return;
    this.close(pending);
    const work = this.insert(pending, [...this.inserting]);
    this.inserting.add(work);
    const ended = async () => {
      try {
        await work;
      } catch (error) {
        this.fellBehind(pending);
        // It was gathered after what was not stored.
        if (this.pending !== undefined) this.giveUp(this.pending, error);
        throw error;
      } finally {
        this.inserting.delete(work);
        this.release(pending.bytes);
        this.send();
      }
    };
    pending.settle(ended());
  }

  private giveUp(pending: Pending, error: unknown): void {
    this.close(pending);
    this.fellBehind(pending);
    this.release(pending.bytes);
    pending.settle(Promise.reject(error));
  }

  private fellBehind({ progress }: Pending): void {
    for (const partition of progress.keys()) this.behind.add(partition);
  }

  private close(pending: Pending): void {
    if (this.pending !== pending) return;
    clearTimeout(this.timer);
    this.pending = undefined;
  }

  /** @param before  inserts with rows of the same partitions, maybe */
  private async insert({ gathering, progress, rows }: Pending, before: readonly Promise<void>[]): Promise<void> {
    const startedAt = performance.now();
    await gathering.insert();
    await Promise.all(before);
    await this.store.insert([], [...progress.values()]);
    this.inserted(rows, startedAt);
  }

  private inserted(rows: number, startedAt: number): void {
    const tookMs = performance.now() - startedAt;
    this.insertMs = (this.insertMs + tookMs) / 2;
    this.options.onInserted?.({ rows, seconds: tookMs / 1000 });
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

/** Goes before what was not stored. */
export class BehindError extends Error {
  override readonly name = 'BehindError';

  constructor() {
    super('what comes before it is not stored yet');
  }
}

const partitionOf = ({ topic, partition }: Pick<Progress, 'topic' | 'partition'>): string => `${topic}/${partition}`;

const isFinal = (error: unknown): boolean => (error as { retriable?: unknown } | undefined)?.retriable === false;
