import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decimalText, MAX_VALUE_MILLIONTHS, millionthsOfDecimal, millionthsOfNumber } from './exact-values.js';

describe('an exact value', () => {
  it.each([
    [12.5, 12_500_000n],
    [0.1, 100_000n],
    [-0.000001, -1n],
    [1e-7, 0n],
    [9_200_000_000_000, 9_200_000_000_000_000_000n],
    [123_456_789.123456, 123_456_789_123_456n],
    [1e12 + 0.25, 1_000_000_000_000_250_000n],
  ])('of %p is %p millionths', (value, millionths) => {
    expect(millionthsOfNumber(value)).toBe(millionths);
  });

  it.each([
    ['0.0000005', 0n],
    ['0.0000015', 2n],
    ['0.0000025', 2n],
    ['0.00000250000001', 3n],
    ['-0.0000015', -2n],
    ['2.5e-6', 2n],
    ['3.5E-6', 4n],
    ['.5', 500_000n],
    ['5.', 5_000_000n],
    ['0e999', 0n],
    ['000012', 12_000_000n],
    ['1e-400', 0n],
  ])('rounds %s half to even at the seventh decimal', (text, millionths) => {
    expect(millionthsOfDecimal(text)).toBe(millionths);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 9_200_000_000_001, -1e13, 1e300])('refuses %p', (value) => {
    expect(millionthsOfNumber(value)).toBeUndefined();
  });

  it.each(['', '.', '-', 'twelve', '1,5', '0x10', '1e', 'NaN', ' 1', '1 ', '1e99999'])('refuses the text %p', (text) => {
    expect(millionthsOfDecimal(text)).toBeUndefined();
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -MAX_VALUE_MILLIONTHS, max: MAX_VALUE_MILLIONTHS }), (millionths) => {
        expect(millionthsOfDecimal(decimalText(millionths))).toBe(millionths);
      }),
    );
  });

  it('is the same whether it came as a number or as that number’s shortest text', () => {
    fc.assert(
      fc.property(fc.double({ min: -9.2e12, max: 9.2e12, noNaN: true }), (value) => {
        expect(millionthsOfNumber(value)).toBe(millionthsOfDecimal(String(value)));
      }),
    );
  });

  it('is the same for numbers near the edge of what a double tells apart', () => {
    const decimals = fc.tuple(fc.bigInt({ min: -9_999_999_999_999_999n, max: 9_999_999_999_999_999n }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(decimals, ([digits, places]) => {
        const value = Number(`${digits}e-${places}`);
        fc.pre(Math.abs(value) <= 9.2e12);
        expect(millionthsOfNumber(value)).toBe(millionthsOfDecimal(String(value)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('shows other scales without trailing zeros', () => {
    expect(decimalText(880_644_703_730_940_800n, 100_000_000_000_000n)).toBe('8806.447037309408');
    expect(decimalText(-5n, 1n)).toBe('-5');
  });
});
