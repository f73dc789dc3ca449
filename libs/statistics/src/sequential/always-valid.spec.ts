import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { normal } from '../distributions.js';
import { integrate } from '../kernel/quadrature.js';
import {
  asymptoticConfidenceSequence,
  burnIn,
  type ConfidenceSequenceInput,
  sequenceIntervals,
  sequenceMultiplier,
} from './asymptotic-confidence-sequence.js';
import { averageLogE, fromLogE, logEOfP, runningMinimumP } from './e-values.js';
import { mixtureSprt, mixtureSprtCriticalZ } from './msprt.js';
import { logNormalMixture, normalMixture, normalMixtureBound } from './normal-mixture.js';

const looks = fc.record({
  estimate: fc.double({ min: -3, max: 3, noNaN: true }),
  se: fc.double({ min: 0.01, max: 1, noNaN: true }),
  n: fc.integer({ min: 2, max: 1e7 }),
  tightestAtUnits: fc.integer({ min: 100, max: 1e6 }),
});

describe('the normal mixture', () => {
  it.each(['one-sided', 'two-sided'] as const)('%s has an expectation of 1 under the null: it is an e-value', (sides) => {
    for (const [v, rho] of [
      [1, 1],
      [100, 12],
      [5, 300],
    ] as const) {
      const weighted = (s: number): number =>
        Math.exp(logNormalMixture({ rho, sides }, s, v) + normal.logPdf(s / Math.sqrt(v)) - 0.5 * Math.log(v));
      const reach = 14 * Math.sqrt(v + rho) * Math.sqrt(v / rho + 1);
      expect(integrate(weighted, -reach, reach, 200)).toBeCloseTo(1, 8);
    }
  });

  it('is at 1/alpha exactly on the two-sided bound, and at or above it on the one-sided one', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e5, noNaN: true }),
        fc.double({ min: 1, max: 1e5, noNaN: true }),
        fc.double({ min: 1e-4, max: 0.4, noNaN: true }),
        (v, rho, alpha) => {
          expect(logNormalMixture({ rho, sides: 'two-sided' }, normalMixtureBound({ rho, sides: 'two-sided' }, v, alpha), v)).toBeCloseTo(
            -Math.log(alpha),
            8,
          );
          expect(
            logNormalMixture({ rho, sides: 'one-sided' }, normalMixtureBound({ rho, sides: 'one-sided' }, v, alpha), v),
          ).toBeGreaterThanOrEqual(-Math.log(alpha) - 1e-9);
        },
      ),
    );
  });

  it('is tightest where it was tuned to be', () => {
    const at = (tuned: number): number =>
      normalMixtureBound(normalMixture({ vOpt: tuned, alphaOpt: 0.05, sides: 'two-sided' }), 1000, 0.05);
    expect(at(1000)).toBeLessThan(at(500));
    expect(at(1000)).toBeLessThan(at(2000));
  });

  it('refuses levels a one-sided boundary cannot have', () => {
    expect(() => normalMixture({ vOpt: 100, alphaOpt: 0.5, sides: 'one-sided' })).toThrow('alpha must be in (0, 0.5)');
    expect(() => normalMixture({ vOpt: 100, alphaOpt: 1, sides: 'two-sided' })).toThrow(RangeError);
    expect(() => normalMixture({ vOpt: 0, alphaOpt: 0.05, sides: 'two-sided' })).toThrow(RangeError);
  });
});

describe('the asymptotic confidence sequence', () => {
  it('rejects by its interval exactly when it rejects by its p', () => {
    fc.assert(
      fc.property(looks, (look) => {
        const { ciLower, ciUpper, p } = asymptoticConfidenceSequence({ ...look, alpha: 0.05 });
        if (Math.abs(p - 0.05) > 1e-9) expect((ciLower ?? 0) > 0 || (ciUpper ?? 0) < 0).toBe(p < 0.05);
      }),
    );
  });

  it('rejects by its p whenever its one-sided interval does', () => {
    fc.assert(
      fc.property(looks, fc.constantFrom('greater' as const, 'less' as const), (look, alternative) => {
        const { ciLower, ciUpper, p } = asymptoticConfidenceSequence({ ...look, alpha: 0.05, alternative });
        if ((ciLower ?? -1) > 0 || (ciUpper ?? 1) < 0) expect(p).toBeLessThanOrEqual(0.05 * (1 + 1e-9));
      }),
    );
  });

  it('flips with its estimate', () => {
    fc.assert(
      fc.property(looks, (look) => {
        const [up, down] = [
          asymptoticConfidenceSequence({ ...look, alpha: 0.05, alternative: 'greater' }),
          asymptoticConfidenceSequence({ ...look, estimate: -look.estimate, alpha: 0.05, alternative: 'less' }),
        ];
        expect(down.logE).toBe(up.logE);
        expect((down.ciUpper ?? Number.NaN) + (up.ciLower ?? Number.NaN)).toBe(0);
      }),
    );
  });

  it('has the multipliers of the published table', () => {
    for (const [n, tuned, multiplier] of [
      [500, 1000, 3.084],
      [5000, 10_000, 3.084],
      [10_000, 10_000, 3.035],
      [1e6, 1e5, 3.242],
    ] as const) {
      expect(sequenceMultiplier(n, { alpha: 0.05, tightestAtUnits: tuned })).toBeCloseTo(multiplier, 3);
    }
    expect(sequenceMultiplier(1000, { alpha: 0.001, tightestAtUnits: 1000 })).toBeCloseTo(4.206, 3);
  });

  it('is wider than the interval for one look, always', () => {
    fc.assert(
      fc.property(looks, ({ n, tightestAtUnits }) =>
        expect(sequenceMultiplier(n, { alpha: 0.05, tightestAtUnits: tightestAtUnits })).toBeGreaterThan(2.2),
      ),
    );
  });

  it('keeps its p and its log p where E overflows', () => {
    const far = asymptoticConfidenceSequence({ estimate: 100, se: 0.1, n: 1e6, alpha: 0.05 });
    expect(far.p).toBe(0);
    expect(Number.isFinite(far.logP)).toBe(true);
    expect(far.logE).toBeGreaterThan(1e5);
  });

  it('refuses a standard error of 0 and figures that are no numbers', () => {
    const look: ConfidenceSequenceInput = { estimate: 1, se: 0.1, n: 100, alpha: 0.05 };
    for (const wrong of [{ se: 0 }, { se: Number.NaN }, { n: 0 }, { alpha: 0 }, { estimate: Number.NaN }, { tightestAtUnits: 0 }]) {
      expect(() => asymptoticConfidenceSequence({ ...look, ...wrong })).toThrow(RangeError);
    }
  });

  it('is not due before 100 units per arm, and 25 of each outcome', () => {
    expect(burnIn([{ n: 100 }, { n: 99 }])).toEqual({ kind: 'not-enough-data', needed: 100, have: 99 });
    expect(
      burnIn([
        { n: 1000, successes: 24 },
        { n: 1000, successes: 100 },
      ]),
    ).toEqual({ kind: 'not-enough-data', needed: 25, have: 24 });
    expect(burnIn([{ n: 1000, successes: 980 }])).toEqual({ kind: 'not-enough-data', needed: 25, have: 20 });
    expect(burnIn([{ n: 100, successes: 30 }, { n: 100 }])).toEqual({ kind: 'over' });
  });
});

describe('the mixture ratio test', () => {
  it('is the confidence sequence’s boundary with nρ² = τ²/V', () => {
    const [n, variance, rho] = [5000, 0.001, normalMixture({ vOpt: 10_000, alphaOpt: 0.05, sides: 'two-sided' }).rho];
    const tau2 = (variance * n) / rho;
    expect(mixtureSprtCriticalZ(variance, tau2, 0.05)).toBeCloseTo(sequenceMultiplier(n, { alpha: 0.05, tightestAtUnits: 10_000 }), 10);
  });

  it('rejects exactly beyond its critical z', () => {
    const z = mixtureSprtCriticalZ(0.01, 0.04, 0.05);
    const at = (factor: number): number => mixtureSprt({ estimate: factor * z * 0.1, varianceOfEstimate: 0.01, tau2: 0.04 }).p;
    expect(at(1)).toBeCloseTo(0.05, 12);
    expect(at(1.01)).toBeLessThan(0.05);
    expect(at(0.99)).toBeGreaterThan(0.05);
  });

  it('refuses variances that are not above 0', () => {
    expect(() => mixtureSprt({ estimate: 0, varianceOfEstimate: 0, tau2: 1 })).toThrow(RangeError);
    expect(() => mixtureSprt({ estimate: 0, varianceOfEstimate: 1, tau2: -1 })).toThrow(RangeError);
  });
});

describe('e-values', () => {
  it('become a p that is at most 1, with a logarithm of 0 and not −0', () => {
    expect(fromLogE(0)).toEqual({ logE: 0, p: 1, logP: 0 });
    expect(fromLogE(-3)).toEqual({ logE: -3, p: 1, logP: 0 });
    expect(fromLogE(Math.log(20)).p).toBeCloseTo(0.05, 14);
  });

  it('average to an e-value, also where they overflow', () => {
    expect(averageLogE([Math.log(1), Math.log(3)])).toBeCloseTo(Math.log(2), 14);
    expect(averageLogE([5000, -5000])).toBeCloseTo(5000 - Math.LN2, 10);
    expect(() => averageLogE([])).toThrow(RangeError);
  });

  it('made of a p-value have an expectation of 1 when p is uniform', () => {
    expect(integrate((p) => Math.exp(logEOfP(p * p)) * 2 * p, 1e-12, 1, 10)).toBeCloseTo(1, 8);
    expect(() => logEOfP(0)).toThrow(RangeError);
    expect(() => logEOfP(0.5, 1)).toThrow(RangeError);
  });

  it('keep the smallest p so far', () => {
    expect(runningMinimumP([1, 0.2, 0.5, 0.1])).toEqual([1, 0.2, 0.2, 0.1]);
  });
});

describe('many intervals of one boundary', () => {
  const arrays = (list: readonly { estimate: number; se: number; n: number }[]) => ({
    estimate: Float64Array.from(list, ({ estimate }) => estimate),
    se: Float64Array.from(list, ({ se }) => se),
    n: Float64Array.from(list, ({ n }) => n),
  });
  const boundsOf = (list: readonly { estimate: number; se: number; n: number }[], tuning: Parameters<typeof sequenceIntervals>[1]) => {
    const into = { lower: new Float64Array(list.length), upper: new Float64Array(list.length) };
    sequenceIntervals(arrays(list), tuning, into);
    return into;
  };

  it.each(['two-sided', 'greater', 'less'] as const)('are those of each look alone, %s', (alternative) => {
    fc.assert(
      fc.property(fc.array(looks, { minLength: 1, maxLength: 20 }), fc.double({ min: 1e-6, max: 0.4, noNaN: true }), (list, alpha) => {
        const tuning = { alpha, alternative, tightestAtUnits: list[0]?.tightestAtUnits ?? 1 };
        const { lower, upper } = boundsOf(list, tuning);
        for (const [at, look] of list.entries()) {
          const alone = asymptoticConfidenceSequence({ ...look, ...tuning });
          const near = (actual: number, expected: number) => Math.abs(actual - expected) <= 1e-12 * (1 + Math.abs(expected));
          expect(alone.ciLower === null ? lower[at] === Number.NEGATIVE_INFINITY : near(lower[at] ?? 0, alone.ciLower)).toBe(true);
          expect(alone.ciUpper === null ? upper[at] === Number.POSITIVE_INFINITY : near(upper[at] ?? 0, alone.ciUpper)).toBe(true);
        }
      }),
    );
  });

  it('refuse what is no look, with its place', () => {
    const good = { estimate: 1, se: 1, n: 100 };
    const tuning = { alpha: 0.05 };
    expect(() => boundsOf([good, { ...good, se: 0 }], tuning)).toThrow('se[1] must be above 0 and finite, got 0');
    expect(() => boundsOf([{ ...good, n: Number.NaN }], tuning)).toThrow('n[0] must be above 0 and finite, got NaN');
    expect(() => boundsOf([{ ...good, estimate: Number.POSITIVE_INFINITY }], tuning)).toThrow('estimate[0] must be finite, got Infinity');
    const two = { lower: new Float64Array(2), upper: new Float64Array(2) };
    expect(() => sequenceIntervals(arrays([good]), tuning, two)).toThrow('the length of estimate, 1, got 2');
  });
});
