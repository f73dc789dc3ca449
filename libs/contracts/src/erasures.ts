/**
 * `erasures.v1`: which units were erased, which stores are done with it, and where an erasure was repeated. Compacted: a request under its id, a step under
 * `id/store/part`, a repetition under `id/again/partition/offset`. It is kept for ever, with the pseudonym alone: a spool that turns up later must know whom it
 * may not bring back.
 */
import type { InstantUs } from './instants.js';

/** Where something of a unit may lie. Each is done when all of its parts are. */
export const ERASURE_STORES = ['feedback-store', 'dead-letters', 'raw-events', 'control-plane', 'spools'] as const;
export type ErasureStore = (typeof ERASURE_STORES)[number];

export interface ErasureRequest {
  readonly kind: 'request';
  readonly id: string;
  readonly project: string;
  readonly environment: string;
  readonly unitType: string;
  /** Pseudonym. */
  readonly unit: string;
  /** The raw id, encrypted under the platform's secret, while some store must still be searched for it; null once all are done. */
  readonly sealed: string | null;
  /** Of `unit.erased.v1` in `feedback.v1`. */
  readonly partition: number;
  readonly offset: number;
  readonly requestedAtUs: InstantUs;
  /** Id of the key. */
  readonly by: string;
}

export interface ErasureStep {
  readonly kind: 'step';
  readonly id: string;
  readonly store: ErasureStore;
  /** A partition, a process, or a half of the store. */
  readonly part: string;
  readonly doneAtUs: InstantUs;
  /** What named the unit and is gone: rows, letters, texts. Null where nobody counts. */
  readonly removed: number | null;
}

/** Rows of before the erasure lay behind it, or were stored after it: another event took them. */
export interface ErasureRepetition {
  readonly kind: 'repetition';
  /** Of the request. */
  readonly id: string;
  /** Of the event in `feedback.v1`. */
  readonly partition: number;
  readonly offset: number;
  readonly repeatedAtUs: InstantUs;
}

/** From so many characters on an id is looked for inside of words and sentences, too: shorter ones are a part of nearly everything. */
export const DISTINCT_UNIT_ID = 8;

export type ErasureMessage = ErasureRequest | ErasureStep | ErasureRepetition;

export const erasureKey = (message: ErasureMessage): string => {
  if (message.kind === 'request') return message.id;
  if (message.kind === 'repetition') return `${message.id}/again/${message.partition}/${message.offset}`;
  return `${message.id}/${message.store}/${message.part}`;
};

const KINDS: ReadonlySet<unknown> = new Set<ErasureMessage['kind']>(['request', 'step', 'repetition']);

/** @returns undefined for what can't be read */
export const erasureMessageIn = (value: Uint8Array | null): ErasureMessage | undefined => {
  if (value === null) return undefined;
  try {
    const message = JSON.parse(new TextDecoder().decode(value)) as Partial<ErasureMessage> | null;
    return KINDS.has(message?.kind) && typeof message?.id === 'string' ? (message as ErasureMessage) : undefined;
  } catch {
    return undefined;
  }
};

/** Header of a message of `dead-letters.v1` without value: what was appended before this offset is gone, and what of it should stay came again in between. */
export const DROPPED_BEFORE_HEADER = 'dropped-before';
/** Beside it: ids of the erasures that are done with letters where this mark was read, with commas between. */
export const ERASURE_HEADER = 'erasure';

/** Answer of `DELETE /v1/units/{unitType}/{unitId}` and `GET /v1/erasures/{id}`. */
export interface ErasureProgress {
  readonly id: string;
  readonly project: string;
  readonly environment: string;
  readonly unitType: string;
  readonly requestedAt: string;
  readonly by: string;
  readonly state: 'running' | 'done';
  readonly stores: readonly ErasureStoreProgress[];
}

export interface ErasureStoreProgress {
  readonly store: ErasureStore;
  readonly state: 'waiting' | 'done';
  /** Of the last part. */
  readonly doneAt: string | null;
  readonly removed: number | null;
  /** Those that are done. */
  readonly parts: readonly string[];
}
