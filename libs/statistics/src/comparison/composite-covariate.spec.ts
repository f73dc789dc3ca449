import { describe, expect, it } from '@jest/globals';
import { type CrossMoments, mergeCrossMoments, quadraticForm } from '../sums/cross-moments.js';
import { compositeCovariate } from './composite-covariate.js';
import { cupedTheta } from './cuped.js';

/** Outcome, then covariates. */
const momentsOf = (rows: readonly (readonly number[])[]): CrossMoments => {
  const [first = []] = rows;
  const means = first.map((_, i) => rows.reduce((sum, row) => sum + (row[i] ?? 0), 0) / rows.length);
  const off = (row: readonly number[], i: number) => (row[i] ?? 0) - (means[i] ?? 0);
  const scatter = first.map((_, i) => first.map((__, j) => rows.reduce((sum, row) => sum + off(row, i) * off(row, j), 0)));
  return { n: rows.length, means, scatter };
};

const rows = (seed: number) =>
  Array.from({ length: 60 }, (_, i) => {
    const [a, b] = [Math.sin(i + seed) * 3, Math.cos((i + seed) * 1.7) + (i % 4)];
    return [2 * a - 0.5 * b + Math.sin(i * 5.3 + seed) / 10 + seed / 50, a, b];
  });
const [control, treatment] = [momentsOf(rows(0)), momentsOf(rows(9))];

describe('several covariates', () => {
  it('have the slopes of least squares: what is left has nothing to do with any of them', () => {
    const { slopes, pool } = compositeCovariate([control, treatment]);
    const all = mergeCrossMoments(control, treatment);
    const residual = [1, -(slopes[0] ?? 0), -(slopes[1] ?? 0)];
    expect(slopes[0]).toBeCloseTo(2, 1);
    expect(slopes[1]).toBeCloseTo(-0.5, 1);
    for (const covariate of [
      [0, 1, 0],
      [0, 0, 1],
    ])
      expect(quadraticForm(covariate, all.scatter, residual)).toBeCloseTo(0, 9);
    expect(pool.cXY / pool.m2X).toBeCloseTo(1, 12);
  });

  it('are one covariate whose slope is 1', () => {
    const { pairs } = compositeCovariate([control, treatment]);
    expect(cupedTheta(pairs)).toBeCloseTo(1, 12);
    const within = compositeCovariate([control, treatment], 'within');
    expect(cupedTheta(within.pairs, 'within')).toBeCloseTo(1, 12);
    expect(within.slopes[0]).not.toBeCloseTo(compositeCovariate([control, treatment]).slopes[0] ?? 0, 6);
  });

  it('of one are plain CUPED', () => {
    const one = ({ n, means, scatter }: CrossMoments): CrossMoments => ({
      n,
      means: means.slice(0, 2),
      scatter: scatter.slice(0, 2).map((row) => row.slice(0, 2)),
    });
    const { slopes } = compositeCovariate([one(control), one(treatment)]);
    const all = mergeCrossMoments(control, treatment);
    expect(slopes[0]).toBeCloseTo((all.scatter[0]?.[1] ?? 0) / (all.scatter[1]?.[1] ?? 1), 12);
  });

  it('leave out one that says what another says, or that does not vary', () => {
    const twice = momentsOf(rows(0).map(([y = 0, a = 0, b = 0]) => [y, a, 3 * a, b, 7]));
    const { slopes } = compositeCovariate([twice]);
    expect(slopes.map((slope) => slope === null)).toEqual([false, true, false, true]);
    expect(slopes[0]).toBeCloseTo(compositeCovariate([control]).slopes[0] ?? 0, 9);
    expect(() => compositeCovariate([])).toThrow(RangeError);
  });
});
