import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { designEffectOf, ladderRanks } from './quantile-ranks.js';

const sumsOf = (units: readonly (readonly [events: number, upTo: number])[]) => {
  const total = (of: (x: number, y: number) => number) => BigInt(units.reduce((sum, [x, y]) => sum + of(x, y), 0));
  return {
    ...{ sumX: total((x) => x), sumY: total((_, y) => y), sumSquaresX: total((x) => x * x) },
    ...{ sumSquaresY: total((_, y) => y * y), sumProducts: total((x, y) => x * y) },
  };
};

describe('the ladder of ranks', () => {
  const observations = fc.integer({ min: 0, max: 10_000_000 });
  const level = fc.constantFrom(0.001, 0.1, 0.5, 0.95, 0.999);

  it('rises within the sample, around the quantile', () => {
    fc.assert(
      fc.property(observations, level, fc.integer({ min: 1, max: 40 }), (n, nu, effect) => {
        const ranks = ladderRanks(n, nu, effect);
        expect(ranks).toEqual([...new Set(ranks)].sort((a, b) => a - b));
        expect(ranks.every((rank) => Number.isInteger(rank) && rank >= 1 && rank <= n)).toBe(true);
        const centre = Math.floor(nu * n + 0.5);
        expect(ranks.includes(centre)).toBe(centre >= 1 && centre <= n);
        expect(ranks.length).toBeLessThanOrEqual(139);
      }),
    );
  });

  it('has steps of a tenth of a standard error near the quantile, wider for events that are alike', () => {
    // √(1,000,000/4) = 500 ranks are one standard error.
    const steps = (effect: number) => ladderRanks(1_000_000, 0.5, effect).slice(68, 71);
    expect(steps(1)).toEqual([499_950, 500_000, 500_050]);
    expect(steps(4)).toEqual([499_900, 500_000, 500_100]);
    expect(ladderRanks(1_000_000, 0.5, 1)).toHaveLength(139);
  });
});

describe('the design effect', () => {
  it('of events that are each by themselves is 1', () => {
    const units = Array.from({ length: 100 }, (_, at) => [1, at < 90 ? 1 : 0] as const);
    expect(designEffectOf(sumsOf(units))).toBeCloseTo(1, 12);
  });

  it('of units whose events are all alike is how many they have', () => {
    const units = Array.from({ length: 100 }, (_, at) => [7, at < 90 ? 7 : 0] as const);
    expect(designEffectOf(sumsOf(units))).toBeCloseTo(7, 12);
  });

  it('is never below 1, and as bad as can be where nothing lies above', () => {
    // Each unit has its share exactly: their shares vary less than chance would have it.
    expect(
      designEffectOf(
        sumsOf([
          [10, 9],
          [10, 9],
        ]),
      ),
    ).toBe(1);
    expect(
      designEffectOf(
        sumsOf([
          [6, 6],
          [2, 2],
        ]),
      ),
    ).toBe(5);
    expect(designEffectOf(sumsOf([]))).toBe(1);
  });
});
