/** How much of the log may be in memory on its way into the store. */

/** Messages of `feedback.v1` that are read and not stored yet, in bytes, by configuration. */
export const HELD_BYTES = Symbol('bytes of feedback in hand');

/** Some eighty thousand events, in inserts of a quarter of them: what an insert costs beside its rows, in files and merges, is then small. */
export const DEFAULT_HELD_BYTES = 32 * 2 ** 20;

/** What is read is garbage as soon as it is encoded. More at once would live long enough for V8 to call it old, and to collect it late. */
const MOST_READ = 2 ** 19;

export interface HeldShares {
  /** Of one batch of one partition; a message is never cut, so that each may bring its last one more. */
  readonly read: number;
  /** Gathered, or on its way into the store. */
  readonly gathered: number;
  /** An insert goes out when it has as many. */
  readonly insert: number;
}

/** One insert is gathered while two are on their way. */
export const sharesOf = (heldBytes: number, partitions: number): HeldShares => {
  const reading = Math.floor(heldBytes / 4);
  const gathered = heldBytes - reading;
  const read = Math.max(1, Math.min(MOST_READ, Math.floor(reading / partitions)));
  return { read, gathered, insert: Math.max(1, Math.floor(gathered / 3)) };
};
