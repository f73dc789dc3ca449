import { describe, expect, it } from '@jest/globals';
import { logGamma } from '../distributions.js';
import { cusum, ewma, isSilenceAlarming, rateChange } from './event-volume.js';

describe('a changed rate', () => {
  it('has an expectation of 1 when nothing changed: it is an e-value', () => {
    const expected = 20;
    let mean = 0;
    for (let x = 0; x < 200; x++)
      mean += Math.exp(x * Math.log(expected) - expected - logGamma(x + 1) + rateChange({ observed: x, expected }).logE);
    expect(mean).toBeCloseTo(1, 8);
  });

  it('is seen in both directions and not within dispersion', () => {
    expect(rateChange({ observed: 1500, expected: 1000 }).p).toBeLessThan(1e-6);
    expect(rateChange({ observed: 600, expected: 1000 }).p).toBeLessThan(1e-6);
    expect(rateChange({ observed: 1100, expected: 1000, dispersion: 10 }).p).toBeGreaterThan(0.05);
    expect(() => rateChange({ observed: 1, expected: 0 })).toThrow(RangeError);
  });
});

describe('silence', () => {
  it('alarms after 13.8 missing events at one in a million', () => {
    expect(isSilenceAlarming(13.9, 1e-6)).toBe(true);
    expect(isSilenceAlarming(13.7, 1e-6)).toBe(false);
  });
});

describe('charts', () => {
  it('cusum hears a drop as well as a rise, unless asked for rises only', () => {
    const chart = { mu: 100, sigma: 5 };
    expect(cusum([70, 70], chart).alarm).toEqual([true, true]);
    expect(cusum([70, 70], { ...chart, sides: 'upper' }).alarm).toEqual([false, false]);
    expect(cusum([100, 101, 99], chart).alarm).toEqual([false, false, false]);
  });

  it('ewma needs a lasting shift or a large one', () => {
    const alarms = (values: readonly number[]): readonly boolean[] => ewma(values, { mu: 0, sigma: 1 }).map(({ isAlarm }) => isAlarm);
    expect(alarms([0.5, -0.5, 0.5])).toEqual([false, false, false]);
    expect(alarms([4])).toEqual([true]);
    expect(alarms(new Array<number>(12).fill(1.5)).at(-1)).toBe(true);
    expect(() => ewma([1], { mu: 0, sigma: 1, lambda: 0 })).toThrow(RangeError);
  });
});
