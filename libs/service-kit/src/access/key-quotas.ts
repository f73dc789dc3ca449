/** Holds each key to its quota: its own, or that of the service. In memory, each process by itself. */
import { z } from 'zod';
import type { KeyRecord, Quota } from './api-keys.js';
import { QuotaMeter } from './quota-meter.js';

/** The setting of services that hold keys to quotas. */
export const quotaConfig = {
  RAMPART_QUOTA_EVENTS_PER_SECOND: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe(
      'what a key of role emit or client without a quota of its own may send to this process, or have it evaluate, ten times as much at once; default: no limit',
    ),
};

const SECONDS_AT_ONCE = 10;

export class KeyQuotas {
  private readonly meter = new QuotaMeter();
  private readonly ofService: Quota | undefined;

  /** @param eventsPerSecond  of a key without a quota of its own; undefined: as many as it likes */
  constructor(
    eventsPerSecond: number | undefined,
    /** Milliseconds of a monotonic clock. */
    private readonly clock: () => number = () => performance.now(),
  ) {
    this.ofService = eventsPerSecond === undefined ? undefined : { eventsPerSecond, burst: eventsPerSecond * SECONDS_AT_ONCE };
  }

  /** People's keys have none; an import is started by hand, and as fast as it can be unless its key says otherwise. */
  of(key: KeyRecord | undefined): Quota | undefined {
    if (key?.quota !== undefined) return key.quota;
    return key?.role === 'emit' || key?.role === 'client' ? this.ofService : undefined;
  }

  /** @returns undefined when it is taken; else after how many milliseconds it would be */
  take(key: KeyRecord | undefined, events: number): number | undefined {
    const quota = this.of(key);
    return key === undefined || quota === undefined ? undefined : this.meter.take(key.id, quota, events, this.nowMs());
  }

  /** For what turned out to be more than was taken. */
  owe(key: KeyRecord | undefined, events: number): void {
    const quota = this.of(key);
    if (key !== undefined && quota !== undefined) this.meter.owe(key.id, quota, events, this.nowMs());
  }

  /** For what was taken and came to nothing. */
  giveBack(key: KeyRecord | undefined, events: number): void {
    const quota = this.of(key);
    if (key !== undefined && quota !== undefined) this.meter.giveBack(key.id, quota, events, this.nowMs());
  }

  private nowMs(): number {
    return Math.floor(this.clock());
  }
}
