import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { effectInteraction, effectTrend, heterogeneity } from './heterogeneity.js';

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

describe('an interaction of two changes', () => {
  const effect = fc.record({ effect: fc.double({ min: -100, max: 100, noNaN: true }), se: fc.double({ min: 0.01, max: 10, noNaN: true }) });

  it('is a difference of differences, whose four variances add', () => {
    const { estimate, se, z, p, ciLower, ciUpper } = effectInteraction({ effect: 0.5, se: 0.3 }, { effect: -0.75, se: 0.4 }, 0.05);
    expect([estimate, se, z]).toEqual([1.25, 0.5, 2.5]);
    // erfc(2.5/√2)
    expect(p).toBeCloseTo(0.012419330651552278, 14);
    expect([ciLower, ciUpper]).toEqual([expect.closeTo(1.25 - 0.9799819922700268, 12), expect.closeTo(1.25 + 0.9799819922700268, 12)]);
  });

  it('says the same as heterogeneity between two levels', () => {
    fc.assert(
      fc.property(effect, effect, (changed, unchanged) => {
        const { z, logP } = effectInteraction(changed, unchanged, 0.05);
        const { q, logP: spread } = heterogeneity([changed, unchanged]);
        // Q subtracts a mean: of what is as good as equal nothing but its rounding is left.
        expect(Math.abs(q - z * z)).toBeLessThanOrEqual(
          1e-9 * (1 + q + ((changed.effect / changed.se) ** 2 + (unchanged.effect / unchanged.se) ** 2)),
        );
        if (Math.abs(z) > 1) expect(Math.abs(spread - logP)).toBeLessThanOrEqual(1e-6 * Math.abs(logP));
      }),
    );
  });

  it('has the other sign when the two change places', () => {
    fc.assert(
      fc.property(effect, effect, (one, other) => {
        const [there, back] = [effectInteraction(one, other, 0.1), effectInteraction(other, one, 0.1)];
        // Sums and not signs: of two equal effects both differences are 0, and -0 is no other estimate.
        expect([there.estimate + back.estimate, there.ciUpper + back.ciLower, back.p - there.p]).toEqual([0, 0, 0]);
      }),
    );
  });

  it('needs an error of each effect, and a level', () => {
    expect(() => effectInteraction({ effect: 1, se: 0 }, { effect: 1, se: 1 }, 0.05)).toThrow(RangeError);
    expect(() => effectInteraction({ effect: 1, se: 1 }, { effect: Number.NaN, se: 1 }, 0.05)).toThrow(RangeError);
    expect(() => effectInteraction({ effect: 1, se: 1 }, { effect: 1, se: 1 }, 0)).toThrow(RangeError);
  });
});
