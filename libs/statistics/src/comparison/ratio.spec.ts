import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type CoMoments, coMomentsFromIntegerSums, type IntegerPairSums } from '../sums/co-moments.js';
import { proportionMoments, sampleVariance, varianceOfMean } from '../sums/moments.js';
import { compareMeans } from './compare-means.js';
import { compareRatios, designEffect, type Ratio, ratioMoments, ratioMomentsFromIntegerSums } from './ratio.js';

type Unit = readonly [denominator: number, numerator: number];

const sumsOf = (units: readonly Unit[], scale = 1): IntegerPairSums => {
  const total = (f: (unit: Unit) => number): bigint => units.reduce((sum, unit) => sum + BigInt(f(unit)), 0n);
  return {
    n: units.length,
    sumX: total(([d]) => d),
    sumY: total(([, m]) => m),
    sumSquaresX: total(([d]) => d * d),
    sumSquaresY: total(([, m]) => m * m),
    sumProducts: total(([d, m]) => d * m),
    scale,
  };
};

const ratioOf = (found: ReturnType<typeof ratioMoments>): Ratio => {
  if (found.kind === 'refused') throw new Error(found.reason);
  return found;
};

const units = fc.array(fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 1000 })), { minLength: 3, maxLength: 40 });

describe('a ratio', () => {
  it('has the variance of its linearised values', () => {
    fc.assert(
      fc.property(units, (given) => {
        const { moments } = ratioOf(ratioMomentsFromIntegerSums(sumsOf(given)));
        const [denominators, numerators] = [given.reduce((sum, [d]) => sum + d, 0), given.reduce((sum, [, m]) => sum + m, 0)];
        const ratio = numerators / denominators;
        const squares = given.reduce((sum, [d, m]) => sum + ((m - ratio * d) / (denominators / given.length)) ** 2, 0);
        expect(moments.mean).toBe(ratio);
        expect(Math.abs(moments.m2 - squares)).toBeLessThanOrEqual(1e-9 * squares + 1e-20);
      }),
    );
  });

  it('is the same from co-moments, but for rounding', () => {
    fc.assert(
      fc.property(units, (given) => {
        const [exact, float] = [
          ratioOf(ratioMomentsFromIntegerSums(sumsOf(given))),
          ratioOf(ratioMoments(coMomentsFromIntegerSums(sumsOf(given)))),
        ];
        expect(Math.abs(exact.moments.m2 - float.moments.m2)).toBeLessThanOrEqual(1e-10 * (1 + exact.moments.m2));
        expect(float.isDenominatorNoisy).toBe(exact.isDenominatorNoisy);
      }),
    );
  });

  it('does not depend on the scale its sums came in', () => {
    const given: readonly Unit[] = [
      [3, 1],
      [5, 2],
      [2, 2],
    ];
    const scaled = sumsOf(given.map(([d, m]) => [d * 100, m * 1000] as const));
    expect(ratioOf(ratioMomentsFromIntegerSums({ ...scaled, scaleX: 100, scaleY: 1000 })).moments).toEqual(
      ratioOf(ratioMomentsFromIntegerSums(sumsOf(given))).moments,
    );
  });

  it('has no variance at all when every unit has the same ratio', () => {
    const found = ratioOf(
      ratioMomentsFromIntegerSums(
        sumsOf([
          [3, 1],
          [9, 3],
          [300_000, 100_000],
        ]),
      ),
    );
    expect(found.moments.m2).toBe(0);
  });

  it('over denominators of 1 is the mean', () => {
    const found = ratioOf(
      ratioMomentsFromIntegerSums(
        sumsOf([
          [1, 4],
          [1, 7],
          [1, 13],
        ]),
      ),
    );
    expect(found.moments.mean).toBe(8);
    expect(sampleVariance(found.moments)).toBeCloseTo(21, 12);
  });

  it('keeps units without a denominator: they carry their numerator', () => {
    const found = ratioOf(
      ratioMomentsFromIntegerSums(
        sumsOf([
          [0, 5],
          [2, 1],
          [3, 2],
        ]),
      ),
    );
    expect(found.moments.n).toBe(3);
    expect(found.moments.mean).toBe(8 / 5);
  });

  it('is refused on a denominator that sums to 0', () => {
    expect(
      ratioMomentsFromIntegerSums(
        sumsOf([
          [0, 5],
          [0, 1],
        ]),
      ),
    ).toEqual({ kind: 'refused', reason: 'ZERO_DENOMINATOR' });
    expect(
      ratioMoments(
        coMomentsFromIntegerSums(
          sumsOf([
            [0, 5],
            [0, 1],
          ]),
        ),
      ),
    ).toEqual({ kind: 'refused', reason: 'ZERO_DENOMINATOR' });
    expect(ratioMomentsFromIntegerSums(sumsOf([]))).toEqual({ kind: 'refused', reason: 'INSUFFICIENT_UNITS' });
  });

  it('says when its denominator is too noisy to divide by', () => {
    expect(
      ratioOf(
        ratioMomentsFromIntegerSums(
          sumsOf([
            [1, 1],
            [100, 3],
            [3, 2],
          ]),
        ),
      ).isDenominatorNoisy,
    ).toBe(true);
    expect(
      ratioOf(
        ratioMomentsFromIntegerSums(
          sumsOf([
            [100, 1],
            [101, 3],
            [99, 2],
          ]),
        ),
      ).isDenominatorNoisy,
    ).toBe(false);
  });
});

describe('comparing ratios', () => {
  const arm = (n: number, meanX: number, meanY: number): CoMoments => ({ n, meanX, meanY, m2X: 4 * n, m2Y: 9 * n, cXY: 2 * n });

  it('says when the treatment moves the denominator', () => {
    const [steady, moved] = [
      compareRatios({ control: arm(500, 10, 5), treatment: arm(500, 10, 6), alpha: 0.05, difference: 'absolute' }),
      compareRatios({ control: arm(500, 10, 5), treatment: arm(500, 12, 6), alpha: 0.05, difference: 'absolute' }),
    ];
    expect(steady).toMatchObject({ kind: 'estimate', denominatorShift: { isShifted: false } });
    expect(moved).toMatchObject({ kind: 'estimate', denominatorShift: { isShifted: true } });
  });

  it('refuses a relative effect on a ratio of 0', () => {
    expect(compareRatios({ control: arm(500, 10, 0), treatment: arm(500, 10, 6), alpha: 0.05, difference: 'relative' })).toMatchObject({
      kind: 'refused',
      reason: 'ZERO_BASELINE',
    });
  });

  it('counts units, not events: whole units that agree inside are worth less', () => {
    const clustered = sumsOf(Array.from({ length: 200 }, (_, i) => [10, i % 2 === 0 ? 10 : 0] as const));
    const found = ratioOf(ratioMomentsFromIntegerSums(clustered));
    expect(designEffect(found)).toBeCloseTo(10, 0);
    expect(varianceOfMean(found.moments)).toBeGreaterThan(9 * varianceOfMean(proportionMoments(2000, 1000)));
  });

  it('is what comparing means says of the linearised moments', () => {
    const [a, b] = [arm(500, 10, 5), arm(400, 11, 6)];
    const direct = compareMeans({
      control: ratioOf(ratioMoments(a)).moments,
      treatment: ratioOf(ratioMoments(b)).moments,
      alpha: 0.05,
      difference: 'absolute',
    });
    expect(compareRatios({ control: a, treatment: b, alpha: 0.05, difference: 'absolute' })).toMatchObject({ ...direct });
  });
});
