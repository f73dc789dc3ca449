/** The store of everything that was decided: streams of events in one global order, and subscriptions that never skip any of it. */
import type { RampartEvent } from './stored-event-types.js';

/** Who caused events, when and why. */
export interface Origin {
  /** Microseconds since the epoch, by the clock of the process that decided. */
  readonly atUs: number;
  /** Id of the key that was used, or the name of a process. */
  readonly actor: string;
  readonly reason: string | null;
  readonly requestId: string | null;
}

export interface StoredEvent<Event extends RampartEvent = RampartEvent> extends Origin {
  /** Place in the order of all streams: rises in the order of commits, with gaps; a safe integer. */
  readonly position: number;
  readonly stream: string;
  /** Place in its stream, from 1 without gaps. */
  readonly version: number;
  readonly event: Event;
}

/** A request that must not happen twice: its answer is kept with the events, in the same transaction. */
export interface RecordedRequest {
  readonly scope: string;
  readonly key: string;
  /** Of the request: another one under the same key is a mistake. */
  readonly digest: string;
  /** Opaque here. */
  readonly answer: string;
}

export interface AppendRequest {
  readonly stream: string;
  /** Version of the last event that was read, 0 for a new stream. */
  readonly expectedVersion: number;
  /** May be empty: then only `request` is recorded. */
  readonly events: readonly RampartEvent[];
  readonly origin: Origin;
  readonly request?: RecordedRequest | undefined;
}

/** Another request was recorded under this key in the meantime: read it. */
export class RequestRecorded extends Error {
  override readonly name = 'RequestRecorded';
}

/** How long a recorded request is remembered. */
export const REQUEST_MEMORY_US = 24 * 3_600_000_000;

export interface Subscriber<Transaction> {
  /** Its name is forever: the checkpoint hangs on it. */
  readonly name: string;
  /**
   * Called in order of position, one batch at a time, in all processes together. The checkpoint moves with `transaction`, so that what is written through it
   * happens exactly once; anything else at least once. An error is retried for ever.
   */
  handle(events: readonly StoredEvent[], transaction: Transaction): Promise<void>;
  /** Forgets everything that was handled, before a rebuild. */
  reset(transaction: Transaction): Promise<void>;
  /** Told about each failed attempt; the next one follows by itself. */
  onTrouble?(error: unknown): void;
}

export interface Subscription {
  /** Resolves when everything that is stored now has been handled. @throws EventStoreUnavailable when that takes longer than `withinMs` */
  caughtUp(withinMs?: number): Promise<void>;
  /** What keeps it from going on, undefined when all is well. */
  trouble(): string | undefined;
  /** Whether this process is the one that handles, of all that subscribed under the name. It may be so no more a moment later. */
  isOwner(): boolean;
  /** Lets the batch in hand end. */
  close(): Promise<void>;
}

/** Follows in this process alone, whatever others do: see `EventStore.tail`. */
export interface Tail {
  /** Resolves when what is appended from now on will be told. */
  readonly ready: Promise<void>;
  trouble(): string | undefined;
  close(): Promise<void>;
}

/** The database can't be reached or is too slow: nothing is wrong with the request. */
export class EventStoreUnavailable extends Error {
  override readonly name = 'EventStoreUnavailable';
  readonly retriable = true;
}

/** The port, and its token for dependency injection. `Transaction`: what an adapter hands to subscribers. */
export abstract class EventStore<Transaction = unknown> {
  /**
   * All or nothing. Positions rise in the order of commits: a reader of `position > checkpoint` never skips.
   * @returns the stream's version afterwards
   * @throws DomainError `revision-mismatch` if the stream is not at `expectedVersion`
   * @throws RequestRecorded
   */
  abstract append(request: AppendRequest): Promise<number>;

  /** In order, those after a version; empty for a stream that does not exist. @param afterVersion  default: 0, all of it */
  abstract readStream(stream: string, afterVersion?: number): Promise<readonly StoredEvent[]>;

  /** In order of position; up to `limit`, fewer where they are large, none only at the end. */
  abstract readAll(afterPosition: number, limit: number): Promise<readonly StoredEvent[]>;

  abstract recordedRequest(scope: string, key: string): Promise<RecordedRequest | undefined>;

  /** Begins with the first event ever stored, and goes on where it was after a restart. */
  abstract subscribe(subscriber: Subscriber<Transaction>): Subscription;

  /**
   * Tells every event that is appended from now on, in order, in each process that asks: nothing is remembered beyond it.
   * @param tell  must not throw
   */
  abstract tail(tell: (event: StoredEvent) => void): Tail;

  /** Resets and handles everything again in one transaction: readers see the old state until it is done. @returns how many events */
  abstract rebuild(subscriber: Subscriber<Transaction>): Promise<number>;

  abstract close(): Promise<void>;
}
