/** Which bucket a unit falls into: the published hash, version 2 (10,000 buckets) and the legacy version 1 (1,000, biased between experiments). */
import { absorb, FNV_START, hashOfDecimal } from './fnv.js';

/** A seed and a hash version, compiled. */
export interface Bucketing {
  readonly version: 1 | 2;
  readonly seed: string;
  /** State after the seed. Version 2 hashes the seed first; version 1 hashes it last, so there it is the empty state. */
  readonly state: number;
  /** How many buckets: bucket / buckets is the published number in [0, 1). */
  readonly buckets: number;
}

/** @returns null for a version that nobody defined: such an experiment assigns nobody */
export const bucketingOf = (seed: string, version: number): Bucketing | null => {
  if (version === 2) return { version, seed, state: absorb(FNV_START, seed), buckets: 10_000 };
  if (version === 1) return { version, seed, state: FNV_START, buckets: 1000 };
  return null;
};

/** @returns 0 … 9,999 */
export const bucketOfState = (state: number): number => (hashOfDecimal(state) >>> 0) % 10_000;

/** @returns 0 … buckets − 1 */
export const bucketOf = (bucketing: Bucketing, unitId: string): number => {
  const state = absorb(bucketing.state, unitId);
  return bucketing.version === 2 ? bucketOfState(state) : (absorb(state, bucketing.seed) >>> 0) % 1000;
};

/** The published `hash(seed, value, version)`, in [0, 1); null for an unknown version. */
export const hash = (seed: string, value: string, version: number): number | null => {
  const bucketing = bucketingOf(seed, version);
  return bucketing === null ? null : bucketOf(bucketing, value) / bucketing.buckets;
};
