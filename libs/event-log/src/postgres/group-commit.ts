/** Turns concurrent requests into one transaction at a time, with a bounded queue before it. */
import { AppendPace } from '../append-pace.js';
import { LogError, LogUnavailableError } from '../log-errors.js';

export interface GroupCommitOptions<Item, Result> {
  /** Makes the items durable together; one result per item. */
  commit(items: readonly Item[]): Promise<readonly Result[]>;
  /** True if the items should be tried one by one when they failed together: one of them may be to blame. */
  isBlameable(error: unknown): boolean;
  /** Waiting and in hand together; beyond it items are refused. */
  readonly maxQueuedBytes: number;
  readonly maxGroupBytes: number;
  readonly maxGroupItems: number;
  /** Who would wait longer for what is queued before him is refused, in milliseconds. */
  readonly mostWaitMs?: number;
}

const SLOW_MS = 1_000;

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly bytes: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export class GroupCommit<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private running: Promise<void> | undefined;
  private bytes = 0;
  private isClosed = false;
  private readonly pace: AppendPace;
  private sinceMs: number | undefined;

  constructor(private readonly options: GroupCommitOptions<Item, Result>) {
    this.pace = new AppendPace(options);
  }

  get queuedBytes(): number {
    return this.bytes;
  }

  /** @throws LogUnavailableError at once when the queue is full; an item larger than the queue passes when it is empty */
  submit(item: Item, bytes: number): Promise<Result> {
    if (this.isClosed) return Promise.reject(new LogError('log-closed', 'The log is closed: nothing can be appended any more.'));
    const { maxQueuedBytes, mostWaitMs = Number.POSITIVE_INFINITY } = this.options;
    const inHandMs = this.sinceMs === undefined ? 0 : performance.now() - this.sinceMs;
    const waitMs = this.pace.waitMs(this.bytes, inHandMs);
    if (this.bytes > 0 && waitMs > mostWaitMs) {
      const message = `The log is slow: what waits before this would take ${Math.round(waitMs)} ms, of ${mostWaitMs} at most. Try again in a second.`;
      return Promise.reject(new LogUnavailableError(message, 1_000));
    }
    if (this.bytes > 0 && this.bytes + bytes > maxQueuedBytes) {
      const message = `The log's queue is full: ${this.bytes} of ${maxQueuedBytes} bytes wait to become durable. Try again in a second.`;
      return Promise.reject(new LogUnavailableError(message, 1_000));
    }
    this.bytes += bytes;
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, bytes, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Settles what was submitted; refuses what comes later. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.running;
  }

  private async run(): Promise<void> {
    // Everything submitted in the same turn belongs to the first group.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const group = this.nextGroup();
      this.sinceMs = performance.now();
      await this.settle(group);
      this.sinceMs = undefined;
      for (const { bytes } of group) this.bytes -= bytes;
    }
    this.running = undefined;
  }

  private nextGroup(): Waiting<Item, Result>[] {
    const { maxGroupItems } = this.options;
    const maxGroupBytes = this.pace.groupBytes;
    let count = 0;
    let bytes = 0;
    while (
      count < this.waiting.length &&
      count < maxGroupItems &&
      (count === 0 || bytes + (this.waiting[count]?.bytes ?? 0) <= maxGroupBytes)
    ) {
      bytes += this.waiting[count]?.bytes ?? 0;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  private async settle(group: readonly Waiting<Item, Result>[]): Promise<void> {
    const begunMs = performance.now();
    try {
      const results = await this.options.commit(group.map(({ item }) => item));
      this.pace.took(
        group.reduce((sum, { bytes }) => sum + bytes, 0),
        performance.now() - begunMs,
      );
      for (const [index, { resolve, reject }] of group.entries()) {
        const result = results[index];
        if (result === undefined) reject(new Error(`The commit answered ${results.length} of ${group.length} items.`));
        else resolve(result);
      }
    } catch (error) {
      if (group.length > 1 && this.options.isBlameable(error)) {
        for (const one of group) await this.settle([one]);
        return;
      }
      // One that was refused at once, or in an outage, says nothing about the size that the log can take.
      if (performance.now() - begunMs > SLOW_MS) this.pace.failed();
      for (const { reject } of group) reject(error);
    }
  }
}
