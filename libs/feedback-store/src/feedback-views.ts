/** What people look at beside the sums: what came in, what is there, what was not believed. */
import type { DeadLetter, IngestStats, InstantUs, MetricDefinition, PropertyValue, RowKind } from '@rampart/contracts';
import type { ComparisonQuery, DuplicateCount, MetricPreview } from './feedback-store.js';

export interface EnvironmentName {
  readonly project: string;
  readonly environment: string;
}

/** A name that an environment has rows of. */
export interface SeenName {
  readonly kind: 'event' | 'exposure' | 'assignment';
  /** Of the event, or of the experiment. */
  readonly name: string;
  readonly unitType: string;
  readonly rows: number;
  /** Event times. */
  readonly firstAtUs: InstantUs;
  readonly lastAtUs: InstantUs;
}

export interface TailQuery extends EnvironmentName {
  readonly name?: string | undefined;
  /** Pseudonym. */
  readonly unit?: string | undefined;
  readonly limit: number;
}

/** A stored row, newest known first. */
export interface TailRow {
  readonly kind: RowKind;
  readonly name: string;
  readonly unitType: string;
  readonly unit: string;
  readonly atUs: InstantUs;
  readonly knownAtUs: InstantUs;
  /** Millionths, as a decimal string. */
  readonly value: string | null;
  readonly variant: string | null;
  readonly segment: number | null;
  readonly reason: string | null;
  readonly properties: Readonly<Record<string, PropertyValue>>;
  readonly key: string;
}

export interface StatsQuery extends EnvironmentName {
  readonly sinceUs: InstantUs;
  readonly key?: string | undefined;
  readonly name?: string | undefined;
}

/** What ingestion answered, by write key and event name. */
export interface IngestTotals {
  readonly key: string;
  readonly kind: string;
  readonly name: string;
  readonly accepted: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly lastAtUs: InstantUs;
}

/** A message with its place: delivered again, it replaces itself. */
export interface Placed<T> {
  readonly partition: number;
  /** As of the log: generation, offset, 0. */
  readonly position: bigint;
  readonly value: T;
}

export interface ListedLetter extends DeadLetter {
  /** `partition-offset`: what a replay names. */
  readonly id: string;
}

/** Of an environment; of what belongs to no project when both names are empty. */
export interface LetterQuery extends EnvironmentName {
  readonly code?: string | undefined;
  readonly limit: number;
  /** Where the page before ended; the newest first without one. */
  readonly before?: string | undefined;
}

export interface LetterPage {
  readonly letters: readonly ListedLetter[];
  /** Null on the last page. */
  readonly next: string | null;
  readonly byCode: Readonly<Record<string, number>>;
}

export interface PreviewQuery extends EnvironmentName {
  readonly definition: MetricDefinition;
  /** Null: from the first event on. */
  readonly sinceUs: InstantUs | null;
}

export interface Logged {
  /** Only what the log knew by then; everything if absent. */
  readonly loggedUntilUs?: InstantUs | undefined;
}

export interface CompletedImport {
  readonly untilUs: InstantUs;
  /** When the log knew it: the history is all there once the watermark has reached this. */
  readonly loggedAtUs: InstantUs;
}

export abstract class FeedbackViews {
  /** Of the whole environment, or of what a comparison reads; ids are watched over the whole environment. */
  abstract duplicates(of: EnvironmentName | ComparisonQuery): Promise<DuplicateCount>;
  abstract preview(query: PreviewQuery): Promise<MetricPreview>;
  abstract names(of: EnvironmentName): Promise<readonly SeenName[]>;
  /** The newest event time of each event name, of any unit type: cheaper than `names`. */
  abstract lastSeen(of: EnvironmentName & Logged): Promise<readonly { readonly name: string; readonly lastAtUs: InstantUs }[]>;
  /**
   * Names of events, of any unit type, of which a row became known after `afterUs` and no later than `untilUs`: the same whenever it is asked.
   * @throws RangeError for less than an hour, which is not told apart
   */
  abstract knownEvents(of: EnvironmentName, afterUs: InstantUs, untilUs: InstantUs): Promise<readonly string[]>;
  abstract tail(query: TailQuery): Promise<readonly TailRow[]>;
  /** The newest completion of the environment's history, null without one. */
  abstract completedImport(of: EnvironmentName & Logged): Promise<CompletedImport | null>;
  /** Of a history, how many rows that a comparison would read the log knew only later than `loggedUntilUs`; 0 without one. */
  abstract laterRows(of: ComparisonQuery): Promise<number>;
  abstract insertStats(messages: readonly Placed<IngestStats>[]): Promise<void>;
  abstract stats(query: StatsQuery): Promise<readonly IngestTotals[]>;
  abstract insertDeadLetters(letters: readonly Placed<DeadLetter>[]): Promise<void>;
  /** Resolves when the letters of a partition below a position are in no table any more. */
  abstract dropDeadLetters(partition: number, before: bigint): Promise<void>;
  abstract deadLetters(query: LetterQuery): Promise<LetterPage>;
  abstract close(): Promise<void>;
}
