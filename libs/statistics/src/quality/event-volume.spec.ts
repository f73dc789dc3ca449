import { describe, expect, it } from '@jest/globals';
import { logGamma } from '../distributions.js';
import { cusum, ewma, isSilenceAlarming, rateChange } from './event-volume.js';
import { effectTrend, heterogeneity } from './heterogeneity.js';

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

describe('differences between levels', () => {
  it('are none when all effects agree', () => {
    const found = heterogeneity([
      { effect: 0.1, se: 0.02 },
      { effect: 0.1, se: 0.05 },
    ]);
    expect(found).toMatchObject({ q: 0, p: 1, iSquared: 0, tau2: 0, isSimpson: false });
    expect(found.pooled).toBeCloseTo(0.1, 14);
  });

  it('draw uncertain levels towards the pooled effect', () => {
    const { shrunk, pooled, tau2, p } = heterogeneity([
      { effect: 1, se: 0.1 },
      { effect: -1, se: 0.1 },
      { effect: 3, se: 2 },
    ]);
    expect(p).toBeLessThan(1e-6);
    expect(tau2).toBeGreaterThan(0);
    const [sure = 0, , unsure = 0] = shrunk;
    expect(Math.abs(sure - 1)).toBeLessThan(0.05);
    expect(Math.abs(unsure - pooled)).toBeLessThan(Math.abs(3 - pooled) / 2);
  });

  it('flag a total whose sign no level has', () => {
    expect(
      heterogeneity(
        [
          { effect: 1, se: 0.1 },
          { effect: 0.5, se: 0.1 },
        ],
        -0.2,
      ).isSimpson,
    ).toBe(true);
  });

  it('need two levels with an error each', () => {
    expect(() => heterogeneity([{ effect: 1, se: 1 }])).toThrow(RangeError);
    expect(() =>
      heterogeneity([
        { effect: 1, se: 0 },
        { effect: 1, se: 1 },
      ]),
    ).toThrow(RangeError);
    expect(() =>
      effectTrend([
        { day: 1, effect: 1, se: 1 },
        { day: 1, effect: 2, se: 1 },
      ]),
    ).toThrow('2 different days');
  });
});
