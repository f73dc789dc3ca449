/** Tells `erasures.v1` when the store has applied an erasure: its event is in the feedback log, and is behind what is stored. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ERASURES, type ErasureRequest, type ErasureStep, erasureKey, erasureMessageIn, FEEDBACK } from '@rampart/contracts';
import { EventLog, type Subscription } from '@rampart/event-log';
import { FeedbackStore } from '@rampart/feedback-store';
import { LOG, type Log } from '@rampart/service-kit';

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

  private async applied({ id, partition, offset }: ErasureRequest, signal: AbortSignal): Promise<void> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    for (;;) {
      const stored = (await this.store.progress(FEEDBACK)).find((one) => one.partition === partition);
      if (stored !== undefined && stored.offset >= BigInt(offset)) return tellStep(this.log, { id, store: 'feedback-store', part: 'rows' });
      if (signal.aborted || performance.now() > deadlineMs)
        throw new Error(`the store has not come to offset ${offset} of partition ${partition} yet, where a unit is erased`);
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Durable when it resolves. */
export const tellStep = async (log: EventLog, done: Pick<ErasureStep, 'id' | 'store' | 'part'>): Promise<void> => {
  const step: ErasureStep = { kind: 'step', ...done, doneAtUs: Date.now() * 1_000, removed: null };
  await log.append(ERASURES, [{ partition: 0, key: erasureKey(step), value: JSON.stringify(step) }]);
};
