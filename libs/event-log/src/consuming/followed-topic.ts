/**
 * A topic followed to its end and beyond by whoever keeps in memory what it says: whether all of it has been read, or reading stopped, and why.
 * `new FollowedTopic(log, { topic, what: 'choices', take })`, then `start()`; ask `trouble()` before believing what was kept.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, Following, LogMessage } from '../event-log.js';
import { messageOf } from './deliver.js';

export interface FollowedTopicOptions {
  readonly topic: string;
  /** What its messages are, in the plural: `trouble` speaks of them. */
  readonly what: string;
  /** Called for each message in the order of its partition. An error is retried for ever: what can't be read is to be stepped over here. */
  take(message: LogMessage): void;
}

const LOOK_AGAIN_MS = 20;

export class FollowedTopic {
  private following: Following | undefined;
  private isComplete = false;
  private stopped: string | undefined;

  constructor(
    private readonly log: Pick<EventLog, 'follow' | 'offsets'>,
    private readonly options: FollowedTopicOptions,
  ) {}

  /** From the earliest message on; does nothing while it is being followed. The topic must exist. */
  start(): void {
    if (this.following !== undefined) return;
    const { topic, take } = this.options;
    const following = this.log.follow({
      topic,
      onBatch: async ({ messages }) => {
        for (const message of messages) take(message);
      },
    });
    this.following = following;
    this.stopped = undefined;
    following.caughtUp.then(
      () => {
        if (this.following === following) this.isComplete = true;
      },
      () => undefined,
    );
    following.done.catch((error: unknown) => {
      if (this.following === following) this.stopped = messageOf(error);
    });
  }

  /** Why what was kept may not be the newest: not everything was read yet, or reading has stopped. Undefined when all is well. */
  trouble(): string | undefined {
    const { what } = this.options;
    if (this.stopped !== undefined) return `${what} are no longer read: ${this.stopped}`;
    return this.isComplete ? undefined : `${what} are still being read`;
  }

  /** Resolves when everything that was in the topic at the start is here; rejects when reading stopped before. */
  get caughtUp(): Promise<void> {
    return this.following?.caughtUp ?? Promise.reject(new Error(`${this.options.what} are not read yet`));
  }

  /** Waits for `trouble()` to be over, which a stop never is. @returns it as it is then, or when time is up */
  async settled(withinMs: number): Promise<string | undefined> {
    const deadlineMs = performance.now() + withinMs;
    while (!this.isComplete && this.stopped === undefined && performance.now() < deadlineMs) await sleep(LOOK_AGAIN_MS);
    return this.trouble();
  }

  /** Waits until everything that was appended before this call has been read: what somebody has just been told of is found. */
  async readToTheEnd(withinMs: number): Promise<void> {
    const ends = await this.log.offsets(this.options.topic);
    const deadlineMs = performance.now() + withinMs;
    const isRead = () => {
      const next = new Map(this.following?.stats().partitions.map((one) => [one.partition, one.next]));
      return ends.every(({ partition, earliest, end }) => earliest === end || (next.get(partition) ?? 0) >= end);
    };
    while (!isRead() && performance.now() < deadlineMs) await sleep(LOOK_AGAIN_MS);
  }

  async close(): Promise<void> {
    const { following } = this;
    this.following = undefined;
    this.isComplete = false;
    await following?.close();
  }
}
