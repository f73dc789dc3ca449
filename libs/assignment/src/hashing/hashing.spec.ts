import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bucketingOf, bucketOf, hash } from './bucket.js';
import { absorb, FNV_START, hashOfDecimal } from './fnv.js';
import { bucketsInLanes } from './lanes.js';
import { armAt, boundsOf, bucketRanges, type Range, rangeOf, rolloutBounds } from './ranges.js';

/** The published definition taken literally, in exact integers: no states, no digits. */
const literalFnv = (text: string): bigint =>
  [...Array(text.length).keys()].reduce((h, i) => ((h ^ BigInt(text.charCodeAt(i))) * 0x01000193n) & 0xffffffffn, 0x811c9dc5n);
const literalBucket = (seed: string, id: string): number => Number(literalFnv(literalFnv(seed + id).toString()) % 10_000n);

describe('the published hash', () => {
  it.each([
    ['seed', 'a', 2, 0.0505],
    ['foo', 'def', 2, 0.2019],
    ['90850943850283058242805', '123', 2, 0.7516],
    ['', '123', 1, 0.011],
    ['ef', 'd', 1, 0.652],
    ['abc', 'def', 99, null],
  ] as const)('of (%s, %s, version %d) is %s', (seed, id, version, expected) => {
    expect(hash(seed, id, version)).toBe(expected);
  });

  it('is its definition, for any text', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    fc.assert(
      fc.property(text, text, (seed, id) => {
        const bucketing = bucketingOf(seed, 2);
        if (bucketing === null || bucketOf(bucketing, id) !== literalBucket(seed, id)) return false;
        return hash(seed, id, 1) === Number(literalFnv(id + seed) % 1000n) / 1000;
      }),
      { numRuns: 500 },
    );
  });

  it('takes a number’s digits as its decimal text has them', () => {
    const edges = [0, 1, 9, 10, 99_999, 100_000, 999_999, 1_000_000, 9_999_999, 10_000_000, 99_999_999, 100_000_000, 999_999_999];
    for (const n of [...edges, 1_000_000_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
      expect([n, hashOfDecimal(n | 0)]).toEqual([n, absorb(FNV_START, String(n))]);
    }
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (n) => hashOfDecimal(n | 0) === absorb(FNV_START, String(n))),
      { numRuns: 10_000 },
    );
  });

  it('is the same in lanes as one by one, for any number of seeds', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 9 }), fc.string({ unit: 'binary', maxLength: 50 }), (seeds, id) => {
        const buckets = new Int32Array(seeds.length);
        const states = seeds.map((seed) => absorb(FNV_START, seed));
        bucketsInLanes(Int32Array.from(states), id, buckets);
        expect([...buckets]).toEqual(seeds.map((seed) => literalBucket(seed, id)));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a range of buckets', () => {
  it('a unit whose bucket is the start of a range is in it, one whose bucket is the end is not', () => {
    const bounds = boundsOf(
      [
        [0.1, 0.2],
        [0.2, 0.3],
      ],
      10_000,
    );
    expect([999, 1000, 1999, 2000, 2999, 3000].map((bucket) => rangeOf(bounds, bucket))).toEqual([-1, 0, 0, 1, 1, -1]);
    expect(armAt(0.1, [[0.1, 0.2]])).toBe(0);
    expect(armAt(0.2, [[0.1, 0.2]])).toBe(-1);
  });

  it('holds bucket 0 when it starts at 0: the unit with the lowest hash is in control', () => {
    expect(rangeOf(boundsOf(bucketRanges(2, 1), 10_000), 0)).toBe(0);
    expect(rangeOf(boundsOf(bucketRanges(2, 0.02), 10_000), 5000)).toBe(1);
  });

  it('agrees with the SDKs’ comparison of floating-point numbers in every bucket', () => {
    const share = fc.oneof(
      fc.double({ min: -0.1, max: 1.1, noNaN: true }),
      fc.integer({ min: 0, max: 10_000 }).map((n) => n / 10_000),
      fc.constantFrom(0.1 + 0.2, 1 / 3, 2 / 3, Number.NaN),
    );
    fc.assert(
      fc.property(share, share, fc.constantFrom(1000, 10_000), (start, end, buckets) => {
        const range: Range = [start, end];
        const bounds = boundsOf([range], buckets);
        const rollout = rolloutBounds(end, buckets);
        const around = [start, end].flatMap((edge) => [-1, 0, 1].map((step) => Math.round(edge * buckets) + step));
        for (const bucket of [...around, 0, buckets - 1].filter((one) => one >= 0 && one < buckets)) {
          const n = bucket / buckets;
          if (rangeOf(bounds, bucket) >= 0 !== (n >= start && n < end)) return false;
          if (rangeOf(rollout, bucket) >= 0 !== (end !== 0 && n <= end)) return false;
        }
        return true;
      }),
      { numRuns: 10_000 },
    );
  });

  it('of a percentage rollout includes its end, and nobody at 0', () => {
    expect(rangeOf(rolloutBounds(0.5, 10_000), 5000)).toBe(0);
    expect(rangeOf(rolloutBounds(0.5, 10_000), 5001)).toBe(-1);
    expect(rangeOf(rolloutBounds(0, 10_000), 0)).toBe(-1);
  });

  it('control comes first: [0, c) and [.5, .5 + c)', () => {
    expect(bucketRanges(2, 0.02)).toEqual([
      [0, 0.01],
      [0.5, 0.51],
    ]);
  });
});
