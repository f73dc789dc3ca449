import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { unequalArmsWidening } from './unequal-arms.js';

const arm = (n: number, variance: number) => ({ n, mean: 0, m2: variance * (n - 1) });

describe('the widening for arms of unequal size', () => {
  it('is 1 for arms of equal size, whatever their spread', () => {
    expect(unequalArmsWidening(arm(500, 1), arm(500, 90))).toBe(1);
  });

  it('takes the spread of the large arm for the small one when that looks too narrow', () => {
    // Welch: 4/950 + 1/50 = 0.02421…; pooled: (949·4 + 49·1)/998 · (1/950 + 1/50) = 0.08110….
    const pooled = ((949 * 4 + 49) / 998) * (1 / 950 + 1 / 50);
    expect(unequalArmsWidening(arm(950, 4), arm(50, 1))).toBeCloseTo(Math.sqrt(pooled / (4 / 950 + 1 / 50)), 12);
  });

  it('never narrows: a small arm that is wider than the large one keeps its own', () => {
    expect(unequalArmsWidening(arm(950, 1), arm(50, 4))).toBe(1);
    const some = fc.tuple(fc.integer({ min: 2, max: 1e6 }), fc.double({ min: 1e-6, max: 1e6, noNaN: true }));
    fc.assert(fc.property(some, some, ([a, v], [b, w]) => unequalArmsWidening(arm(a, v), arm(b, w)) >= 1));
  });

  it('refuses an arm without spread to speak of', () => {
    expect(() => unequalArmsWidening(arm(1, 0), arm(50, 1))).toThrow(RangeError);
    expect(unequalArmsWidening(arm(20, 0), arm(50, 0))).toBe(1);
  });
});
