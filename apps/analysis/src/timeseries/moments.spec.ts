import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { momentsBetween } from './moments.js';

const HOUR = 3_600_000_000;

describe('the moments of a time series', () => {
  it('are round hours for a day in thirty points, and end with the newest', () => {
    const moments = momentsBetween(0.5 * HOUR, 24.25 * HOUR, 30);
    expect(moments.slice(0, 2)).toEqual([1 * HOUR, 2 * HOUR]);
    expect(moments.at(-1)).toBe(24.25 * HOUR);
    expect(moments).toHaveLength(25);
  });

  it('are the newest alone when nothing lies before it', () => {
    expect(momentsBetween(HOUR, HOUR, 30)).toEqual([HOUR]);
    expect(momentsBetween(2 * HOUR, HOUR, 30)).toEqual([HOUR]);
  });

  it('rise, stay inside and are no more than asked for, over seconds and over years', () => {
    const instants = fc.tuple(fc.nat(1e15), fc.nat(4e14), fc.integer({ min: 1, max: 200 }));
    fc.assert(
      fc.property(instants, ([from, length, most]) => {
        const moments = momentsBetween(from, from + length, most);
        expect(moments.length).toBeLessThanOrEqual(most + 1);
        expect(moments.at(-1)).toBe(from + length);
        for (const [index, at] of moments.entries()) expect(at).toBeGreaterThan(moments[index - 1] ?? from - (length === 0 ? 1 : 0));
      }),
    );
  });
});
