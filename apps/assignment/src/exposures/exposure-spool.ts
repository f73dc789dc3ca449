/** Rows on this machine's disk that the log does not have yet, in the order in which they were told. Durable when `add` resolves. */
import { mkdirSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { DiskRoom } from './disk-room.js';
import { SentNotes } from './sent-notes.js';
import type { SentUnits } from './sent-places.js';

/** After a refusal: all of them would be pages that have to be copied at once. */
const FEW_ROWS = 100;
/** A name and a place. */
const MARK_BYTES = 100;

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

const settled = (name: string): string => `settled ${name}`;

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
  readonly room: DiskRoom;
  private readonly rows: Database<string, number>;
  /** The first places behind which something was heard, by name. */
  private readonly marks: Database<number, string>;
  /** Of no use to a later life before a row is behind them: written with the next one. */
  private unwrittenMarks = new Map<string, number>();
  private readonly sent: SentNotes;
  /** Rows at places below are of an earlier life. */
  readonly openedAt: number;
  private next: number;
  private count: number;
  /** The log has them, and the disk had no room for saying so: removed with the next ones. */
  private gone: number[] = [];
  private removedAtOnce = Number.POSITIVE_INFINITY;
  /** Taken, not durable yet. */
  private underWay = 0;
  private waiting: Group | undefined;
  private isWriting = false;
  private onRows: () => void = () => undefined;

  constructor(private readonly options: SpoolOptions) {
    // Definitions hold the hashes of keys.
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    this.room = new DiskRoom(options.folder);
    // Its own grouping of writes makes promises that it hands to nobody: of a write that fails, one would end the process.
    this.environment = open({ path: options.folder, maxDbs: 8, eventTurnBatching: false });
    this.rows = this.environment.openDB<string, number>({ name: 'exposures', encoding: 'string' });
    this.marks = this.environment.openDB<number, string>({ name: 'places-heard' });
    this.sent = new SentNotes(this.environment.openDB<SentUnits, number>({ name: 'sent-lately' }));
    this.count = this.rows.getCount();
    // Places rise over restarts also when the spool was empty, by the clock, and above marks where that was set back: nobody hands out a place twice.
    this.next = Math.max(this.lastPlace() + 1, this.highestMark(), Date.now() * 1_000);
    this.openedAt = this.next;
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
    const start = (this.gone.at(-1) ?? -1) + 1;
    return [...this.rows.getRange({ start, limit })].map(({ key, value }) => ({ place: key, text: value }));
  }

  /**
   * @param name  of something that was heard, for the first time in the life of this folder or again. @returns the place of the first row that was added after
   * the first time: those before it have lower ones, whatever any clock says
   */
  markOf(name: string): number {
    const known = this.marks.get(name) ?? this.unwrittenMarks.get(name);
    if (known !== undefined) return known;
    const place = this.next + (this.waiting?.texts.length ?? 0);
    this.unwrittenMarks.set(name, place);
    return place;
  }

  /** What the log took last, oldest first, in earlier lives. */
  sentBefore(): Iterable<SentUnits> {
    return this.sent.read();
  }

  /** @param name  of something that was heard; to be known in every later life as well */
  async settle(name: string): Promise<void> {
    await this.room.write(MARK_BYTES, () => this.marks.put(settled(name), 0));
    await this.environment.flushed;
  }

  isSettled(name: string): boolean {
    return this.marks.doesExist(settled(name));
  }

  /** The log has them. They are the first ones. @param sent  kept instead of them, for a while */
  async remove(rows: readonly SpooledRow[], sent?: SentUnits): Promise<void> {
    for (const { place } of rows) this.gone.push(place);
    this.count -= rows.length;
    if (sent !== undefined && sent.units.length > 0) this.sent.add(sent);
    // Nobody sends them again while this process lives; after a full disk and a crash they are sent twice, which counts once.
    while (this.gone.length > 0 && this.room.isOpen) {
      const some = this.gone.slice(0, this.removedAtOnce);
      let kept: () => void = () => undefined;
      const removal = () =>
        this.rows.batch(() => {
          kept = this.sent.write();
          for (const place of some) void this.rows.remove(place);
        });
      const { bytes } = this.sent;
      const isDone = await this.room.write(bytes, removal).then(
        () => true,
        () => false,
      );
      if (!isDone) {
        this.removedAtOnce = FEW_ROWS;
        this.sent.forget();
        // Rows go even where there is no room for what is kept instead of them.
        if (bytes > 0) continue;
        return;
      }
      kept();
      this.removedAtOnce = some.length === this.gone.length ? Number.POSITIVE_INFINITY : FEW_ROWS;
      this.gone = this.gone.slice(some.length);
    }
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
      const marks = [...this.unwrittenMarks];
      const bytes = texts.reduce((sum, { length }) => sum + length, marks.length * MARK_BYTES);
      const put = () => {
        for (const [name, place] of marks) void this.marks.put(name, place);
        texts.forEach((text, nth) => void this.rows.put(first + nth, text));
      };
      await this.room.write(bytes, () => this.rows.batch(put));
      for (const [name] of marks) this.unwrittenMarks.delete(name);
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

  private highestMark(): number {
    let highest = 0;
    for (const { value } of this.marks.getRange({})) highest = Math.max(highest, value);
    return highest;
  }

  private lastPlace(): number {
    const [last = 0] = this.rows.getKeys({ limit: 1, reverse: true });
    return last;
  }
}
