import { describe, expect, it } from '@jest/globals';
import { exampleScenario } from '../scenario/scenario.examples.js';
import { arrivalSeconds, expectedSeconds } from './arrivals.js';

const secondsOf = (parts: object): readonly number[] => [...arrivalSeconds(exampleScenario({ units: undefined, ...parts }))];
const between = (seconds: readonly number[], from: number, to: number) => seconds.filter((at) => at >= from && at < to).length;
/** Five standard deviations of a Poisson count. */
const expectCount = (seen: number, mean: number) => expect(Math.abs(seen - mean)).toBeLessThan(5 * Math.sqrt(mean));

describe('units arrive', () => {
  it('at a constant rate, independently of each other', () => {
    const seconds = secondsOf({ arrival: { perSecond: 50 }, seconds: 1_000 });
    expectCount(seconds.length, 50_000);
    const perSecond = Array.from({ length: 1_000 }, (_, second) => between(seconds, second, second + 1));
    const dispersion = perSecond.reduce((sum, count) => sum + (count - 50) ** 2 / 50, 0);
    expect(Math.abs(dispersion - 1_000)).toBeLessThan(5 * Math.sqrt(2 * 1_000 + 1_000 / 50));
    expect(seconds.every((at, index) => at >= (seconds[index - 1] ?? 0))).toBe(true);
  });

  it('at a rate that rises, rests and falls', () => {
    const phases = [
      { seconds: 100, perSecond: 0, toPerSecond: 200 },
      { seconds: 50, perSecond: 0 },
      { seconds: 100, perSecond: 200, toPerSecond: 100 },
    ];
    const seconds = secondsOf({ arrival: { phases } });
    // The integral of the rate over each piece.
    expectCount(between(seconds, 0, 50), 2_500);
    expectCount(between(seconds, 50, 100), 7_500);
    expect(between(seconds, 100, 150)).toBe(0);
    expectCount(between(seconds, 150, 200), 8_750);
    expectCount(between(seconds, 200, 250), 6_250);
    expect(between(seconds, 250, Number.POSITIVE_INFINITY)).toBe(0);
  });

  it('like clockwork where it is asked for', () => {
    expect(secondsOf({ arrival: { perSecond: 4, pattern: 'even' }, seconds: 1 })).toEqual([0.125, 0.375, 0.625, 0.875]);
  });

  it('until there are enough, or the time is over', () => {
    expect(secondsOf({ units: 7 })).toHaveLength(7);
    expect(Math.max(...secondsOf({ units: 100_000, seconds: 3 }))).toBeLessThan(3);
  });
});

it.each([
  [{ arrival: { perSecond: 10 }, units: 50 }, 5],
  [{ arrival: { perSecond: 10 }, units: 50, seconds: 2 }, 2],
  [{ arrival: { phases: [{ seconds: 10, perSecond: 0, toPerSecond: 10 }] }, units: undefined }, 10],
  [{ arrival: { phases: [{ seconds: 10, perSecond: 0, toPerSecond: 10 }] }, units: 25 }, Math.sqrt(50)],
  [{ arrival: { perSecond: 10 }, units: undefined }, Number.POSITIVE_INFINITY],
])('%j lasts %d seconds', (parts, seconds) => {
  expect(expectedSeconds(exampleScenario(parts))).toBeCloseTo(seconds, 9);
});
