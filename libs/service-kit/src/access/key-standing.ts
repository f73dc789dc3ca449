/** Whether a key that was found works at this moment: not after its revocation, its end, or the time that its old secret was given. */
import { timingSafeEqual } from 'node:crypto';
import type { KeyRecord } from './api-keys.js';

export interface KeyRefusal {
  readonly code: 'key-unknown' | 'key-revoked' | 'key-expired' | 'key-rotated';
  /** For whoever holds the key. */
  readonly message: string;
}

/**
 * @param hash  of the key that was presented
 * @param nowUs  microseconds since the epoch
 * @returns why it is refused; undefined when it works
 */
export const refusalOf = (record: KeyRecord | undefined, hash: string, nowUs: number): KeyRefusal | undefined => {
  const isNewest = record !== undefined && isSame(record.hash, hash);
  const isPrevious = record?.previous !== undefined && isSame(record.previous.hash, hash);
  if (record === undefined || !(isNewest || isPrevious)) return { code: 'key-unknown', message: 'No such API key.' };
  const { id, revoked, previous, expiresAtUs } = record;
  if (revoked) return { code: 'key-revoked', message: `The API key ${id} was revoked; ask a manager for a new one.` };
  if (expiresAtUs !== undefined && nowUs >= expiresAtUs)
    return { code: 'key-expired', message: `The API key ${id} expired at ${textOf(expiresAtUs)}; ask a manager to rotate it.` };
  if (!isNewest && previous !== undefined && nowUs >= previous.untilUs)
    return { code: 'key-rotated', message: `The API key ${id} has a new secret, and this one ended at ${textOf(previous.untilUs)}.` };
  return undefined;
};

/** When this secret stops to work by itself, in microseconds since the epoch; null: never. */
export const endOf = ({ hash: newest, previous, expiresAtUs }: KeyRecord, hash: string): number | null => {
  const ends = [expiresAtUs, hash === newest ? undefined : previous?.untilUs].filter((end) => end !== undefined);
  return ends.length === 0 ? null : Math.min(...ends);
};

const textOf = (atUs: number): string => new Date(atUs / 1_000).toISOString();

const isSame = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
