/** Keeps a consumer at work: takes its share of the partitions, gives up what others should have, and comes back after an outage. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsumerStats, Following, PartitionOffsets } from '../event-log.js';
import { LogError } from '../log-errors.js';
import { isFinal, messageOf, pauseMs } from './deliver.js';
import { type Handlers, PartitionLoop, type PartitionSource } from './partition-loop.js';

/** What a member of a group sees when it looks around. */
export interface Survey {
  /** Place of this member among the living, from 0. */
  readonly rank: number;
  readonly members: number;
  /** The partitions of this member where the log shares them out itself; rank and members don't count then. */
  readonly mine?: ReadonlySet<number>;
  readonly offsets: readonly PartitionOffsets[];
}

/** A living member's place in its group; ends when the connection to the log does. */
export interface Seat {
  survey(): Promise<Survey>;
  /** False while another member still has the partition. */
  acquire(partition: number): Promise<boolean>;
  release(partition: number): Promise<void>;
  source(partition: number): PartitionSource;
  /** @param comesBack  true if this consumer will take a seat again at once */
  leave(comesBack: boolean): Promise<void>;
}

export interface SeatEvents {
  /** Aborts when the consumer closes: what takes long may end. */
  readonly closing: AbortSignal;
  /** News in a partition; in the group if absent. */
  wake(partition?: number): void;
  lost(error: Error): void;
  /** The log answers again: what a seat still waits for is not its trouble. */
  reached(): void;
}

export interface ConsumerOptions {
  readonly topic: string;
  readonly group: string | undefined;
  readonly handlers: Handlers;
  /** Safety net beside the wake-ups, in milliseconds. */
  readonly roundMs: number;
  connect(events: SeatEvents): Promise<Seat>;
  onClosed(): void;
}

const reconnect = { firstMs: 50, maxMs: 1_000 };

export class Consumer implements Following {
  readonly done: Promise<void>;
  readonly caughtUp: Promise<void>;
  private readonly loops = new Map<number, PartitionLoop>();
  private readonly releasing = new Map<number, Promise<void>>();
  private readonly closing = new AbortController();
  private state: ConsumerStats['state'] = 'connecting';
  private error: string | undefined;
  private nudge: (() => void) | undefined;
  private lost: Error | undefined;
  private goals: readonly number[] | undefined;
  private hasCaughtUp: () => void = () => undefined;
  private hasNotCaughtUp: (error: Error) => void = () => undefined;

  constructor(private readonly options: ConsumerOptions) {
    this.caughtUp = new Promise((resolve, reject) => {
      this.hasCaughtUp = resolve;
      this.hasNotCaughtUp = reject;
    });
    this.caughtUp.catch(() => undefined);
    this.done = this.run();
    this.done.catch(() => undefined);
  }

  stats(): ConsumerStats {
    const { topic, group } = this.options;
    const partitions = [...this.loops.values()].map((loop) => loop.progress()).sort((a, b) => a.partition - b.partition);
    return { topic, group, state: this.state, error: this.error, partitions };
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.nudge?.();
    await this.done.catch(() => undefined);
  }

  private async run(): Promise<void> {
    try {
      for (let failures = 1; !this.closing.signal.aborted; failures += 1) {
        try {
          await this.serve(() => {
            failures = 0;
          });
        } catch (error) {
          // Whatever a closing consumer could not finish is delivered to the next one.
          if (this.closing.signal.aborted) break;
          this.error = messageOf(error);
          if (isFinal(error)) {
            // Whoever waits to have caught up is told why that will never be.
            this.hasNotCaughtUp(error instanceof Error ? error : new Error(this.error));
            throw error;
          }
          this.state = 'connecting';
          await sleep(pauseMs(reconnect, Math.max(1, failures)), undefined, { signal: this.closing.signal }).catch(() => undefined);
        }
      }
    } finally {
      this.state = 'stopped';
      this.hasNotCaughtUp(new LogError('log-closed', `The reading of ${this.options.topic} ended before it had caught up.`));
      this.options.onClosed();
    }
  }

  private async serve(onServing: () => void): Promise<void> {
    this.lost = undefined;
    let comesBack = false;
    const seat = await this.options.connect({
      closing: this.closing.signal,
      wake: (partition) => (partition === undefined ? this.nudge?.() : this.loops.get(partition)?.wake()),
      lost: (error) => this.lose(error),
      reached: () => {
        this.error = undefined;
      },
    });
    try {
      while (!this.closing.signal.aborted) {
        await this.round(seat);
        if (this.lost !== undefined) throw this.lost;
        this.state = 'running';
        this.error = undefined;
        onServing();
        await this.pause();
      }
    } catch (error) {
      comesBack = !this.closing.signal.aborted && !isFinal(error);
      throw error;
    } finally {
      await Promise.all([...this.loops.keys()].map((partition) => this.giveUp(seat, partition)));
      await seat.leave(comesBack).catch(() => undefined);
    }
  }

  private lose(error: Error): void {
    // What is final explains more than the trouble it causes.
    if (this.lost === undefined || isFinal(error)) this.lost = error;
    this.nudge?.();
  }

  private async pause(): Promise<void> {
    if (this.closing.signal.aborted || this.lost !== undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.options.roundMs);
      this.nudge = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.nudge = undefined;
  }

  /** Every member computes the same shares from the same list of the living, so nobody has to assign them. */
  private async round(seat: Seat): Promise<void> {
    const before = new Map([...this.loops].map(([partition, loop]) => [partition, loop.position]));
    const { rank, members, mine, offsets } = await seat.survey();
    this.goals ??= offsets.map(({ end }) => end);
    this.checkCaughtUp();
    for (const { partition, end } of offsets) {
      const isMine = mine?.has(partition) ?? partition % members === rank;
      const loop = this.loops.get(partition);
      if (loop === undefined) {
        if (isMine) await this.take(seat, partition, end);
        continue;
      }
      const position = before.get(partition);
      if (position !== undefined && position > end) throw this.beyondEnd(partition, position, end);
      loop.noticeEnd(end);
      // The round goes on meanwhile: a long batch in one partition must not stop the others.
      if (!isMine) this.giveUp(seat, partition).catch((error: Error) => this.lose(error));
    }
  }

  private async take(seat: Seat, partition: number, end: number): Promise<void> {
    if (this.releasing.has(partition) || !(await seat.acquire(partition))) return;
    const { handlers } = this.options;
    const loop = new PartitionLoop({ partition, source: seat.source(partition), handlers, onProgress: () => this.checkCaughtUp() });
    this.loops.set(partition, loop);
    loop.noticeEnd(end);
    loop.done.catch((error: Error) => this.lose(error));
  }

  private giveUp(seat: Seat, partition: number): Promise<void> {
    const inHand = this.releasing.get(partition);
    if (inHand !== undefined) return inHand;
    const release = async () => {
      await this.loops.get(partition)?.stop();
      this.loops.delete(partition);
      if (this.lost === undefined) await seat.release(partition);
    };
    const released = release().finally(() => this.releasing.delete(partition));
    this.releasing.set(partition, released);
    return released;
  }

  private checkCaughtUp(): void {
    const hasReached = (goal: number, partition: number) => goal === 0 || (this.loops.get(partition)?.position ?? -1) >= goal;
    if (this.goals?.every(hasReached)) this.hasCaughtUp();
  }

  private beyondEnd(partition: number, position: number, end: number): LogError {
    const { topic, group } = this.options;
    return new LogError(
      'offset-beyond-end',
      `${group === undefined ? 'A follower' : `Consumer group "${group}"`} has read to offset ${position} of ${topic}/${partition}, but the log now ends at ${end}: it was restored or recreated while this consumer ran. Open a new generation; nothing was reset.`,
    );
  }
}
