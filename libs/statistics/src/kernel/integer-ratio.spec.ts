import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { integerRatio } from './integer-ratio.js';

const whole = fc.bigInt({ min: -(2n ** 260n), max: 2n ** 260n });
const positive = fc.bigInt({ min: 1n, max: 2n ** 200n });

describe('a ratio of integers', () => {
  it('is the nearest double: neither neighbour is closer', () => {
    fc.assert(
      fc.property(whole, positive, (top, bottom) => {
        const result = integerRatio(top, bottom);
        // Whole part of at least 2^60 so that doubles and their neighbours are integers, comparable exactly.
        fc.pre(Math.abs(result) > 2 ** 60);
        const ulp = 2 ** (Math.floor(Math.log2(Math.abs(result))) - 52);
        const distance = (x: number): bigint => {
          const off = BigInt(x) * bottom - top;
          return off < 0n ? -off : off;
        };
        expect(distance(result)).toBeLessThanOrEqual(distance(result + ulp));
        expect(distance(result)).toBeLessThanOrEqual(distance(result - ulp));
      }),
      { numRuns: 300 },
    );
  });

  it('divides small integers as doubles do', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 1 }), (top, bottom) => {
        expect(integerRatio(BigInt(top), BigInt(bottom))).toBe(top / bottom + 0);
      }),
    );
  });

  it('survives integers beyond the largest double', () => {
    expect(integerRatio(3n * 10n ** 400n, 2n * 10n ** 400n)).toBe(1.5);
    expect(integerRatio(1n, 10n ** 300n)).toBe(1e-300);
    expect(integerRatio(-(10n ** 320n), 10n ** 20n)).toBe(-1e300);
  });

  it('rounds a tie to even and anything above it up', () => {
    const tie = 2n ** 53n + 1n;
    expect(integerRatio(tie * 2n ** 100n, 2n ** 100n)).toBe(2 ** 53);
    expect(integerRatio(tie * 2n ** 100n + 1n, 2n ** 100n)).toBe(2 ** 53 + 2);
  });

  it('refuses a denominator of 0 and a quotient beyond the largest double', () => {
    expect(() => integerRatio(1n, 0n)).toThrow(RangeError);
    expect(() => integerRatio(10n ** 400n, 1n)).toThrow(RangeError);
  });
});
