/** The topics of the log: names are forever, since consumers' offsets hang on them. */

export interface TopicSpec {
  readonly topic: string;
  /** Fixed when the topic is created; a different number later is refused. */
  readonly partitions: number;
  /** Keeps the newest message of each key only. */
  readonly compacted: boolean;
}

export const FEEDBACK = 'feedback.v1';
export const DEFINITIONS = 'definitions.v1';
export const DEAD_LETTERS = 'dead-letters.v1';
export const INGEST_STATS = 'ingest-stats.v1';
export const SKIPPED = 'skipped.v1';
export const LOOKS = 'look.v1';
export const RECORD_PROPOSALS = 'record-proposals.v1';
export const DECISIONS = 'decisions.v1';
export const AUDIT = 'audit.v1';
export const KEY_USES = 'key-uses.v1';
export const ERASURES = 'erasures.v1';

/** @param feedbackPartitions  how many partitions a new `feedback.v1` gets, ≥ 1 */
export const topicSpecs = (feedbackPartitions: number): readonly TopicSpec[] => [
  { topic: FEEDBACK, partitions: feedbackPartitions, compacted: false },
  { topic: DEFINITIONS, partitions: 1, compacted: true },
  { topic: DEAD_LETTERS, partitions: 1, compacted: false },
  { topic: INGEST_STATS, partitions: 1, compacted: false },
  { topic: SKIPPED, partitions: 1, compacted: true },
  { topic: LOOKS, partitions: 1, compacted: true },
  { topic: RECORD_PROPOSALS, partitions: 1, compacted: false },
  // The history of decisions: kept as long as the platform lives.
  { topic: DECISIONS, partitions: 1, compacted: false },
  { topic: AUDIT, partitions: 1, compacted: false },
  { topic: KEY_USES, partitions: 1, compacted: true },
  { topic: ERASURES, partitions: 1, compacted: true },
];

/** Events as services write them into the log themselves: CloudEvents with their write key, not believed yet. Ingestion reads them as a group. */
export const RAW_FEEDBACK = 'feedback.raw.v1';

/** Only ingestion needs it, and its partitions are the operator's business: any number will do. */
export const rawTopicSpec = (partitions: number): TopicSpec => ({ topic: RAW_FEEDBACK, partitions, compacted: false });

/** The most rows that one message of `feedback.v1` may hold: a row's index has 12 bits in its position. */
export const MAX_ROWS_PER_MESSAGE = 4096;

/** Marks a message that carries no rows and only moves the watermark of its partition. */
export const TICK_HEADER = 'tick';
