import { describe, expect, it } from '@jest/globals';
import { postStratifiedCuped, postStratifiedMeans, postStratifiedRatios } from '../comparison/post-stratification.js';
import type { Stratum } from '../comparison/stratum-estimates.js';
import type { CoMoments } from '../sums/co-moments.js';
import type { Moments } from '../sums/moments.js';
import { postStratifiedContrast } from './post-stratified-margin.js';

const asked = { alpha: 0.05, difference: 'absolute' } as const;
const arm = (n: number, mean: number, variance: number): Moments => ({ n, mean, m2: variance * (n - 1) });
const means: readonly Stratum<Moments>[] = [
  { name: 'a', control: arm(400, 10, 4), treatment: arm(600, 10.2, 5) },
  { name: 'b', control: arm(300, 4, 2), treatment: arm(200, 3.9, 3) },
];
const pair = (n: number, meanX: number, meanY: number): CoMoments => ({ n, meanX, meanY, m2X: 2 * n, m2Y: 5 * n, cXY: n });
const pairs: readonly Stratum<CoMoments>[] = [
  { name: 'a', control: pair(400, 3, 9), treatment: pair(600, 3.2, 9.4) },
  { name: 'b', control: pair(300, 5, 6), treatment: pair(200, 5, 5.9) },
];

/** With a loss of a share of control's mean allowed, control counts that much less: the contrast is the effect on it. */
const less = (share: number) => ({
  means: means.map(({ name, control, treatment }) => ({
    name,
    control: { ...control, mean: control.mean * (1 - share), m2: control.m2 * (1 - share) ** 2 },
    treatment,
  })),
  pairs: pairs.map(({ name, control, treatment }) => ({
    name,
    control: { ...control, meanY: control.meanY * (1 - share), m2Y: control.m2Y * (1 - share) ** 2, cXY: control.cXY * (1 - share) },
    treatment,
  })),
});

describe('a margin over strata', () => {
  const margin = { direction: 'increase', margin: { kind: 'relative', value: 0.1 } } as const;

  it('counts the error of control’s mean too', () => {
    const expected = [postStratifiedMeans(less(0.1).means, asked), postStratifiedRatios(less(0.1).pairs, asked)];
    const found = [
      postStratifiedContrast({ kind: 'means', strata: means }, margin),
      postStratifiedContrast({ kind: 'ratios', strata: pairs }, margin),
    ];
    for (const [index, contrast] of found.entries()) {
      const effect = expected[index];
      if (contrast.kind === 'refused' || effect?.kind !== 'estimate') throw new Error('refused');
      expect(contrast.estimate).toBeCloseTo(effect.estimate, 12);
      expect(contrast.se).toBeCloseTo(effect.se, 12);
      expect(contrast.df).toBe(effect.df);
    }
  });

  it('in the metric’s unit only moves the effect, against the direction that is good', () => {
    const effect = postStratifiedCuped(pairs, asked);
    const contrast = postStratifiedContrast(
      { kind: 'cuped', strata: pairs },
      { direction: 'decrease', margin: { kind: 'absolute', value: 2 } },
    );
    if (contrast.kind === 'refused' || effect.kind === 'refused') throw new Error('refused');
    expect(contrast.estimate).toBeCloseTo(2 - effect.estimate, 12);
    expect(contrast.se).toBeCloseTo(effect.se, 12);
  });

  it('is refused where fewer than two strata are left, or a denominator sums to 0', () => {
    expect(postStratifiedContrast({ kind: 'means', strata: means.slice(0, 1) }, margin)).toMatchObject({ reason: 'INSUFFICIENT_UNITS' });
    const empty = pairs.map(({ name, control, treatment }) => ({ name, control: { ...control, meanX: 0 }, treatment }));
    expect(postStratifiedContrast({ kind: 'ratios', strata: empty }, margin)).toMatchObject({ reason: 'ZERO_DENOMINATOR' });
  });
});
