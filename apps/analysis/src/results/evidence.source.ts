/** What the results need of the feedback store: the port between figures and rows. */
import type { MetricDefinition } from '@rampart/contracts';
import type { ComparisonQuery, ComparisonSums, DuplicateCount, MetricPreview, StratumCount, TrackedCount } from '@rampart/feedback-store';

export interface SeenEvent {
  readonly name: string;
  /** When the newest one happened. */
  readonly lastAtUs: number;
}

export interface KnownQuery {
  readonly project: string;
  readonly environment: string;
  readonly afterUs: number;
  readonly untilUs: number;
}

export interface PreviewQuery {
  readonly project: string;
  readonly environment: string;
  readonly definition: MetricDefinition;
  /** Null: from the first event on. */
  readonly sinceUs: number | null;
}

export abstract class Evidence {
  /** Everything known up to here is stored; null while a partition never had a message. */
  abstract watermark(): Promise<number | null>;
  /** Counted from the rows. */
  abstract sums(query: ComparisonQuery): Promise<ComparisonSums>;
  /** The same integers, perhaps moved forward from an earlier answer by what changed since: what proves something asks for `sums`. */
  abstract currentSums(query: ComparisonQuery): Promise<ComparisonSums>;
  /** Rows that the query reads and that were known before this moment were removed, by configuration; null where none were. */
  abstract expiredUntil(query: ComparisonQuery): Promise<number | null>;
  /** The values of a property at first exposures, most units first. */
  abstract strata(query: ComparisonQuery, property: string, limit: number): Promise<readonly StratumCount[]>;
  /** Of the units that are counted, those of which any event that the metrics read has come. */
  abstract tracked(query: ComparisonQuery): Promise<readonly TrackedCount[]>;
  /** Over the exposures and assignments of the query's experiment and the events of its metrics. */
  abstract duplicates(query: ComparisonQuery): Promise<DuplicateCount>;
  /**
   * When the environment's newest import.completed.v1, of those in force by then, came into force: what the log knew by that moment counts; null without one.
   */
  abstract importCompletedAtUs(project: string, environment: string, byUs: number): Promise<number | null>;
  /** Names of metric and feedback events of the environment; of a history that is complete, those that had come by its completion. */
  abstract seenEvents(project: string, environment: string, loggedUntilUs?: number): Promise<readonly SeenEvent[]>;
  /** Rows that came into a history after the completion up to which it is counted. */
  abstract laterRows(query: ComparisonQuery): Promise<number>;
  /** Units of the comparison that were erased after a moment: they are missing from what is counted as of it today. */
  abstract erasedUnits(query: ComparisonQuery, sinceUs: number): Promise<number>;
  /** Names of those that became known in (after, until], as of that moment; at least an hour. */
  abstract knownEvents(query: KnownQuery): Promise<readonly string[]>;
  abstract preview(query: PreviewQuery): Promise<MetricPreview>;
}
