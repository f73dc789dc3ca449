/** Shares of the units as ranges of buckets. An arm shrinks from its own start, so raising the coverage moves nobody between arms. */

/** `[start, end)` in [0, 1]: the start belongs to the range, the end does not. */
export type Range = readonly [start: number, end: number];

export const equalWeights = (arms: number): number[] => (arms > 0 ? new Array<number>(arms).fill(1 / arms) : []);

const usableWeights = (arms: number, weights: readonly number[] | null | undefined): readonly number[] => {
  if (!Array.isArray(weights) || weights.length !== arms) return equalWeights(arms);
  const sum = weights.reduce<number>((total, weight) => total + weight, 0);
  // The lines of the public specification; what doesn't add up is taken as unsaid.
  return sum < 0.99 || sum > 1.01 ? equalWeights(arms) : weights;
};

/**
 * Arm i gets `[cum_i, cum_i + coverage · w_i)`, arms in order, control first: with two equal arms control `[0, c)` and
 * treatment `[.5, .5 + c)`, c being half the coverage.
 * @param coverage clamped to [0, 1]; absent = 1
 * @param weights equal ones if absent, of another length, or with a sum outside [0.99, 1.01]
 */
export const bucketRanges = (arms: number, coverage?: number | null, weights?: readonly number[] | null): Range[] => {
  const share = Math.min(1, Math.max(0, coverage ?? 1));
  let cumulated = 0;
  return usableWeights(arms, weights).map((weight) => {
    const start = cumulated;
    cumulated += weight;
    return [start, start + share * weight];
  });
};

/** @returns the first arm whose range holds `n`; -1 when none does */
export const armAt = (n: number, ranges: readonly Range[]): number => ranges.findIndex(([start, end]) => n >= start && n < end);

/** The least bucket whose published number meets `reaches`, found with the comparison that the SDKs make, so that edges agree to the bit. */
const firstBucket = (share: number, buckets: number, reaches: (n: number) => boolean): number => {
  let bucket = Math.min(buckets, Math.max(0, Math.round(share * buckets)));
  while (bucket > 0 && reaches((bucket - 1) / buckets)) bucket -= 1;
  while (bucket < buckets && !reaches(bucket / buckets)) bucket += 1;
  return bucket;
};

/** Bounds of ranges as buckets: first, end, first, end … A range that isn't one holds nobody. */
export type Bounds = Int32Array;

export const boundsOf = (ranges: readonly Range[], buckets: number): Bounds => {
  const bounds = new Int32Array(ranges.length * 2);
  ranges.forEach((range, i) => {
    const start = Number(range?.[0]);
    const end = Number(range?.[1]);
    if (Number.isNaN(start) || Number.isNaN(end)) return;
    bounds[2 * i] = firstBucket(start, buckets, (n) => n >= start);
    bounds[2 * i + 1] = firstBucket(end, buckets, (n) => n >= end);
  });
  return bounds;
};

/** A percentage rollout includes its end (`n <= coverage`), except that 0 includes nobody. */
export const rolloutBounds = (coverage: number, buckets: number): Bounds =>
  coverage === 0 || Number.isNaN(Number(coverage))
    ? new Int32Array(2)
    : Int32Array.of(
        0,
        firstBucket(coverage, buckets, (n) => n > coverage),
      );

/** @returns the first range that holds the bucket; -1 when none does */
export const rangeOf = (bounds: Bounds, bucket: number): number => {
  for (let i = 0; i < bounds.length; i += 2) {
    if (bucket >= (bounds[i] as number) && bucket < (bounds[i + 1] as number)) return i >> 1;
  }
  return -1;
};
