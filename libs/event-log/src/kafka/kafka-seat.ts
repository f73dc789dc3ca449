/** A consumer's place at the log: what it may read, and where it stands. */
import type { Seat, SeatEvents } from '../consuming/consumer.js';
import { checkedStart, gapError, type PartitionSource, readingOf } from '../consuming/partition-loop.js';
import type { BatchLimits, TopicState } from '../event-log.js';
import { type ClusterOptions, KafkaCluster } from './kafka-cluster.js';
import { explained } from './kafka-errors.js';
import { KafkaFetcher } from './kafka-fetcher.js';
import type { KafkaIndex } from './kafka-index.js';
import { KafkaReader } from './kafka-reader.js';
import { stateAfter } from './kafka-records.js';
import type { KnownState } from './known-times.js';

export interface SeatOptions extends ClusterOptions {
  readonly topic: TopicState;
  readonly limits: Required<BatchLimits>;
  readonly index: KafkaIndex;
}

export interface Standing {
  readonly offset: number;
  /** Absent when nobody has said. */
  readonly state: KnownState | undefined;
}

/** Where the offsets are kept. */
export interface OffsetPlace {
  readonly who: string;
  stored(partition: number): Promise<Standing | undefined>;
  commit(partition: number, standing: Standing & { readonly state: KnownState }): Promise<void>;
}

/** The connections of one consumer, and its sources. */
export class KafkaStand {
  readonly cluster: KafkaCluster;
  private readonly reader: KafkaReader;
  private readonly fetcher: KafkaFetcher;

  constructor(
    private readonly options: SeatOptions,
    lost: (error: Error) => void,
  ) {
    const { topic, limits, index, patienceMs } = options;
    this.cluster = new KafkaCluster(options);
    this.reader = new KafkaReader(this.cluster, index);
    this.fetcher = new KafkaFetcher({
      cluster: this.cluster,
      topic: topic.topic,
      limits,
      patienceMs,
      tell: (partition, fetched, from, state) => this.reader.tell(topic, partition, fetched, from, state),
      outside: (partition, offset) => this.outside(partition, offset),
      lost: (error) => lost(explained(error)),
    });
  }

  source(partition: number, place: OffsetPlace): PartitionSource {
    const { topic, limits } = this.options;
    const told = async <T>(act: () => Promise<T>): Promise<T> => {
      try {
        return await act();
      } catch (error) {
        throw explained(error);
      }
    };
    return {
      topic: topic.topic,
      compacted: topic.compacted,
      waitsForNews: true,
      start: () => told(() => this.start(partition, place)),
      read: (from, signal) =>
        told(async () => {
          const found = await this.fetcher.read(partition, from, signal);
          const reading = readingOf(topic.topic, partition, found, limits);
          // A generation ends its batch: what was taken beyond it is read again.
          const next = reading.batch.messages.at(-1);
          if (next !== undefined && next !== found.at(-1)) this.fetcher.open(partition, next.offset + 1, stateAfter(next));
          return reading;
        }),
      trouble: () => this.fetcher.trouble(partition),
      aheadBytes: () => this.fetcher.aheadBytes(partition),
      commit: (last) => told(() => place.commit(partition, { offset: last.offset + 1, state: stateAfter(last) })),
    };
  }

  shut(partition: number): void {
    this.fetcher.shut(partition);
  }

  async offsets() {
    try {
      return await this.cluster.patiently(() => this.cluster.bounds(this.options.topic.topic));
    } catch (error) {
      throw explained(error);
    }
  }

  async leave(): Promise<void> {
    this.fetcher.close();
    await this.cluster.close();
  }

  private async start(partition: number, place: OffsetPlace): Promise<number> {
    const { topic } = this.options;
    const bounds = await this.reader.bounds(topic.topic, partition);
    const stored = await place.stored(partition);
    const wanted = stored?.offset ?? bounds.earliest;
    const { who } = place;
    const offset = checkedStart(wanted, { who, topic: topic.topic, partition, compacted: topic.compacted, ...bounds });
    const state = await this.reader.stateFor({ topic, partition, offset: Math.max(offset, bounds.earliest) }, stored?.state);
    this.fetcher.open(partition, offset, state);
    return offset;
  }

  private async outside(partition: number, offset: number): Promise<Error> {
    const { topic } = this.options;
    const bounds = await this.reader.bounds(topic.topic, partition);
    if (offset < bounds.earliest) return gapError(topic.topic, partition, offset, bounds.earliest);
    try {
      checkedStart(offset, { who: 'The reading', topic: topic.topic, partition, compacted: topic.compacted, ...bounds });
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
    return new Error(
      `${topic.topic}/${partition} could not be read at offset ${offset}, though its log reaches from ${bounds.earliest} to ${bounds.end}.`,
    );
  }
}

export type FollowerOptions = SeatOptions & {
  /** Where each partition's reading goes on; kept over reconnections. */
  readonly positions: Map<number, Standing>;
};

/** A follower sits alone: it owns every partition and its offsets live as long as it does. */
export const takeFollowerSeat = async (options: FollowerOptions, events: SeatEvents): Promise<Seat> => {
  const { positions } = options;
  const stand = new KafkaStand(options, events.lost);
  const place: OffsetPlace = {
    who: 'A follower',
    stored: async (partition) => positions.get(partition),
    commit: async (partition, standing) => void positions.set(partition, standing),
  };
  return {
    survey: async () => ({ rank: 0, members: 1, offsets: await stand.offsets() }),
    acquire: async () => true,
    release: async (partition) => stand.shut(partition),
    source: (partition) => stand.source(partition, place),
    leave: () => stand.leave(),
  };
};
