import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { varianceOfMean } from '../sums/moments.js';
import { capValues, percentileCap, quantileMoments, quantileOfSorted, quantileRanks } from './quantiles.js';

describe('a quantile', () => {
  it('takes its error from the order statistics around it', () => {
    const found = quantileMoments({ n: 1000, nu: 0.5, quantile: 10, lower: 10 - 1.959963984540054, upper: 10 + 1.959963984540054 });
    if (found.kind === 'refused') throw new Error(found.reason);
    expect(found.moments.mean).toBe(10);
    expect(Math.sqrt(varianceOfMean(found.moments))).toBeCloseTo(Math.sqrt(999 / 1000), 12);
  });

  it('is refused when its ranks fall outside the sample', () => {
    const sample = { nu: 0.999, quantile: 10, lower: 9, upper: 11 };
    expect(quantileMoments({ n: 3837, ...sample })).toMatchObject({ reason: 'TOO_FEW_OBSERVATIONS' });
    expect(quantileMoments({ n: 3838, ...sample })).toMatchObject({ kind: 'quantile' });
    expect(quantileMoments({ n: 3837, ...sample, nu: 0.001 })).toMatchObject({ reason: 'TOO_FEW_OBSERVATIONS' });
  });

  it('is refused when its bounds collapse, however many observations there are', () => {
    expect(quantileMoments({ n: 6e7, nu: 0.9, quantile: 5, lower: 5, upper: 5 })).toMatchObject({ reason: 'ZERO_NEGATIVE_VARIANCE' });
  });

  it('has ranks around its share', () => {
    const { lower, upper } = quantileRanks(10_000, 0.9);
    expect((lower + upper) / 2).toBeCloseTo(9000, 8);
    expect(upper - lower).toBeCloseTo(2 * 1.959963984540054 * 100 * Math.sqrt(0.09), 8);
  });

  it('interpolates between neighbours', () => {
    expect(quantileOfSorted([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantileOfSorted([7], 0.3)).toBe(7);
    expect(() => quantileOfSorted([], 0.5)).toThrow(RangeError);
    expect(() => quantileOfSorted([1], 1.1)).toThrow(RangeError);
  });

  it('lies between the smallest and the largest value and grows with its share', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        (values, share) => {
          const sorted = [...values].sort((a, b) => a - b);
          const here = quantileOfSorted(sorted, share);
          expect(here).toBeGreaterThanOrEqual((sorted[0] ?? 0) - 1e-9);
          expect(quantileOfSorted(sorted, share + 0.1)).toBeGreaterThanOrEqual(here - 1e-9);
        },
      ),
    );
  });
});

describe('a cap', () => {
  it('is taken over values other than 0 when asked, but caps all', () => {
    const values = [0, 0, 0, 1, 2, 3];
    expect(percentileCap(values, 0.5, { ignoreZeros: true })).toBe(2);
    expect(percentileCap(values, 0.5, { ignoreZeros: false })).toBe(0.5);
    expect(capValues(values, 2)).toEqual({ values: [0, 0, 0, 1, 2, 2], shareCapped: 1 / 6 });
  });

  it('does not exist where every value is ignored', () => {
    expect(percentileCap([0, 0], 0.99, { ignoreZeros: true })).toBeNull();
    expect(capValues([], 1)).toEqual({ values: [], shareCapped: 0 });
  });
});
