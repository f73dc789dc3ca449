import { describe, expect, it } from '@jest/globals';
import { randomOf } from '../generation/random.js';
import { distribution, drawn, nearlyAllBelow } from './distributions.js';

const DRAWS = 50_000;
const draws = (written: unknown, mean?: number): readonly number[] => {
  const parsed = distribution.parse(written);
  const random = randomOf(7, 0, 0);
  return Array.from({ length: DRAWS }, () => drawn(parsed, random, mean));
};
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const leastOf = (values: readonly number[]) => values.reduce((least, value) => Math.min(least, value));
const varianceOf = (values: readonly number[]) => {
  const mean = meanOf(values);
  return meanOf(values.map((value) => (value - mean) ** 2));
};
/** Five standard errors: one in 1.7 million fails by chance, and the seed is fixed. */
const within = (sd: number) => 5 * (sd / Math.sqrt(DRAWS));

describe('a distribution', () => {
  it.each([
    [{ distribution: 'uniform', from: 2, to: 8 }, 5, 36 / 12],
    [{ distribution: 'normal', mean: -3, sd: 2 }, -3, 4],
    [{ distribution: 'lognormal', mean: 40, sd: 30 }, 40, 900],
    [{ distribution: 'exponential', mean: 5 }, 5, 25],
    [{ distribution: 'poisson', mean: 3.5 }, 3.5, 3.5],
    [{ distribution: 'poisson', mean: 100 }, 100, 100],
    [{ distribution: 'geometric', mean: 8 }, 8, 8 * 7],
  ])('%j has mean %d and variance %d', (written, mean, variance) => {
    const values = draws(written);
    expect(Math.abs(meanOf(values) - mean)).toBeLessThan(within(Math.sqrt(variance)));
    // The variance of a variance is that of the squared distances.
    const squares = values.map((value) => (value - mean) ** 2);
    expect(Math.abs(varianceOf(values) - variance)).toBeLessThan(within(Math.sqrt(varianceOf(squares))));
  });

  it('keeps its spread where an effect moves its mean', () => {
    const values = draws({ distribution: 'lognormal', mean: 40, sd: 30 }, 60);
    expect(Math.abs(meanOf(values) - 60)).toBeLessThan(within(30));
    const squares = values.map((value) => (value - 60) ** 2);
    expect(Math.abs(varianceOf(values) - 900)).toBeLessThan(within(Math.sqrt(varianceOf(squares))));
  });

  it('of counts has integers from its least', () => {
    expect(leastOf(draws({ distribution: 'geometric', mean: 2 }))).toBe(1);
    expect(leastOf(draws({ distribution: 'poisson', mean: 1 }))).toBe(0);
    expect(draws({ distribution: 'poisson', mean: 70 }).every(Number.isInteger)).toBe(true);
    expect(new Set(draws({ distribution: 'geometric', mean: 1 }))).toEqual(new Set([1]));
  });

  it('may be a number alone, always the same', () => {
    expect(new Set(draws(3))).toEqual(new Set([3]));
    expect(new Set(draws({ distribution: 'constant', value: -1 }))).toEqual(new Set([-1]));
  });

  it.each([
    { distribution: 'normal', mean: 2, sd: 3 },
    { distribution: 'exponential', mean: 5 },
    { distribution: 'geometric', mean: 8 },
    4,
  ])('%j is hardly ever longer than is waited for', (written) => {
    const limit = nearlyAllBelow(distribution.parse(written));
    expect(draws(written).filter((value) => value > limit).length / DRAWS).toBeLessThan(0.001);
  });
});
