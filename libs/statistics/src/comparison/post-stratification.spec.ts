import { describe, expect, it } from '@jest/globals';
import type { CoMoments } from '../sums/co-moments.js';
import type { Moments } from '../sums/moments.js';
import { compareMeans } from './compare-means.js';
import type { EffectEstimate } from './compared-effect.js';
import { type PostStratified, postStratifiedCuped, postStratifiedMeans, postStratifiedRatios } from './post-stratification.js';
import type { Stratum } from './stratum-estimates.js';

const asked = { alpha: 0.05, difference: 'absolute' } as const;
const arm = (n: number, mean: number, variance: number): Moments => ({ n, mean, m2: variance * (n - 1) });
/** Strata are told apart by what is in them, so that a test need not name them. */
const cell = <T>(control: T, treatment: T): Stratum<T> => ({ name: JSON.stringify([control, treatment]), control, treatment });

const estimateOf = (effect: PostStratified): EffectEstimate & { postStratificationApplied: boolean; strataUsed: number } => {
  if (effect.kind === 'refused') throw new Error(effect.reason);
  return effect;
};

describe('post-stratification', () => {
  it('takes the strata’s imbalance out of the effect (Simpson)', () => {
    // Better in both strata, worse in total: the treatment got most of the poor stratum.
    const strata = [cell(arm(900, 10, 4), arm(100, 11, 4)), cell(arm(100, 1, 4), arm(900, 2, 4))];
    const effect = estimateOf(postStratifiedMeans(strata, asked));
    expect(effect.estimate).toBeCloseTo(1, 12);
    expect(effect.postStratificationApplied).toBe(true);
  });

  it('narrows the interval when strata predict the outcome', () => {
    const strata = [cell(arm(500, 10, 1), arm(500, 10.1, 1)), cell(arm(500, 0, 1), arm(500, 0.1, 1))];
    const pooled = arm(1000, 5, 26);
    const plain = compareMeans({ control: pooled, treatment: { ...pooled, mean: 5.1 }, ...asked }) as EffectEstimate;
    expect(estimateOf(postStratifiedMeans(strata, asked)).se).toBeLessThan(plain.se / 3);
  });

  it('merges a stratum without variance into the largest', () => {
    const strata = [cell(arm(500, 10, 1), arm(500, 10.1, 1)), cell(arm(300, 5, 1), arm(300, 5.1, 1)), cell(arm(3, 0, 0), arm(4, 1, 1))];
    expect(estimateOf(postStratifiedMeans(strata, asked)).strataUsed).toBe(2);
  });

  it('is the plain comparison, and says so, when one stratum is left', () => {
    const only = cell(arm(500, 10, 1), arm(500, 10.1, 1));
    const effect = estimateOf(postStratifiedMeans([only], asked));
    expect(effect.postStratificationApplied).toBe(false);
    expect(effect.estimate).toBe((compareMeans({ ...only, ...asked }) as EffectEstimate).estimate);
  });

  it('merges everything when the merged largest is still no sample of its own', () => {
    const effect = postStratifiedMeans([cell(arm(1, 1, 0), arm(500, 1, 1)), cell(arm(20, 2, 1), arm(20, 2, 1))], asked);
    expect(estimateOf(effect).strataUsed).toBe(1);
  });

  it('refuses a relative effect on a control mean of 0, and no strata', () => {
    const strata = [cell(arm(500, 1, 1), arm(500, 2, 1)), cell(arm(500, -1, 1), arm(500, 2, 1))];
    expect(postStratifiedMeans(strata, { alpha: 0.05, difference: 'relative' })).toMatchObject({
      kind: 'refused',
      reason: 'ZERO_BASELINE',
    });
    expect(() => postStratifiedMeans([], asked)).toThrow(RangeError);
  });

  it('of ratios over denominators that hardly vary is that of means', () => {
    const pair = (n: number, mean: number): CoMoments => ({ n, meanX: 1, meanY: mean, m2X: 0, m2Y: n - 1, cXY: 0 });
    const [ratios, means] = [
      postStratifiedRatios([cell(pair(500, 10), pair(400, 11)), cell(pair(500, 3), pair(700, 3))], asked),
      postStratifiedMeans([cell(arm(500, 10, 1), arm(400, 11, 1)), cell(arm(500, 3, 1), arm(700, 3, 1))], asked),
    ].map(estimateOf);
    expect(ratios?.estimate).toBeCloseTo(means?.estimate ?? Number.NaN, 12);
    expect(ratios?.se).toBeCloseTo(means?.se ?? Number.NaN, 12);
  });

  it('of ratios gives a lift with the sign of the difference on a negative base', () => {
    const pair = (n: number, mean: number): CoMoments => ({ n, meanX: 2, meanY: mean, m2X: n, m2Y: n, cXY: 0.2 * n });
    const strata = [cell(pair(500, -4), pair(500, -3)), cell(pair(500, -2), pair(500, -1))];
    const effect = estimateOf(postStratifiedRatios(strata, { alpha: 0.05, difference: 'relative' }));
    expect(effect.estimate).toBeCloseTo(1 / 3, 12);
  });

  it('with a covariate takes its chance imbalance out as well', () => {
    const pair = (n: number, meanX: number, meanY: number): CoMoments => ({ n, meanX, meanY, m2X: n, m2Y: 4.2 * n, cXY: 2 * n });
    const strata = [cell(pair(200, 0, 0), pair(200, 0.5, 1.3)), cell(pair(200, 1, 5), pair(200, 1, 5.3))];
    expect(estimateOf(postStratifiedCuped(strata, asked)).estimate).toBeCloseTo(0.3, 12);
  });
});

describe('a lift over a control mean near 0, by strata', () => {
  const lift = { alpha: 0.05, difference: 'relative' } as const;
  const means = (base: number, effect = 0.1) => [
    { name: 'a', control: arm(300, base + 1, 4), treatment: arm(320, base + 1 + effect, 4) },
    { name: 'b', control: arm(310, base - 1, 5), treatment: arm(290, base - 1 + effect, 5) },
  ];
  const pair = (n: number, meanY: number, change: Partial<CoMoments> = {}): CoMoments => ({
    ...{ n, meanX: 10, meanY, m2X: 2 * n, m2Y: 4 * n, cXY: n },
    ...change,
  });
  const pairs = (base: number) => [
    { name: 'a', control: pair(300, base + 1), treatment: pair(320, base + 1.1) },
    { name: 'b', control: pair(310, base - 1), treatment: pair(290, base - 0.9) },
  ];
  const each = [
    ['means', (change: object) => estimateOf(postStratifiedMeans(means(0.3), { ...lift, ...change }))],
    ['outcomes with a covariate', (change: object) => estimateOf(postStratifiedCuped(pairs(0.3), { ...lift, ...change }))],
    ['ratios', (change: object) => estimateOf(postStratifiedRatios(pairs(0.3), { ...lift, ...change }))],
  ] as const;

  it.each(each)('of %s has in its interval the lifts that the contrast does not reject', (_, judged) => {
    const { baselineNoisy, ciLower, ciUpper, estimate } = judged({});
    expect(baselineNoisy).toBe(true);
    for (const nullDifference of [ciLower, ciUpper]) expect(judged({ nullDifference }).p).toBeCloseTo(0.05, 9);
    expect(judged({ nullDifference: estimate }).p).toBeCloseTo(1, 9);
    const linear = judged({ relativeInterval: 'linear' });
    expect(linear).not.toHaveProperty('baselineNoisy');
    expect(linear.estimate).toBe(estimate);
    expect(Math.abs((linear.ciUpper ?? 0) - (ciUpper ?? 0))).toBeGreaterThan(0.01);
  });

  it('tests no lift as no difference: where it is 0 both are the same contrast', () => {
    const strata = means(0.3);
    const [relative, absolute] = [estimateOf(postStratifiedMeans(strata, lift)), estimateOf(postStratifiedMeans(strata, asked))];
    expect(relative.statistic).toBeCloseTo(absolute.statistic, 10);
  });

  it('has the same interval for the negated metric, the other way round', () => {
    const negated = means(0.3).map(({ name, control, treatment }) => ({
      name,
      control: { ...control, mean: -control.mean },
      treatment: { ...treatment, mean: -treatment.mean },
    }));
    const [one, other] = [estimateOf(postStratifiedMeans(means(0.3), lift)), estimateOf(postStratifiedMeans(negated, lift))];
    expect([other.ciLower, other.ciUpper]).toEqual([expect.closeTo(-(one.ciUpper ?? 0), 12), expect.closeTo(-(one.ciLower ?? 0), 12)]);
  });

  it('has no limits where the mean can not be told from 0, and is linear far from it', () => {
    expect(estimateOf(postStratifiedMeans(means(0.05), lift))).toMatchObject({ baselineNoisy: true, ciLower: null, ciUpper: null });
    expect(postStratifiedMeans(means(5), lift)).toEqual(postStratifiedMeans(means(5), { ...lift, relativeInterval: 'linear' }));
  });
});
