/** What was read ahead of one partition and not yet taken. */
import type { BatchLimits, LogMessage, PartitionProgress } from '../event-log.js';
import { stateAfter, type Told } from './kafka-records.js';
import type { KnownState } from './known-times.js';

export class FetchLane {
  isAsking = false;
  isEnded = false;
  /** What keeps it from reading on, as long as somebody may still change that. */
  trouble: PartitionProgress['failing'];
  /** Nothing where a message was taken: it must not stay in memory until the whole buffer goes. */
  private buffer: (LogMessage | undefined)[] = [];
  private taken = 0;
  private bytes = 0;
  private failure: Error | undefined;
  private asksAgainAtMs = 0;
  private wake: (() => void) | undefined;

  constructor(
    readonly partition: number,
    /** Of the next message to ask for. */
    public position: number,
    public state: KnownState,
    private readonly limits: Required<BatchLimits>,
    private readonly onRoom: () => void,
  ) {}

  get aheadBytes(): number {
    return this.bytes;
  }

  /** As much ahead as a batch may hold, so that the next one is there when this one is done. */
  get isHungry(): boolean {
    const count = this.buffer.length - this.taken;
    return (
      !this.isEnded &&
      this.failure === undefined &&
      performance.now() >= this.asksAgainAtMs &&
      (count === 0 || (count < this.limits.maxMessages && this.bytes < this.limits.maxBytes))
    );
  }

  /** Takes what can be read of it; what stands behind records that can't be is asked for again. */
  put({ messages, state, unread }: Told): void {
    const readable = unread === undefined ? messages : messages.filter(({ offset }) => offset < unread.offset);
    const last = readable.at(-1);
    if (last === undefined) return;
    for (const message of readable) {
      this.buffer.push(message);
      this.bytes += sizeOf(message);
    }
    this.position = last.offset + 1;
    this.state = unread === undefined ? state : stateAfter(last);
    this.trouble = undefined;
    this.wake?.();
  }

  /** @param pauseMs  until it may be asked again */
  block(error: string, pauseMs: number): void {
    this.trouble = { attempts: (this.trouble?.attempts ?? 0) + 1, error };
    this.asksAgainAtMs = performance.now() + pauseMs;
  }

  fail(error: Error): void {
    this.failure = error;
    this.wake?.();
  }

  end(): void {
    this.isEnded = true;
    this.wake?.();
  }

  async take(from: number, signal: AbortSignal | undefined): Promise<readonly LogMessage[]> {
    while (this.taken === this.buffer.length && this.failure === undefined && !this.isEnded && !signal?.aborted) await this.news(signal);
    if (this.isEnded || signal?.aborted) return [];
    if (this.taken === this.buffer.length && this.failure !== undefined) throw this.failure;
    const found = this.cut(from);
    this.onRoom();
    return found;
  }

  private cut(from: number): readonly LogMessage[] {
    const { maxMessages, maxBytes } = this.limits;
    const found: LogMessage[] = [];
    let bytes = 0;
    while (this.taken < this.buffer.length && found.length < maxMessages && bytes < maxBytes) {
      const message = this.buffer[this.taken];
      this.buffer[this.taken] = undefined;
      this.taken += 1;
      if (message === undefined) continue;
      this.bytes -= sizeOf(message);
      if (message.offset < from) continue;
      found.push(message);
      bytes += message.value?.byteLength ?? 0;
    }
    if (this.taken === this.buffer.length) {
      this.buffer = [];
      this.taken = 0;
      this.bytes = 0;
    } else if (this.taken > 4_096) {
      this.buffer.splice(0, this.taken);
      this.taken = 0;
    }
    return found;
  }

  private async news(signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.wake = done;
      signal?.addEventListener('abort', done);
    });
    this.wake = undefined;
  }
}

const sizeOf = ({ value }: LogMessage): number => 100 + (value?.byteLength ?? 0);
