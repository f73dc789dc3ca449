import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jsonNumberOf, readDecimal, roundedTo, shifted, sumOf, textOf } from './exact-decimals.js';

const decimal = (text: string) => readDecimal(text) ?? { digits: -1n, decimals: -1 };

describe('a number of a file', () => {
  it.each([
    ['12.50', '12.5'],
    ['-0.000', '0'],
    ['.5', '0.5'],
    ['1e3', '1000'],
    ['1.5e-3', '0.0015'],
    ['TRUE', '1'],
    ['no', '0'],
    ['007', '7'],
  ])('%s is %s', (text, expected) => {
    expect(textOf(decimal(text))).toBe(expected);
  });

  it.each(['', '.', 'NA', '1,5', 'NaN', 'Infinity', '0x10', '1 000', '--1'])('"%s" is none', (text) => {
    expect(readDecimal(text)).toBeUndefined();
  });

  it('keeps every digit, whatever their number', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.nat({ max: 30 }), (digits, decimals) => {
        const text = textOf({ digits, decimals });
        const again = decimal(text);
        expect(again.digits * 10n ** BigInt(decimals - again.decimals)).toBe(digits);
      }),
    );
  });

  it('adds up without rounding', () => {
    expect(textOf(sumOf(['0.1', '0.2', '1e-9'].map(decimal)))).toBe('0.300000001');
  });

  it('rounds half to even', () => {
    expect(['0.125', '0.135', '-0.125', '0.1251', '7'].map((text) => textOf(roundedTo(decimal(text), 2)))).toEqual([
      '0.12',
      '0.14',
      '-0.12',
      '0.13',
      '7',
    ]);
  });
});

describe('on its way as JSON', () => {
  it('is a double that means exactly the same millionths, or is refused', () => {
    expect(jsonNumberOf(shifted(decimal('55.805242061615'), 6))).toBe(55805242.061615);
    expect(jsonNumberOf(decimal('0.1234567'))).toBeUndefined();
    expect(jsonNumberOf(decimal('9300000000000'))).toBeUndefined();
    expect(jsonNumberOf(decimal('8000000000000.000001'))).toBeUndefined();
  });

  it('survives for every number of fifteen digits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -999_999_999_999_999n, max: 999_999_999_999_999n }), fc.nat({ max: 6 }), (digits, decimals) => {
        const exact = decimal(textOf({ digits, decimals }));
        fc.pre(digits / 10n ** BigInt(decimals) < 9_200_000_000_000n && digits / 10n ** BigInt(decimals) > -9_200_000_000_000n);
        const double = jsonNumberOf(exact);
        expect(textOf(decimal(String(JSON.parse(JSON.stringify(double)))))).toBe(textOf(exact));
      }),
    );
  });
});
