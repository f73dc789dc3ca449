import { describe, expect, it } from '@jest/globals';
import { AppendPace } from './append-pace.js';

const MIB = 2 ** 20;
const paced = () => new AppendPace({ maxGroupBytes: 4 * MIB });

/** Groups until the limit moves no more, on a log that takes so many bytes a millisecond. */
const settled = (bytesPerMs: number): AppendPace => {
  const pace = paced();
  for (let group = 0; group < 40; group += 1) pace.took(pace.groupBytes, pace.groupBytes / bytesPerMs);
  return pace;
};

describe('the pace of appends', () => {
  it('is full groups, and nobody waits, on a log that is fast', () => {
    const pace = settled(100_000);
    expect(pace.groupBytes).toBe(4 * MIB);
    expect(pace.waitMs(32 * MIB, 0)).toBeLessThan(1_000);
  });

  it.each([100, 500, 2_000])('comes to groups of a second or two at %d bytes a millisecond', (bytesPerMs) => {
    const pace = settled(bytesPerMs);
    expect(pace.groupBytes / bytesPerMs).toBeLessThanOrEqual(2_100);
    expect(pace.waitMs(20 * bytesPerMs * 1_000, 0)).toBeGreaterThanOrEqual(9_999);
  });

  it('has a least group, below which a slow log would be made slower', () => {
    const pace = paced();
    for (let time = 0; time < 20; time += 1) pace.failed();
    expect(pace.groupBytes).toBe(64 * 2 ** 10);
  });

  it('is full again soon after the log is', () => {
    const pace = settled(100);
    for (let group = 0; group < 6; group += 1) pace.took(100, 5);
    expect(pace.groupBytes).toBe(4 * MIB);
  });

  it('counts the time of the group in hand: a log that has stopped makes nobody wait', () => {
    const pace = settled(100_000);
    expect(pace.waitMs(4 * MIB, 9_000)).toBe(9_000);
    expect(pace.waitMs(1_000, 9_000)).toBeLessThan(10);
  });

  it('never has groups larger than its limit, however small that is', () => {
    const pace = new AppendPace({ maxGroupBytes: 30 });
    pace.failed();
    pace.took(10, 5_000);
    expect(pace.groupBytes).toBe(30);
  });
});
