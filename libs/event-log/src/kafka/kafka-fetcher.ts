/** Reads ahead for the partitions of one consumer: one request at a time to each leader, for all of its partitions whose buffers have room. */
import type { BatchLimits, LogMessage, PartitionProgress } from '../event-log.js';
import { type FetchedPartition, fetchFrom, type KafkaCluster } from './kafka-cluster.js';
import { delayed, isStale, typeOf } from './kafka-errors.js';
import { FetchLane } from './kafka-fetch-lane.js';
import { type Told, unreadError } from './kafka-records.js';
import type { KnownState } from './known-times.js';

export interface FetcherOptions {
  readonly cluster: KafkaCluster;
  readonly topic: string;
  readonly limits: Required<BatchLimits>;
  /** Trouble that lasts longer than this ends the fetcher, in milliseconds. */
  readonly patienceMs: number;
  tell(partition: number, fetched: FetchedPartition, from: number, state: KnownState): Promise<Told>;
  /** Why an offset can't be read. */
  outside(partition: number, offset: number): Promise<Error>;
  lost(error: Error): void;
}

/** A broker answers this long after it was asked when there is nothing; what comes meanwhile is answered at once. */
const maxWaitMs = 100;
const mostBytes = 1 * 2 ** 20;
/** Records that can't be read may be removed by somebody. */
const blockedMs = 1_000;

export class KafkaFetcher {
  private readonly lanes = new Map<number, FetchLane>();
  private readonly asking = new Set<string>();
  private isPumping = false;
  private failingSinceMs: number | undefined;
  private readonly ended = new AbortController();

  constructor(private readonly options: FetcherOptions) {}

  open(partition: number, offset: number, state: KnownState): void {
    this.lanes.get(partition)?.end();
    this.lanes.set(partition, new FetchLane(partition, offset, state, this.options.limits, () => this.pump()));
    this.pump();
  }

  shut(partition: number): void {
    this.lanes.get(partition)?.end();
    this.lanes.delete(partition);
  }

  /** Resolves with what is there, or when something comes; with nothing when the signal aborts. */
  read(partition: number, from: number, signal: AbortSignal | undefined): Promise<readonly LogMessage[]> {
    const lane = this.lanes.get(partition);
    if (lane === undefined) return Promise.resolve([]);
    return lane.take(from, signal);
  }

  trouble(partition: number): PartitionProgress['failing'] {
    return this.lanes.get(partition)?.trouble;
  }

  aheadBytes(partition: number): number {
    return this.lanes.get(partition)?.aheadBytes ?? 0;
  }

  close(): void {
    this.ended.abort();
    for (const partition of [...this.lanes.keys()]) this.shut(partition);
  }

  private pump(): void {
    if (this.isPumping || this.ended.signal.aborted) return;
    this.isPumping = true;
    this.ask()
      .then(() => {
        this.isPumping = false;
      })
      .catch((error: unknown) => this.recover(error));
  }

  /** Starts a request to each leader that none is under way to. */
  private async ask(): Promise<void> {
    const hungry = [...this.lanes.values()].filter((lane) => lane.isHungry && !lane.isAsking);
    if (hungry.length === 0) return;
    const { cluster, topic } = this.options;
    const leaders = await cluster.leaders(
      topic,
      hungry.map(({ partition }) => partition),
    );
    for (const [nodeId, partitions] of leaders) {
      if (this.asking.has(nodeId)) continue;
      this.asking.add(nodeId);
      const lanes = hungry.filter(({ partition, isEnded }) => !isEnded && partitions.includes(partition));
      this.askLeader(nodeId, lanes)
        .then(() => {
          this.failingSinceMs = undefined;
          cluster.worked();
          this.asking.delete(nodeId);
          this.pump();
        })
        .catch((error: unknown) => {
          this.asking.delete(nodeId);
          this.recover(error);
        });
    }
  }

  private async askLeader(nodeId: string, lanes: readonly FetchLane[]): Promise<void> {
    const { cluster, topic, limits } = this.options;
    for (const lane of lanes) lane.isAsking = true;
    try {
      const broker = await cluster.broker(nodeId);
      const wanted = lanes.map(({ partition, position }) => ({ partition, offset: position }));
      const maxBytes = Math.min(limits.maxBytes, mostBytes);
      const fetched = await fetchFrom(broker, topic, wanted, { maxWaitMs, maxBytes });
      for (const one of fetched) await this.fill(one, lanes);
    } catch (error) {
      if (typeOf(error) !== 'OFFSET_OUT_OF_RANGE') throw error;
      await this.refuse(error, lanes);
    } finally {
      for (const lane of lanes) lane.isAsking = false;
    }
  }

  private async fill(fetched: FetchedPartition, lanes: readonly FetchLane[]): Promise<void> {
    const lane = lanes.find(({ partition, isEnded }) => partition === fetched.partition && !isEnded);
    if (lane === undefined || fetched.messages.length === 0) return;
    const told = await this.options.tell(lane.partition, fetched, lane.position, lane.state);
    lane.put(told);
    if (told.unread === undefined || lane.isEnded) return;
    lane.block(unreadError(this.options.topic, lane.partition, told.unread).message, blockedMs);
    // Only that lane waits, and nobody else would come back to it.
    setTimeout(() => this.pump(), blockedMs + 1).unref();
  }

  /** The answer names one partition; the next one names the next. */
  private async refuse(error: unknown, lanes: readonly FetchLane[]): Promise<void> {
    const named = typeof error === 'object' && error !== null && 'partition' in error ? error.partition : undefined;
    const lane = lanes.find(({ partition }) => partition === named);
    if (lane !== undefined && !lane.isEnded) lane.fail(await this.options.outside(lane.partition, lane.position));
  }

  private recover(error: unknown): void {
    this.isPumping = false;
    if (this.ended.signal.aborted) return;
    this.failingSinceMs ??= performance.now();
    const forMs = performance.now() - this.failingSinceMs;
    if (!isStale(error) || forMs > this.options.patienceMs) {
      this.options.lost(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.isPumping = true;
    delayed(forMs < 1 ? 1 : 3, this.ended.signal)
      .then(() => this.options.cluster.refresh())
      .catch(() => undefined)
      .finally(() => {
        this.isPumping = false;
        this.pump();
      })
      .catch(() => undefined);
  }
}
