import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { beta } from '../distributions.js';
import {
  bernoulliConfidenceSequence,
  betaBinomialMixture,
  logBetaBinomialE,
  logBetaBinomialMixture,
  polyStitchingBound,
} from './bernoulli.js';
import { firstErrorHarm } from './first-error.js';
import { quantileAbTest } from './quantile-ab.js';

const binomial = (x: number, n: number, theta: number): number =>
  Math.exp(-beta.logNormaliser(x + 1, n - x + 1) - Math.log(n + 1) + x * Math.log(theta) + (n - x) * Math.log1p(-theta));

const expectation = (n: number, theta: number, logE: (x: number) => number): number =>
  Array.from({ length: n + 1 }, (_, x) => binomial(x, n, theta) * Math.exp(logE(x))).reduce((sum, value) => sum + value, 0);

describe('beta-binomial e-values', () => {
  it('have an expectation of 1 under the null', () => {
    for (const theta of [0.02, 0.3, 0.5])
      expect(expectation(30, theta, (x) => logBetaBinomialE(x, 30, theta, { a: 2, b: 3 }))).toBeCloseTo(1, 10);
  });

  it('as mixtures have an expectation of 1 under Bernoulli draws', () => {
    const theta = 0.2;
    const mixture = betaBinomialMixture({ g: theta, h: 1 - theta, vOpt: 10, alphaOpt: 0.05, sides: 'two-sided' });
    const n = 40;
    expect(expectation(n, theta, (x) => logBetaBinomialMixture(mixture, x - theta * n, theta * (1 - theta) * n))).toBeCloseTo(1, 10);
  });

  it('refuse more successes than trials', () => {
    expect(() => logBetaBinomialE(3, 2, 0.5, { a: 1, b: 1 })).toThrow('3 successes in 2 trials');
  });
});

describe('the confidence sequence of a proportion', () => {
  it('contains the observed share, narrows with trials and mirrors failures', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, share) => {
        const successes = Math.round(share * trials);
        const asked = { alpha: 0.05, tightestAtTrials: 100 };
        const { lower, upper } = bernoulliConfidenceSequence({ successes, trials, ...asked });
        expect(lower).toBeLessThanOrEqual(successes / trials);
        expect(upper).toBeGreaterThanOrEqual(successes / trials);
        const more = bernoulliConfidenceSequence({ successes: 10 * successes, trials: 10 * trials, ...asked });
        expect(more.upper - more.lower).toBeLessThanOrEqual(upper - lower + 1e-9);
        const mirrored = bernoulliConfidenceSequence({ successes: trials - successes, trials, ...asked });
        expect(mirrored.lower).toBeCloseTo(1 - upper, 8);
      }),
      { numRuns: 40 },
    );
  });

  it('knows nothing without trials', () => {
    expect(bernoulliConfidenceSequence({ successes: 0, trials: 0, alpha: 0.05, tightestAtTrials: 10 })).toEqual({ lower: 0, upper: 1 });
  });
});

describe('the stitching bound', () => {
  it('grows with time and with certainty, and stays flat before its start', () => {
    const bound = (v: number, alpha: number): number => polyStitchingBound({ v, alpha, vMin: 10 });
    expect(bound(1000, 0.05)).toBeGreaterThan(bound(100, 0.05));
    expect(bound(100, 0.01)).toBeGreaterThan(bound(100, 0.05));
    expect(bound(1, 0.05)).toBe(bound(10, 0.05));
    expect(() => polyStitchingBound({ v: 1, alpha: 0.05, vMin: 0 })).toThrow(RangeError);
  });
});

describe('first errors', () => {
  const even = (control: number, treatment: number) => ({ periods: [{ observed: [control, treatment], weights: [1, 1] }], alpha: 0.0045 });

  it('call 14 crashes against 0 harm at α = .0045, and 13 not yet', () => {
    expect(firstErrorHarm(even(0, 14)).isHarm).toBe(true);
    expect(firstErrorHarm(even(0, 13)).isHarm).toBe(false);
  });

  it('are no harm on the good side, however clear', () => {
    expect(firstErrorHarm(even(200, 0))).toMatchObject({ isHarm: false, treatmentShare: 0 });
    expect(firstErrorHarm({ ...even(200, 0), worse: 'fewer' }).isHarm).toBe(true);
  });

  it('follow the allocation: 10 % of the units may have 10 % of the errors', () => {
    expect(firstErrorHarm({ periods: [{ observed: [900, 100], weights: [0.9, 0.1] }], alpha: 0.01 }).isHarm).toBe(false);
    expect(firstErrorHarm({ periods: [{ observed: [900, 300], weights: [0.9, 0.1] }], alpha: 0.01 }).isHarm).toBe(true);
  });

  it('say nothing before the first, and nothing of a time when one arm was closed', () => {
    expect(firstErrorHarm({ periods: [], alpha: 0.01 })).toMatchObject({ logE: 0, p: 1, treatmentShare: null, isHarm: false });
    expect(firstErrorHarm({ periods: [{ observed: [50, 0], weights: [1, 0] }], alpha: 0.01 })).toMatchObject({
      logE: 0,
      treatmentShare: null,
    });
  });

  it('compare two arms, not three', () => {
    expect(() => firstErrorHarm({ periods: [{ observed: [1, 2, 3], weights: [1, 1, 1] }], alpha: 0.01 })).toThrow(RangeError);
  });
});

describe('the quantile test', () => {
  const range = (from: number, to: number): readonly number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const asked = { quantile: 0.5, tightestAtUnits: 100, alphaOpt: 0.05 };

  it('does not reject equal arms and rejects distant ones', () => {
    expect(quantileAbTest({ control: range(1, 300), treatment: range(1, 300), ...asked }).p).toBe(1);
    expect(quantileAbTest({ control: range(1, 300), treatment: range(301, 600), ...asked }).p).toBeLessThan(1e-10);
  });

  it('does not care which arm is which, nor about any increasing change of scale', () => {
    const [a, b] = [range(1, 200), range(61, 260)];
    const there = quantileAbTest({ control: a, treatment: b, ...asked });
    expect(quantileAbTest({ control: b, treatment: a, ...asked }).logE).toBeCloseTo(there.logE, 8);
    const stretch = (values: readonly number[]): readonly number[] => values.map((x) => Math.exp(x / 50));
    expect(quantileAbTest({ control: stretch(a), treatment: stretch(b), ...asked }).logE).toBeCloseTo(there.logE, 8);
  });

  it('needs a value in each arm', () => {
    expect(() => quantileAbTest({ control: [], treatment: [1], ...asked })).toThrow(RangeError);
  });
});
