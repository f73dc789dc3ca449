import { describe, expect, it } from '@jest/globals';
import { deathsInARow, restartDelayMs } from './supervisor.js';

describe('the pause before a restart', () => {
  it('doubles from 0.2 s with every death in a row', () => {
    expect([1, 2, 3, 4].map(restartDelayMs)).toEqual([200, 400, 800, 1600]);
  });

  it('never exceeds 5 s', () => {
    expect(restartDelayMs(40)).toBe(5_000);
  });

  it('starts over after a life of 30 s', () => {
    expect(deathsInARow(7, 29_999)).toBe(8);
    expect(deathsInARow(7, 30_000)).toBe(1);
  });
});
