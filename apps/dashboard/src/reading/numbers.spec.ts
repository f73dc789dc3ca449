import { describe, expect, it } from '@jest/globals';
import { figure, interval, NOTHING, percent, probability, signed, signedPercent } from './numbers.js';

describe('numbers for people', () => {
  it.each([
    [0.123456, '0.123'],
    [-2.5, '−2.5'],
    [12_345.6, '12,346'],
    [0, '0'],
    [1e-9, '1.00e−9'],
    [99.96, '100'],
  ])('%d has as many digits as mean something: %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });

  it.each([null, undefined, Number.NaN, Number.POSITIVE_INFINITY])('%s is said to be absent, never a number', (value) => {
    expect([figure(value), signed(value), percent(value), signedPercent(value), probability(value)]).toEqual(Array(5).fill(NOTHING));
  });

  it('a difference has its sign, a share does not', () => {
    expect([signedPercent(0.235), signedPercent(-0.0265), percent(0.01), signed(0)]).toEqual(['+23.5 %', '−2.65 %', '1 %', '0']);
  });

  it('a small p is a bound, and none is rounded to zero', () => {
    expect([probability(3e-7), probability(0.00123), probability(1)]).toEqual(['< 0.0001', '0.0012', '1']);
  });

  it('an interval says the bound that is missing', () => {
    expect([interval(-0.1, 0.2, signedPercent), interval(null, 1), interval(null, null)]).toEqual(['−10 % to +20 %', '– to +1', NOTHING]);
  });
});
