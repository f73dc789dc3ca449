/** How much of the log may be in memory on its way into the store. */

/** Messages of `feedback.v1` that are read and not stored yet, in bytes, by configuration. */
export const HELD_BYTES = Symbol('bytes of feedback in hand');

/** What the store takes in a fraction of a second. */
export const DEFAULT_HELD_BYTES = 8 * 2 ** 20;

/** Of the batch of one partition: a message is never cut, so that each may bring its last one more. */
export const batchBytes = (heldBytes: number, partitions: number): number => Math.max(1, Math.floor(heldBytes / partitions));
