/** Rows on this machine's disk that the log does not have yet, in the order in which they were told. Durable when `add` resolves. */
import { mkdirSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { refusalOf } from './disk-refusal.js';

export interface SpooledRow {
  readonly place: number;
  /** A row of `feedback.v1` as JSON. */
  readonly text: string;
}

export interface SpoolOptions {
  /** One process, one folder. */
  readonly folder: string;
  readonly mostRows: number;
}

export class SpoolFull extends Error {
  override readonly name = 'SpoolFull';
}

interface Group {
  readonly texts: string[];
  readonly done: Promise<void>;
  settle(error?: unknown): void;
}

const groupOf = (): Group => {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const done = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { texts: [], done, settle: (error) => (error === undefined ? resolve() : reject(error)) };
};

export class ExposureSpool {
  /** What else is kept beside the rows lives in databases of its own in the same environment. */
  readonly environment: RootDatabase;
  private readonly rows: Database<string, number>;
  private next: number;
  private count: number;
  /** Taken, not durable yet. */
  private underWay = 0;
  private waiting: Group | undefined;
  private isWriting = false;
  private onRows: () => void = () => undefined;

  constructor(private readonly options: SpoolOptions) {
    // Definitions hold the hashes of keys.
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    // Its own grouping of writes makes promises that it hands to nobody: of a write that fails, one would end the process.
    this.environment = open({ path: options.folder, maxDbs: 8, eventTurnBatching: false });
    this.rows = this.environment.openDB<string, number>({ name: 'exposures', encoding: 'string' });
    this.count = this.rows.getCount();
    // Places rise over restarts also when the spool was empty, by the clock: nobody hands out a place twice.
    this.next = Math.max(this.lastPlace() + 1, Date.now() * 1_000);
  }

  get depth(): number {
    return this.count;
  }

  /** The row that has waited longest. */
  oldest(): SpooledRow | undefined {
    return this.first(1)[0];
  }

  /** Called after rows were added. */
  whenAdded(listener: () => void): void {
    this.onRows = listener;
  }

  /**
   * Resolves when the disk has the rows: what comes while it writes shares the next write.
   * @throws SpoolFull when there is no room for any of them, or what the disk said
   */
  add(texts: readonly string[]): Promise<void> {
    if (this.count + this.underWay + texts.length > this.options.mostRows)
      return Promise.reject(new SpoolFull(`the spool holds ${this.count} rows, of ${this.options.mostRows} at most`));
    this.underWay += texts.length;
    const group = this.waiting ?? groupOf();
    this.waiting = group;
    for (const text of texts) group.texts.push(text);
    if (!this.isWriting) void this.write();
    return group.done;
  }

  first(limit: number): readonly SpooledRow[] {
    return [...this.rows.getRange({ limit })].map(({ key, value }) => ({ place: key, text: value }));
  }

  /** The log has them. */
  async remove(rows: readonly SpooledRow[]): Promise<void> {
    await this.together(() => {
      for (const { place } of rows) void this.rows.remove(place);
    });
    this.count -= rows.length;
  }

  async close(): Promise<void> {
    while (this.isWriting) await new Promise(setImmediate);
    await this.environment.close();
  }

  private async write(): Promise<void> {
    this.isWriting = true;
    // Requests that were read from their sockets in one turn are answered by one write.
    await new Promise(setImmediate);
    for (let group = this.waiting; group !== undefined; group = this.waiting) {
      this.waiting = undefined;
      await this.writeGroup(group);
    }
    this.isWriting = false;
  }

  private async writeGroup({ settle, texts }: Group): Promise<void> {
    try {
      const first = this.next;
      this.next += texts.length;
      await this.together(() => {
        texts.forEach((text, nth) => void this.rows.put(first + nth, text));
      });
      // Committed is visible; flushed survives the power cut, too.
      await this.environment.flushed;
      this.count += texts.length;
      settle();
      this.onRows();
    } catch (error) {
      settle(error);
    } finally {
      this.underWay -= texts.length;
    }
  }

  /** One transaction. @throws what the disk said */
  private async together(writes: () => void): Promise<void> {
    try {
      await this.rows.batch(writes);
    } catch (error) {
      throw await refusalOf(error);
    }
  }

  private lastPlace(): number {
    const [last = 0] = this.rows.getKeys({ limit: 1, reverse: true });
    return last;
  }
}
