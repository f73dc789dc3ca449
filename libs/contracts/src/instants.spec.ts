import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { formatInstant, parseInstant } from './instants.js';

describe('an instant', () => {
  it('keeps microseconds', () => {
    expect(parseInstant('2017-01-21T22:11:48.556739Z')).toBe(1_485_036_708_556_739);
    expect(formatInstant(1_485_036_708_556_739)).toBe('2017-01-21T22:11:48.556739Z');
  });

  it('is the same in any zone', () => {
    expect(parseInstant('2017-01-22T00:11:48.5+02:00')).toBe(parseInstant('2017-01-21T22:11:48.500Z'));
  });

  it('lies before 1970 too', () => {
    expect(parseInstant('1969-12-31T23:59:59.999999Z')).toBe(-1);
    expect(formatInstant(-1)).toBe('1969-12-31T23:59:59.999999Z');
  });

  it.each([
    '2017-02-30T00:00:00Z',
    '2017-01-01T24:00:00Z',
    '2017-01-01T00:60:00Z',
    '2017-01-01T00:00:00',
    '2017-01-01',
    'now',
    '2017-13-01T00:00:00Z',
    '9999-01-01T00:00:00Z',
    '0099-01-01T00:00:00Z',
    '2017-01-01T00:00:00+25:00',
  ])('%p is none', (text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.integer({ min: -8_900_000_000_000_000, max: 8_640_000_000_000_000 }), (at) => {
        expect(parseInstant(formatInstant(at))).toBe(at);
      }),
    );
  });
});
