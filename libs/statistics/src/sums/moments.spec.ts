import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compensatedSum } from './compensated-sum.js';
import {
  addValue,
  emptyMoments,
  fromFloatSums,
  fromIntegerSums,
  type Moments,
  mergeMoments,
  proportionMoments,
  removeValue,
  replaceValue,
  sampleVariance,
  varianceOfMean,
} from './moments.js';

const integerValues = fc.array(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), { minLength: 1, maxLength: 40 });

const sumsOf = (values: readonly number[], scale = 1) => {
  const whole = values.map(BigInt);
  return { n: values.length, sum: whole.reduce((a, b) => a + b, 0n), sumSquares: whole.reduce((a, b) => a + b * b, 0n), scale };
};

const onePass = (values: readonly number[]): Moments => values.reduce(addValue, emptyMoments);

const expectAlike = (actual: Moments, expected: Moments, scale = 1e9): void => {
  expect(actual.n).toBe(expected.n);
  expect(Math.abs(actual.mean - expected.mean)).toBeLessThanOrEqual(1e-10 * scale);
  expect(Math.abs(actual.m2 - expected.m2)).toBeLessThanOrEqual(1e-10 * scale * scale * Math.max(1, expected.n));
};

describe('moments from integer sums', () => {
  it('keep every digit where the mean is 1e15 times the spread', () => {
    const values = [4, 7, 13, 16].map((x) => x + 1e15);
    const moments = fromIntegerSums(sumsOf(values));
    expect(moments.mean).toBe(1e15 + 10);
    expect(sampleVariance(moments)).toBe(30);
  });

  it('are in millionths unless told otherwise', () => {
    expect(fromIntegerSums({ n: 2, sum: 25_000_000n, sumSquares: 312_500_000_000_000n })).toEqual({ n: 2, mean: 12.5, m2: 0 });
  });

  it('agree with one pass over the values', () => {
    fc.assert(fc.property(integerValues, (values) => expectAlike(fromIntegerSums(sumsOf(values)), onePass(values))));
  });

  it('do not depend on the scale they were summed in', () => {
    fc.assert(
      fc.property(integerValues, (values) => {
        const plain = fromIntegerSums(sumsOf(values));
        const scaled = fromIntegerSums(
          sumsOf(
            values.map((x) => x * 1000),
            1000,
          ),
        );
        expect(scaled.mean).toBe(plain.mean);
        expect(Math.abs(scaled.m2 - plain.m2)).toBeLessThanOrEqual(4e-16 * plain.m2);
      }),
    );
  });

  it('shift with their values and keep the spread, exactly', () => {
    fc.assert(
      fc.property(integerValues, fc.integer({ min: -1e6, max: 1e6 }), (values, by) => {
        expect(fromIntegerSums(sumsOf(values.map((x) => x + by))).m2).toBe(fromIntegerSums(sumsOf(values)).m2);
      }),
    );
  });

  it('say so with a negative m2 when the sums contradict each other', () => {
    expect(fromIntegerSums({ n: 2, sum: 10n, sumSquares: 1n, scale: 1 }).m2).toBeLessThan(0);
  });

  it('are empty without units, and refuse a count that is no count', () => {
    expect(fromIntegerSums({ n: 0, sum: 0n, sumSquares: 0n })).toEqual(emptyMoments);
    for (const n of [-1, 1.5, Number.NaN]) expect(() => fromIntegerSums({ n, sum: 0n, sumSquares: 0n })).toThrow(RangeError);
    expect(() => fromIntegerSums({ n: 1, sum: 0n, sumSquares: 0n, scale: 0 })).toThrow(RangeError);
  });
});

describe('moments', () => {
  it('merge to what one pass gives, in any order and grouping', () => {
    fc.assert(
      fc.property(integerValues, integerValues, integerValues, (a, b, c) => {
        const [x, y, z] = [onePass(a), onePass(b), onePass(c)];
        const all = onePass([...a, ...b, ...c]);
        expectAlike(mergeMoments(mergeMoments(x, y), z), all);
        expectAlike(mergeMoments(x, mergeMoments(y, z)), all);
        expectAlike(mergeMoments(z, mergeMoments(y, x)), all);
        expect(all.m2).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('follow a replaced, an added and a removed value', () => {
    fc.assert(
      fc.property(integerValues, fc.integer({ min: -1e9, max: 1e9 }), (values, next) => {
        const [first = 0, ...rest] = values;
        expectAlike(replaceValue(onePass(values), first, next), onePass([next, ...rest]));
        expectAlike(removeValue(addValue(onePass(values), next), next), onePass(values));
      }),
    );
  });

  it('leave the empty sample out of a merge', () => {
    const some = onePass([1, 2, 5]);
    expect(mergeMoments(emptyMoments, some)).toBe(some);
    expect(mergeMoments(some, emptyMoments)).toBe(some);
  });

  it('refuse to change a unit that is not there', () => {
    expect(() => replaceValue(emptyMoments, 1, 2)).toThrow(RangeError);
    expect(() => removeValue(emptyMoments, 1)).toThrow(RangeError);
    expect(removeValue(onePass([3]), 3)).toEqual(emptyMoments);
  });

  it('have no variance below two units', () => {
    expect(() => sampleVariance(onePass([3]))).toThrow('at least 2 units, got 1');
    expect(varianceOfMean(onePass([1, 3]))).toBe(1);
  });

  it('refuse values that are no numbers', () => {
    expect(() => addValue(emptyMoments, Number.NaN)).toThrow(RangeError);
    expect(() => replaceValue(onePass([1]), 1, Number.POSITIVE_INFINITY)).toThrow(RangeError);
  });
});

describe('moments from floating-point sums', () => {
  it('take a shortfall within rounding for 0 and keep a larger one negative', () => {
    expect(fromFloatSums({ n: 3, sum: 0.3, sumSquares: 0.03 - 1e-13 }).m2).toBe(0);
    expect(fromFloatSums({ n: 2, sum: 1396.87, sumSquares: 52377.9767 }).m2).toBeLessThan(0);
  });
});

describe('moments of a proportion', () => {
  it('carry the variance m(1 − m)', () => {
    expect(sampleVariance(proportionMoments(28, 14))).toBe(0.25);
  });

  it('refuse more successes than units, and fewer than none', () => {
    expect(() => proportionMoments(3, 4)).toThrow('between 0 and n = 3, got 4');
    expect(() => proportionMoments(3, -1)).toThrow(RangeError);
  });
});

describe('a compensated sum', () => {
  it('keeps what a huge term would swallow', () => {
    expect(compensatedSum([1, 1e100, 1, -1e100])).toBe(2);
  });

  it('does not depend on the order of integers', () => {
    fc.assert(fc.property(integerValues, (values) => expect(compensatedSum(values)).toBe(compensatedSum(values.toReversed()))));
  });
});
