/**
 * A disk that takes no more. lmdb must not meet one: it writes its message about a refused page into 100 bytes that are too few for it (`last_error` in
 * 3.5.6's mdb.c), and the process dies of that sooner or later. So room is looked for before each write, and after a refusal the disk is left alone a while.
 */
import { statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Pages are copied before they are changed, and the tree above them too. */
const COPIES = 2;
const RESERVE_BYTES = 2 ** 20;
const LEFT_ALONE_MS = 1_000;
const SAID_WITHIN_MS = 1_000;

export class NoRoom extends Error {
  override readonly name = 'NoRoom';
}

export class DiskRoom {
  private shutUntilMs = Number.NEGATIVE_INFINITY;
  private refusal: unknown;

  constructor(private readonly folder: string) {}

  /** Whether there is any use in trying. */
  get isOpen(): boolean {
    return performance.now() >= this.shutUntilMs && this.freeBytes() >= RESERVE_BYTES;
  }

  /** Runs one transaction of about so many bytes. @throws NoRoom before it, or what the disk said to it */
  async write<T>(bytes: number, transaction: () => Promise<T>): Promise<T> {
    if (performance.now() < this.shutUntilMs) throw this.refusal;
    const free = this.freeBytes();
    const needed = bytes * COPIES + RESERVE_BYTES;
    if (free < needed)
      throw new NoRoom(`the disk of ${this.folder} has ${free} bytes left, and needs ${needed}: free some, or give it a larger disk`);
    try {
      return await transaction();
    } catch (error) {
      this.shutUntilMs = performance.now() + LEFT_ALONE_MS;
      this.refusal = await refusalOf(error);
      throw this.refusal;
    }
  }

  private freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }
}

/** lmdb tells the cause in a promise beside the failed write, and one that nobody hears ends the process. @returns what it threw where it names no cause */
const refusalOf = async (error: unknown): Promise<unknown> => {
  const cause = (error as { readonly commitError?: unknown } | undefined)?.commitError;
  if (!(cause instanceof Promise)) return error;
  const heard = cause.then(
    () => error,
    (said: unknown) => said,
  );
  return Promise.race([heard, sleep(SAID_WITHIN_MS, error, { ref: false })]);
};
