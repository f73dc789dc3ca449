/** A log that is kept elsewhere, and brought back: for one that is not in the database whose tables are kept anyway. */

export interface CopiedTopic {
  readonly topic: string;
  readonly compacted: boolean;
  /** By partition: of the first message that is there, and of the next one to come. */
  readonly partitions: readonly { readonly earliest: number; readonly end: number }[];
}

export interface LogCopy {
  /** Which of these topics there are, and the log's own. */
  existing(topics: readonly string[]): Promise<readonly string[]>;
  /**
   * How far each topic is that there is; the log's own comes first, since it must not know more than the others have.
   * Whatever is to agree with the copy must be read after this.
   */
  survey(topics: readonly string[]): Promise<readonly CopiedTopic[]>;
  /** Its messages, as bytes, as far as it was surveyed. @throws LogError `unreadable-records` */
  read(topic: CopiedTopic): AsyncGenerator<Buffer>;
  /**
   * Fills a topic that is not there yet: the same messages at the same offsets, with the same known times.
   * @throws LogError `topic-differs` where it is, or somebody else writes into it; RangeError where the bytes are not those of `read`
   */
  write(topic: CopiedTopic, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** When all are filled: the topic is one like any other from now on. */
  settle(topic: CopiedTopic): Promise<void>;
  close(): Promise<void>;
}
