import { describe, expect, it } from '@jest/globals';
import { duration, Progress, pace } from './progress.js';

describe('progress', () => {
  it('is rows, speed and time left', () => {
    expect(pace(20_000, 100_000, 2_000)).toBe('20,000 of 100,000 rows, 10,000 rows/s, 8 s left');
    expect(pace(0, 100, 0)).toBe('0 of 100 rows, 0 rows/s');
    expect([500, 89_000, 200_000, 7_260_000].map(duration)).toEqual(['1 s', '89 s', '3 min', '2 h 1 min']);
  });

  it('rewrites its line on a terminal, and repeats it every five seconds elsewhere', () => {
    const shown = (isTTY: boolean) => {
      let written = '';
      let nowMs = 0;
      const progress = new Progress({ isTTY, write: (text) => (written += text) }, () => nowMs);
      for (; nowMs <= 10_000; nowMs += 1_000) progress.show(() => `at ${nowMs}`);
      progress.say('done');
      return written;
    };
    expect(shown(false)).toBe('at 5000\nat 10000\ndone\n');
    expect(shown(true)).toContain('\r       \rat 2000');
  });
});
