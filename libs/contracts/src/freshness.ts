/** How far what was sent has come on its way to a decision. */

/** How far the store has read the log. */
export interface StoreFreshness {
  /** Rows known up to here are counted; null while a partition never had a message. */
  readonly watermark: string | null;
  readonly ageMs: number | null;
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly knownAt: string | null;
    readonly storedOffset: string | null;
    readonly logEndOffset: string | null;
    readonly lag: number;
  }[];
}

/** From the door to the record. */
export const HOPS = ['door', 'log', 'definitions', 'store', 'look', 'record'] as const;

/** One step on the way of an event to a decision. `door` is old while nobody sends, `record` where no verdict changes. */
export interface Hop {
  readonly hop: (typeof HOPS)[number];
  /** What had happened by then has passed this step. */
  readonly at: string | null;
  readonly ageMs: number | null;
  readonly trouble: string | null;
  /** Another process of analysis knows, since it takes the looks: this one has no age to tell. */
  readonly isElsewhere: boolean;
}

export interface Freshness extends StoreFreshness {
  readonly hops: readonly Hop[];
  /** The newest look; null where this process has taken none. */
  readonly looks: { readonly comparisons: number; readonly tookMs: number } | null;
}

/** `GET /v1/analysis/rebuild`: of the last rebuild that this process was asked for. */
export interface RebuildState {
  readonly state: 'idle' | 'filling' | 'done' | 'failed';
  /** Of the new store; null: none was asked for. */
  readonly filling: string | null;
  /** Messages of `feedback.v1` that the new store has, and those that the log has. */
  readonly read: number;
  readonly toRead: number;
  readonly error: string | null;
}
