import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logGamma } from '../distributions.js';
import { binomialTest } from './exact-binomial.js';
import {
  independenceChiSquare,
  logDirichletMultinomialE,
  SRM_CONCENTRATIONS,
  srmChiSquare,
  srmChiSquareOverPeriods,
  srmSequential,
} from './srm.js';

const logBinomial = (x: number, n: number, share: number): number =>
  logGamma(n + 1) - logGamma(x + 1) - logGamma(n - x + 1) + x * Math.log(share) + (n - x) * Math.log1p(-share);

/** The textbook form, as a difference of gamma functions. */
const byGammaFunctions = (counts: readonly number[], shares: readonly number[], kappa: number): number => {
  const n = counts.reduce((sum, x) => sum + x, 0);
  return counts.reduce(
    (sum, x, i) => {
      const share = shares[i] ?? 0;
      return sum + logGamma(kappa * share + x) - logGamma(kappa * share) - x * Math.log(share);
    },
    logGamma(kappa) - logGamma(kappa + n),
  );
};

describe('χ² of the sample ratio', () => {
  it('leaves arms of weight 0 out of the sum and of the degrees of freedom', () => {
    const withEmpty = srmChiSquare([1000, 7, 1200], [1, 0, 1]);
    expect(withEmpty).toMatchObject({ kind: 'tested', df: 1, expected: [1100, 0, 1100] });
    expect(withEmpty).toMatchObject({ chi2: (srmChiSquare([1000, 1200], [1, 1]) as { chi2: number }).chi2 });
  });

  it('does not depend on how the weights are written, nor on the arms’ order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 2, maxLength: 5 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (counts, factor) => {
          fc.pre(counts.some((count) => count > 0));
          const weights = counts.map((_, i) => i + 1);
          const [plain, scaled, reversed] = [
            srmChiSquare(counts, weights),
            srmChiSquare(
              counts,
              weights.map((weight) => weight * factor),
            ),
            srmChiSquare(counts.toReversed(), weights.toReversed()),
          ];
          if (plain.kind === 'not-testable' || scaled.kind === 'not-testable' || reversed.kind === 'not-testable')
            throw new Error('not testable');
          expect(scaled.chi2).toBeCloseTo(plain.chi2, 4);
          expect(reversed.chi2).toBeCloseTo(plain.chi2, 4);
        },
      ),
    );
  });

  it('says why there is nothing to test', () => {
    expect(srmChiSquare([1000, 900], [1, 0])).toEqual({ kind: 'not-testable', reason: 'FEWER_THAN_TWO_ARMS' });
    expect(srmChiSquare([0, 0], [1, 1])).toEqual({ kind: 'not-testable', reason: 'NO_UNITS' });
    expect(srmChiSquare([], [])).toEqual({ kind: 'not-testable', reason: 'FEWER_THAN_TWO_ARMS' });
  });

  it('keeps a finite log p for a split no chance could make', () => {
    const test = srmChiSquare([6_000_000, 4_000_000], [1, 1]);
    if (test.kind === 'not-testable') throw new Error('not testable');
    expect(test.p).toBe(0);
    expect(test.logP).toBeLessThan(-100_000);
    expect(Number.isFinite(test.logP)).toBe(true);
  });

  it('adds up what each period of constant weights expected', () => {
    const ramp = [
      { observed: [950, 50], weights: [0.95, 0.05] },
      { observed: [500, 500], weights: [0.5, 0.5] },
    ];
    expect(srmChiSquareOverPeriods(ramp)).toMatchObject({ kind: 'tested', chi2: 0, p: 1 });
    expect(srmChiSquare([1450, 550], [0.5, 0.5])).toMatchObject({ kind: 'tested', df: 1 });
  });

  it('refuses counts and weights that are none', () => {
    expect(() => srmChiSquare([1, 2], [1])).toThrow('2 arms observed, but 1 weights');
    expect(() => srmChiSquare([1.5, 2], [1, 1])).toThrow(RangeError);
    expect(() => srmChiSquare([1, 2], [1, -1])).toThrow(RangeError);
  });
});

describe('the sequential test of the sample ratio', () => {
  it('has an expectation of 1 under the null: it is an e-value', () => {
    for (const share of [0.5, 0.1]) {
      for (const kappa of [2, 100]) {
        const n = 50;
        const mean = Array.from({ length: n + 1 }, (_, x) =>
          Math.exp(logBinomial(x, n, share) + logDirichletMultinomialE([x, n - x], [share, 1 - share], kappa)),
        );
        expect(mean.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
      }
    }
  });

  it('is the difference of gamma functions, without their cancellation', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 2, maxLength: 4 }),
        fc.constantFrom(2, 20, 100, 10_000),
        (counts, kappa) => {
          const shares = counts.map(() => 1 / counts.length);
          const [ours, textbook] = [logDirichletMultinomialE(counts, shares, kappa), byGammaFunctions(counts, shares, kappa)];
          expect(Math.abs(ours - textbook)).toBeLessThan(1e-7);
        },
      ),
    );
  });

  it('depends on totals only, and not on the arms’ order', () => {
    const [there, back] = [
      srmSequential([{ observed: [5200, 4800], weights: [1, 1] }]),
      srmSequential([{ observed: [4800, 5200], weights: [1, 1] }]),
    ];
    expect(back.logE).toBeCloseTo(there.logE, 10);
  });

  it('averages its prior sizes', () => {
    const period = { observed: [5200, 4800], weights: [1, 1] };
    const each = SRM_CONCENTRATIONS.map((kappa) => Math.exp(srmSequential([period], [kappa]).logE));
    expect(srmSequential([period]).logE).toBeCloseTo(Math.log(each.reduce((sum, e) => sum + e, 0) / 3), 10);
  });

  it('multiplies over periods, so a ramp is no mismatch', () => {
    const ramp = [
      { observed: [9500, 500], weights: [0.95, 0.05] },
      { observed: [5000, 5000], weights: [1, 1] },
    ];
    expect(srmSequential(ramp).logE).toBeLessThan(0);
    expect(srmSequential([{ observed: [14_500, 5500], weights: [1, 1] }]).logE).toBeGreaterThan(Math.log(1000));
    expect(srmSequential(ramp).logE).toBeCloseTo(
      ramp.reduce((sum, period) => sum + srmSequential([period]).logE, 0),
      10,
    );
  });

  it('does not count arms of weight 0', () => {
    expect(srmSequential([{ observed: [100, 3, 100], weights: [1, 0, 1] }]).logE).toBeCloseTo(
      srmSequential([{ observed: [100, 100], weights: [1, 1] }]).logE,
      12,
    );
    expect(() => logDirichletMultinomialE([1, 2], [1, 0], 10)).toThrow('arm 1 has share 0 but 2 units');
  });

  it('has no evidence without units', () => {
    expect(srmSequential([])).toMatchObject({ logE: 0, p: 1, logP: 0 });
    expect(srmSequential([{ observed: [0, 0], weights: [1, 1] }]).p).toBe(1);
    expect(() => srmSequential([], [])).toThrow(RangeError);
  });
});

describe('the exact binomial test', () => {
  it('adds up every count at most as likely as the observed one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0.05, max: 0.95, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, share, at) => {
          const count = Math.round(at * n);
          const limit = logBinomial(count, n, share) + 1e-7;
          const all = Array.from({ length: n + 1 }, (_, x) => logBinomial(x, n, share));
          const brute = all.filter((log) => log <= limit).reduce((sum, log) => sum + Math.exp(log), 0);
          expect(binomialTest(count, n, share).p).toBeCloseTo(Math.min(1, brute), 6);
        },
      ),
    );
  });

  it('is certain of nothing without draws, and refuses what cannot be', () => {
    expect(binomialTest(0, 0, 0.5).p).toBe(1);
    expect(() => binomialTest(3, 2, 0.5)).toThrow('3 of 2');
    expect(() => binomialTest(1, 2, 1)).toThrow(RangeError);
  });
});

describe('χ² of independence', () => {
  it('is that of a table by its margins', () => {
    // 100·(10·40 − 20·30)² / (30·70·40·60); p = erfc(√(χ²/2)).
    const found = independenceChiSquare([
      [10, 20],
      [30, 40],
    ]);
    expect(found).toMatchObject({ kind: 'tested', df: 1, expected: [12, 18, 28, 42] });
    expect(found).toMatchObject({ chi2: expect.closeTo(0.7936507936507936, 14), p: expect.closeTo(0.37299848361348714, 13) });
  });

  it('is 0 where each row is spread alike, however large', () => {
    const found = independenceChiSquare([
      [100, 300],
      [7, 21],
      [2000, 6000],
    ]);
    expect(found).toMatchObject({ chi2: expect.closeTo(0, 9), df: 2 });
  });

  it('leaves out rows and columns without units', () => {
    const full = independenceChiSquare([
      [10, 20],
      [30, 40],
    ]);
    const { chi2, df } = independenceChiSquare([
      [10, 0, 20],
      [0, 0, 0],
      [30, 0, 40],
    ]) as { chi2: number; df: number };
    expect({ chi2, df }).toEqual({ chi2: (full as { chi2: number }).chi2, df: 1 });
  });

  it('says why there is nothing to test', () => {
    expect(independenceChiSquare([[0, 0]])).toEqual({ kind: 'not-testable', reason: 'NO_UNITS' });
    expect(independenceChiSquare([[5, 7]])).toEqual({ kind: 'not-testable', reason: 'FEWER_THAN_TWO_ARMS' });
    expect(() => independenceChiSquare([[1, 2], [3]])).toThrow('a table of 2 columns has a row of 1');
    expect(() => independenceChiSquare([[1.5, 2]])).toThrow(RangeError);
  });
});
