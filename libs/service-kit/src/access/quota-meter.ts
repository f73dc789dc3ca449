/** How much each key has sent lately: a bucket of its own that fills with its rate. A batch is taken whole or not at all, and may leave a debt. */

import type { Quota } from './api-keys.js';

interface Bucket {
  /** Thousandths of events, so that whole milliseconds add up exactly; below zero where the last batch was larger than what was left. */
  left: number;
  atMs: number;
  quota: Quota;
}

/** Of keys that sent within the last while; a full bucket need not be remembered. */
const MOST_BUCKETS = 10_000;
const AN_EVENT = 1_000;

export class QuotaMeter {
  private readonly buckets = new Map<string, Bucket>();

  /**
   * Taken whole while anything is left, so that a batch larger than the burst is not refused for ever; its debt makes up for it. In the long run it is the rate.
   * @param nowMs  of a monotonic clock, whole
   * @returns undefined when it is taken; else after how many milliseconds it would be
   */
  take(key: string, quota: Quota, events: number, nowMs: number): number | undefined {
    const bucket = this.bucketOf(key, quota, nowMs);
    if (bucket.left < AN_EVENT) return Math.ceil((AN_EVENT - bucket.left) / quota.eventsPerSecond);
    bucket.left -= events * AN_EVENT;
    return undefined;
  }

  /** For what turned out to be more than was taken: no refusal, a debt. */
  owe(key: string, quota: Quota, events: number, nowMs: number): void {
    this.bucketOf(key, quota, nowMs).left -= events * AN_EVENT;
  }

  /** For what was taken and came to nothing. More than the burst is never left. */
  giveBack(key: string, quota: Quota, events: number, nowMs: number): void {
    const bucket = this.bucketOf(key, quota, nowMs);
    bucket.left = Math.min(quota.burst * AN_EVENT, bucket.left + events * AN_EVENT);
  }

  private bucketOf(key: string, quota: Quota, nowMs: number): Bucket {
    const found = this.buckets.get(key);
    if (found === undefined) {
      if (this.buckets.size >= MOST_BUCKETS) this.forgetFull(nowMs);
      const made = { left: quota.burst * AN_EVENT, atMs: nowMs, quota };
      this.buckets.set(key, made);
      return made;
    }
    fill(found, nowMs);
    found.quota = quota;
    found.left = Math.min(found.left, quota.burst * AN_EVENT);
    return found;
  }

  private forgetFull(nowMs: number): void {
    for (const [key, bucket] of this.buckets) {
      fill(bucket, nowMs);
      if (bucket.left >= bucket.quota.burst * AN_EVENT) this.buckets.delete(key);
    }
  }
}

const fill = (bucket: Bucket, nowMs: number): void => {
  const { eventsPerSecond, burst } = bucket.quota;
  bucket.left = Math.min(burst * AN_EVENT, bucket.left + Math.max(0, nowMs - bucket.atMs) * eventsPerSecond);
  bucket.atMs = Math.max(nowMs, bucket.atMs);
};
