import { describe, expect, it } from '@jest/globals';
import { relative, span } from './durations.js';

describe('spans of time', () => {
  it.each([
    [0, '0 s'],
    [59.6, '1 min'],
    [200, '3 min 20 s'],
    [3_600, '1 h'],
    [3_605, '1 h'],
    [90_000, '1 d 1 h'],
    [-5, '0 s'],
  ])('%d seconds are “%s”', (seconds, text) => {
    expect(span(seconds)).toBe(text);
  });

  it('a moment is ahead, now, or ago', () => {
    expect([relative(65_000, 0), relative(1_000, 0), relative(0, 12_000)]).toEqual(['in 1 min 5 s', 'now', '12 s ago']);
  });
});
