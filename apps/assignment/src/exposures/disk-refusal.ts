/** What a disk says that takes no more: lmdb tells it in a promise beside the failed write, and one that nobody hears ends the process. */
import { setTimeout as sleep } from 'node:timers/promises';

const SAID_WITHIN_MS = 1_000;

/** @returns the cause of what lmdb threw; what it threw where it names none */
export const refusalOf = async (error: unknown): Promise<unknown> => {
  const cause = (error as { readonly commitError?: unknown } | undefined)?.commitError;
  if (!(cause instanceof Promise)) return error;
  const heard = cause.then(
    () => error,
    (said: unknown) => said,
  );
  return Promise.race([heard, sleep(SAID_WITHIN_MS, error, { ref: false })]);
};
