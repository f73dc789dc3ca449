/** Tells `erasures.v1` when the store has applied an erasure: its event is in the feedback log, and is behind what is stored. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ERASURES, type ErasureRequest, type ErasureStep, erasureKey, erasureMessageIn, FEEDBACK } from '@rampart/contracts';
import { EventLog, partsOfPosition, type Subscription } from '@rampart/event-log';
import { FeedbackStore, type Progress } from '@rampart/feedback-store';
import { LOG, type Log } from '@rampart/service-kit';
import { erasuresAt } from './erased-before.js';

/** Offsets hang on it. */
const GROUP = 'analysis-erasures';
const LOOK_EVERY_MS = 200;
const PATIENCE_MS = 10_000;

@Injectable()
export class ErasureConsumer {
  private subscription: Subscription | undefined;

  constructor(
    private readonly log: EventLog,
    private readonly store: FeedbackStore,
    @Inject(LOG) private readonly lines: Log,
  ) {}

  start(): void {
    this.subscription = this.log.consume({
      topic: ERASURES,
      group: GROUP,
      onBatch: async ({ messages }, { signal }) => {
        for (const { value } of messages) {
          const message = erasureMessageIn(value);
          if (message?.kind === 'request' && message.sealed !== null) await this.applied(message, signal);
        }
      },
      onPoison: async ({ message, error }) =>
        this.lines.error({ err: error, offset: message.offset }, 'a message about an erasure is skipped'),
    });
    this.subscription.done.catch((err: unknown) => this.lines.fatal({ err }, 'nobody is told any more which erasures are done'));
  }

  async stop(): Promise<void> {
    await this.subscription?.close();
    this.subscription = undefined;
  }

  private async applied(request: ErasureRequest, signal: AbortSignal): Promise<void> {
    const { id, partition, offset } = request;
    await this.until(`offset ${offset} of partition ${partition}`, signal, (progress) =>
      progress.some((one) => one.partition === partition && one.offset >= BigInt(offset)),
    );
    await this.appliedToEarlierGenerations(request, signal);
    await tellStep(this.log, { id, store: 'feedback-store', part: 'rows' });
  }

  /**
   * Before more partitions came the unit's rows were in another one. While several processes fill a store, one may write such rows after another has passed the
   * erasure; so it is done once more when nobody reads earlier generations any more.
   */
  private async appliedToEarlierGenerations(request: ErasureRequest, signal: AbortSignal): Promise<void> {
    const erasures = await erasuresAt(this.log, request);
    const generation = Math.max(0, ...erasures.map(({ position }) => partsOfPosition(position).generation));
    if (generation === 0) return;
    const { partitions } = await this.log.describeTopic(FEEDBACK);
    await this.until(
      `generation ${generation} in every partition`,
      signal,
      (progress) => progress.length >= partitions && progress.every((one) => one.generation >= generation),
    );
    await this.store.insert(erasures, []);
  }

  private async until(what: string, signal: AbortSignal, isSo: (progress: readonly Progress[]) => boolean): Promise<void> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    while (!isSo(await this.store.progress(FEEDBACK))) {
      if (signal.aborted || performance.now() > deadlineMs)
        throw new Error(`the store has not come to ${what} yet, where a unit is erased`);
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Durable when it resolves. */
export const tellStep = async (log: EventLog, done: Pick<ErasureStep, 'id' | 'store' | 'part'>): Promise<void> => {
  const step: ErasureStep = { kind: 'step', ...done, doneAtUs: Date.now() * 1_000, removed: null };
  await log.append(ERASURES, [{ partition: 0, key: erasureKey(step), value: JSON.stringify(step) }]);
};
