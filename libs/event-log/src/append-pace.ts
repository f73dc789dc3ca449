/**
 * How much to append at once, and whether to take more: a log that has become slow gets smaller groups, and senders hear at once that they would wait too long.
 * Without it a full-sized group takes longer than anybody's patience, nothing of it counts, and what is accepted falls far below what the log could take.
 */
export interface PaceLimits {
  readonly maxGroupBytes: number;
  /** A group that takes longer makes the next ones smaller. */
  readonly wantedMs?: number;
}

/** Below it the way there and back costs more than the bytes. */
const leastGroupBytes = 64 * 2 ** 10;

export class AppendPace {
  private limit: number;
  private lastMs = 0;

  constructor(private readonly limits: PaceLimits) {
    this.limit = limits.maxGroupBytes;
  }

  /** For the next group. */
  get groupBytes(): number {
    return this.limit;
  }

  /** A group has become durable. */
  took(bytes: number, ms: number): void {
    this.lastMs = ms;
    const { maxGroupBytes, wantedMs = 1_000 } = this.limits;
    if (ms <= wantedMs) this.limit = Math.min(maxGroupBytes, this.limit * 2);
    else this.shrink(Math.min(this.limit, bytes) * (wantedMs / ms));
  }

  /** A group has not, within the patience. */
  failed(): void {
    this.shrink(this.limit / 4);
  }

  /** @param inHandMs  how long the group in hand has been under way @returns until what is queued will be durable, at the pace of now */
  waitMs(queuedBytes: number, inHandMs: number): number {
    return (Math.max(this.lastMs, inHandMs) * queuedBytes) / this.limit;
  }

  private shrink(bytes: number): void {
    this.limit = Math.max(Math.min(leastGroupBytes, this.limits.maxGroupBytes), bytes);
  }
}
