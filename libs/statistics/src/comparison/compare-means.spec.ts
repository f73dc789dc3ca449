import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromFloatSums, type Moments, proportionMoments } from '../sums/moments.js';
import { compareMeans, type MeansComparison, pooledVariance } from './compare-means.js';
import type { EffectEstimate } from './compared-effect.js';

const arm = (n: number, mean: number, variance: number): Moments => ({ n, mean, m2: variance * (n - 1) });

const estimateOf = (comparison: MeansComparison): EffectEstimate => {
  const effect = compareMeans(comparison);
  if (effect.kind === 'refused') throw new Error(`refused: ${effect.reason}`);
  return effect;
};

const anyArm = fc
  .tuple(fc.integer({ min: 2, max: 1e4 }), fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: 0.01, max: 100, noNaN: true }))
  .map(([n, mean, variance]) => arm(n, mean, variance));

const absolute = { alpha: 0.05, difference: 'absolute' } as const;
const relative = { alpha: 0.05, difference: 'relative' } as const;

describe('comparing means', () => {
  it('gives the textbook Welch interval', () => {
    const effect = estimateOf({ control: arm(10, 20, 4), treatment: arm(20, 23, 16), ...absolute });
    expect(effect.estimate).toBe(3);
    expect(effect.se).toBeCloseTo(Math.sqrt(4 / 10 + 16 / 20), 14);
    expect(effect.df).toBeCloseTo(1.2 ** 2 / (0.4 ** 2 / 9 + 0.8 ** 2 / 19), 10);
  });

  it('flips the sign and keeps p when the arms are swapped', () => {
    fc.assert(
      fc.property(anyArm, anyArm, (a, b) => {
        const [there, back] = [
          estimateOf({ control: a, treatment: b, ...absolute }),
          estimateOf({ control: b, treatment: a, ...absolute }),
        ];
        expect(back.estimate + there.estimate).toBe(0);
        expect(back.p).toBe(there.p);
        expect((back.ciLower ?? Number.NaN) + (there.ciUpper ?? Number.NaN)).toBe(0);
      }),
    );
  });

  it('does not see a shift of both arms, and scales with the unit', () => {
    fc.assert(
      fc.property(anyArm, anyArm, fc.double({ min: 0.1, max: 10, noNaN: true }), (a, b, factor) => {
        const plain = estimateOf({ control: a, treatment: b, ...absolute });
        const scale = ({ n, mean, m2 }: Moments): Moments => ({ n, mean: mean * factor, m2: m2 * factor * factor });
        const scaled = estimateOf({ control: scale(a), treatment: scale(b), ...absolute });
        expect(scaled.statistic).toBeCloseTo(plain.statistic, 6);
        expect(Math.abs(scaled.estimate - plain.estimate * factor)).toBeLessThan(1e-9);
        const shift = ({ n, mean, m2 }: Moments): Moments => ({ n, mean: mean + 1000, m2 });
        expect(estimateOf({ control: shift(a), treatment: shift(b), ...absolute }).se).toBe(plain.se);
      }),
    );
  });

  it('contains its estimate, and rejects exactly when it excludes the null', () => {
    fc.assert(
      fc.property(anyArm, anyArm, fc.constantFrom('two-sided' as const, 'greater' as const, 'less' as const), (a, b, alternative) => {
        const { estimate, ciLower, ciUpper, p } = estimateOf({ control: a, treatment: b, ...absolute, alternative });
        expect(ciLower ?? Number.NEGATIVE_INFINITY).toBeLessThanOrEqual(estimate);
        expect(ciUpper ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(estimate);
        const isExcluded = (ciLower !== null && ciLower > 0) || (ciUpper !== null && ciUpper < 0);
        if (Math.abs(p - 0.05) > 1e-9) expect(p < 0.05).toBe(isExcluded);
      }),
    );
  });

  it('narrows with n', () => {
    fc.assert(
      fc.property(anyArm, anyArm, (a, b) => {
        const more = ({ n, mean, m2 }: Moments): Moments => arm(4 * n, mean, m2 / (n - 1));
        const width = ({ ciLower, ciUpper }: EffectEstimate): number => (ciUpper ?? 0) - (ciLower ?? 0);
        const [few, many] = [
          estimateOf({ control: a, treatment: b, ...absolute }),
          estimateOf({ control: more(a), treatment: more(b), ...absolute }),
        ];
        expect(width(many)).toBeLessThan(width(few));
      }),
    );
  });

  it('halves p for the alternative on the estimate’s side', () => {
    const both = { control: arm(50, 1, 1), treatment: arm(60, 1.3, 1), ...absolute };
    const { p } = estimateOf(both);
    expect(estimateOf({ ...both, alternative: 'greater' }).p).toBeCloseTo(p / 2, 14);
    expect(estimateOf({ ...both, alternative: 'less' }).p).toBeCloseTo(1 - p / 2, 14);
  });

  it('keeps log p finite where p is 0', () => {
    const effect = estimateOf({ control: arm(1e6, 0, 1), treatment: arm(1e6, 10, 1), ...absolute });
    expect(effect.p).toBe(0);
    expect(Number.isFinite(effect.logP)).toBe(true);
    expect(effect.logP).toBeLessThan(-1e6);
  });

  it('tests against a null difference', () => {
    const effect = estimateOf({ control: arm(50, 1, 1), treatment: arm(50, 1.3, 1), ...absolute, nullDifference: 0.3 });
    expect(effect.p).toBeCloseTo(1, 10);
  });
});

describe('a relative effect', () => {
  it('divides by the size of a negative control mean, so that up stays up', () => {
    const effect = estimateOf({ control: arm(1000, -10, 4), treatment: arm(1000, -5, 4), ...relative });
    expect(effect.estimate).toBe(0.5);
    expect(effect.baselineNoisy).toBeUndefined();
  });

  it('uses Fieller’s limits and says so when the control mean is within ten standard errors of 0', () => {
    const noisy = { control: proportionMoments(28, 14), treatment: proportionMoments(30, 16), ...relative };
    const effect = estimateOf(noisy);
    expect(effect.baselineNoisy).toBe(true);
    const linear = estimateOf({ ...noisy, relativeInterval: 'linear' });
    expect(linear.baselineNoisy).toBe(true);
    expect(effect.ciUpper ?? 0).toBeGreaterThan(linear.ciUpper ?? 0);
  });

  it('has limits whose contrast is exactly at the level', () => {
    const arms = { control: arm(40, 2, 9), treatment: arm(50, 2.4, 9), ...relative, relativeInterval: 'fieller' } as const;
    const { ciLower, ciUpper } = estimateOf(arms);
    for (const limit of [ciLower, ciUpper]) expect(estimateOf({ ...arms, nullDifference: limit ?? 0 }).p).toBeCloseTo(0.05, 10);
  });

  it('has mirrored limits when the metric is negated', () => {
    const flip = ({ n, mean, m2 }: Moments): Moments => ({ n, mean: -mean, m2 });
    const [a, b] = [arm(40, 2, 9), arm(50, 2.4, 9)];
    const [plain, flipped] = [
      estimateOf({ control: a, treatment: b, ...relative }),
      estimateOf({ control: flip(a), treatment: flip(b), ...relative }),
    ];
    expect(flipped.estimate).toBeCloseTo(-plain.estimate, 14);
    expect(flipped.ciLower).toBeCloseTo(-(plain.ciUpper ?? Number.NaN), 12);
    expect(flipped.p).toBeCloseTo(plain.p, 14);
  });

  it('is unbounded when the control mean cannot be told from 0', () => {
    const effect = estimateOf({ control: arm(30, 0.1, 1), treatment: arm(30, 1, 1), ...relative });
    expect([effect.ciLower, effect.ciUpper]).toEqual([null, null]);
  });

  it('approaches the linear interval as the control mean gets certain', () => {
    const arms = { control: arm(1e6, 100, 1), treatment: arm(1e6, 101, 1), ...relative };
    const [linear, fieller] = [estimateOf(arms), estimateOf({ ...arms, relativeInterval: 'fieller' })];
    expect(fieller.ciLower).toBeCloseTo(linear.ciLower ?? Number.NaN, 8);
  });

  it('never falls below −100 % on the logarithm', () => {
    const effect = estimateOf({ control: arm(10, 5, 20), treatment: arm(10, 0.5, 2), ...relative, relativeInterval: 'log-ratio' });
    expect(effect.ciLower ?? -2).toBeGreaterThan(-1);
    expect(effect.estimate).toBeCloseTo(-0.9, 12);
  });

  it('has no logarithm over means of different signs', () => {
    expect(compareMeans({ control: arm(10, 5, 20), treatment: arm(10, -1, 2), ...relative, relativeInterval: 'log-ratio' })).toMatchObject({
      kind: 'refused',
      reason: 'ZERO_BASELINE',
    });
  });
});

describe('what cannot be compared', () => {
  const fine = arm(100, 1, 1);
  const refusals: readonly (readonly [what: string, comparison: MeansComparison, reason: string, difference: number | undefined])[] = [
    ['one unit in an arm', { control: { n: 1, mean: 3, m2: 0 }, treatment: fine, ...absolute }, 'INSUFFICIENT_UNITS', -2],
    ['no unit in an arm', { control: { n: 0, mean: 0, m2: 0 }, treatment: fine, ...absolute }, 'INSUFFICIENT_UNITS', undefined],
    [
      'sums that contradict each other',
      { control: fromFloatSums({ n: 2, sum: 1396.87, sumSquares: 52377.9767 }), treatment: fine, ...relative },
      'ZERO_NEGATIVE_VARIANCE',
      1 - 1396.87 / 2,
    ],
    [
      'no variance in either arm, even with different means',
      { control: arm(50, 1, 0), treatment: arm(50, 2, 0), ...absolute },
      'ZERO_VARIANCE',
      1,
    ],
    [
      'no variance in one arm: no conversions yet',
      { control: proportionMoments(50, 0), treatment: proportionMoments(50, 3), ...absolute },
      'ZERO_VARIANCE',
      0.06,
    ],
    ['a control mean of 0 as a base', { control: arm(50, 0, 1), treatment: arm(50, 0.05, 1), ...relative }, 'ZERO_BASELINE', 0.05],
  ];

  it.each(refusals)('%s', (_what, comparison, reason, difference) => {
    const effect = compareMeans(comparison);
    expect(effect).toMatchObject({ kind: 'refused', reason });
    if (effect.kind === 'refused') expect(effect.difference).toEqual(difference);
  });

  it('still has an absolute difference on a control mean of 0', () => {
    expect(estimateOf({ control: arm(50, 0, 1), treatment: arm(50, 0.05, 1), ...absolute }).estimate).toBe(0.05);
  });

  it('throws on misuse: a level outside (0, 1), or moments that are no numbers', () => {
    for (const alpha of [0, 1, 1.5, Number.NaN])
      expect(() => compareMeans({ control: fine, treatment: fine, ...absolute, alpha })).toThrow(RangeError);
    expect(() => compareMeans({ control: { n: 10, mean: Number.NaN, m2: 1 }, treatment: fine, ...absolute })).toThrow(RangeError);
  });
});

describe('the pooled variance', () => {
  it('weights by degrees of freedom', () => {
    expect(pooledVariance(arm(11, 0, 2), arm(31, 0, 6))).toBeCloseTo((10 * 2 + 30 * 6) / 40, 14);
  });
});
