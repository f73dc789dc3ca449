/** What the results need of the feedback store: the port between figures and rows. */
import type { MetricDefinition } from '@rampart/contracts';
import type { ComparisonQuery, ComparisonSums, DuplicateCount, MetricPreview } from '@rampart/feedback-store';

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
  abstract sums(query: ComparisonQuery): Promise<ComparisonSums>;
  /** Over the exposures and assignments of the query's experiment and the events of its metrics. */
  abstract duplicates(query: ComparisonQuery): Promise<DuplicateCount>;
  /** Known time, in the log, of the environment's import.completed.v1; null when none is stored. */
  abstract importCompletedAtUs(project: string, environment: string): Promise<number | null>;
  /** Names of metric and feedback events of the environment. */
  abstract seenEvents(project: string, environment: string): Promise<readonly SeenEvent[]>;
  /** Names of those that became known in (after, until], as of that moment; at least an hour. */
  abstract knownEvents(query: KnownQuery): Promise<readonly string[]>;
  abstract preview(query: PreviewQuery): Promise<MetricPreview>;
}
