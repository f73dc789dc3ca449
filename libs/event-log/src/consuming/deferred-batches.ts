/** Batches of one partition whose handler is done with them later: each is committed when it and all before it are done. */
import { setImmediate as turn } from 'node:timers/promises';
import type { MessagePlace } from '../event-log.js';

export interface DeferredBatch {
  readonly done: Promise<void>;
  readonly last: MessagePlace;
  readonly messages: number;
  readonly bytes: number;
}

export interface DeferredOptions {
  /** @param messages  that are done with it, of one batch or several */
  commit(last: MessagePlace, messages: number): Promise<void>;
  /** One was not done, or not committed: what follows it must not be either. Once. */
  onFailure(): void;
}

type Waiting = DeferredBatch & { isDone: boolean };

export class DeferredBatches {
  private readonly waiting: Waiting[] = [];
  private committing: Promise<void> = Promise.resolve();
  private isCommitting = false;
  private failure: { readonly ofCommit?: unknown } | undefined;

  constructor(private readonly options: DeferredOptions) {}

  get hasFailed(): boolean {
    return this.failure !== undefined;
  }

  /** That are read and not done. */
  get bytes(): number {
    return this.waiting.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  add(batch: DeferredBatch): void {
    const waiting: Waiting = { ...batch, isDone: false };
    this.waiting.push(waiting);
    batch.done.then(
      () => {
        waiting.isDone = true;
      },
      () => this.fail({}),
    );
    if (!this.isCommitting) this.committing = this.commitAll();
  }

  /**
   * Resolves when nobody works on one of them any more: true if all are committed, false if they must be given again.
   * @throws what a commit failed with
   */
  async settled(): Promise<boolean> {
    await this.committing;
    await Promise.allSettled(this.waiting.map(({ done }) => done));
    if (this.failure !== undefined && 'ofCommit' in this.failure) throw this.failure.ofCommit;
    return this.failure === undefined;
  }

  private async commitAll(): Promise<void> {
    this.isCommitting = true;
    try {
      for (let first = this.waiting[0]; first !== undefined && !this.hasFailed; first = this.waiting[0]) await this.commitFrom(first);
    } finally {
      // In the turn in which it found nothing more: whoever adds a batch later must find nobody at it.
      this.isCommitting = false;
    }
  }

  private async commitFrom(first: Waiting): Promise<void> {
    const isDone = await first.done.then(
      () => true,
      () => false,
    );
    // What one insert stored is done in one turn, and committed at once.
    await turn();
    if (!isDone) return;
    const undone = this.waiting.findIndex((one) => !one.isDone);
    const done = this.waiting.slice(0, undone < 0 ? undefined : undone);
    const messages = done.reduce((sum, one) => sum + one.messages, 0);
    try {
      await this.options.commit((done.at(-1) ?? first).last, messages);
    } catch (error) {
      return this.fail({ ofCommit: error });
    }
    this.waiting.splice(0, done.length);
  }

  private fail(failure: { readonly ofCommit?: unknown }): void {
    if (this.failure !== undefined) return;
    this.failure = failure;
    this.options.onFailure();
  }
}
