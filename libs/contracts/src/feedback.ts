/** `feedback.v1`: what units did, saw and said. One message is a JSON array of at most 4,096 rows of one partition. */
import type { InstantUs } from './instants.js';

/**
 * What a row says.
 * - `metric`, `feedback`: something that a unit did or said; `name` is the event's name.
 * - `exposure`, `assignment`: which variant a unit saw or was told; `name` is the experiment's key.
 * - `import`: the history of this environment is complete; no unit.
 * - `erasure` (`unit.erased.v1`): the rows of this unit at smaller positions of its environment are no more; later ones count anew.
 */
export type RowKind = 'metric' | 'feedback' | 'exposure' | 'assignment' | 'import' | 'erasure';

export type PropertyValue = string | number | boolean;

/** Why a unit has its variant. Only SPLIT was randomised; `unknown` is a report that did not say. */
export type ExposureReason = 'SPLIT' | 'OVERRIDE' | 'USER_CHANNEL' | 'HOLDOUT' | 'STATIC' | 'unknown';

/** One unit reference of one event, as ingestion writes it and the store keeps it. */
export interface FeedbackRow {
  readonly kind: RowKind;
  readonly project: string;
  readonly environment: string;
  readonly name: string;
  readonly unitType: string;
  /** Pseudonym: 32 hex digits. */
  readonly unit: string;
  readonly source: string;
  readonly id: string;
  /** Event time after clock correction. */
  readonly at: InstantUs;
  /** Historical environments only: takes the place of the log's known time. */
  readonly knownAt?: InstantUs;
  /** Millionths, as a decimal string of an Int64. */
  readonly value?: string;
  readonly properties?: Readonly<Record<string, PropertyValue>>;
  readonly variant?: string;
  readonly segment?: number;
  readonly reason?: ExposureReason;
  /** 16 hex digits over the event's content without its sending time: an id seen with two digests was used again. */
  readonly digest: string;
  /** The write key that sent it, by id. */
  readonly key: string;
}

/** `dead-letters.v1`: what could not be believed, and why. One message an event, its id is `partition-offset` of the log. */
export interface DeadLetter {
  readonly project: string | null;
  readonly environment: string | null;
  readonly key: string | null;
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly receivedAtUs: InstantUs;
  readonly eventId: string | null;
  readonly source: string | null;
  /** The event as it arrived (JSON text), or null when it was too large to keep; only kept ones can be replayed. */
  readonly raw: string | null;
  /** Where it lies in the log, when it came that way; in `feedback.raw.v1` the position is `partition-offset`. */
  readonly topic?: string;
  readonly position?: string;
}

/** `ingest-stats.v1`: one message a second and process, counts since its last one. */
export interface IngestStats {
  readonly instance: string;
  readonly atUs: InstantUs;
  readonly counts: readonly IngestCount[];
}

export interface IngestCount {
  readonly project: string;
  readonly environment: string;
  readonly key: string;
  readonly kind: RowKind | 'unreadable';
  readonly name: string;
  readonly accepted: number;
  readonly rejected: Readonly<Record<string, number>>;
}
