import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addPair, type CoMoments, emptyCoMoments, momentsOfY } from '../sums/co-moments.js';
import { type CrossMoments, mergeCrossMoments } from '../sums/cross-moments.js';
import { compareMeans } from './compare-means.js';
import type { EffectEstimate } from './compared-effect.js';
import { compareCuped, cupedAdjusted, cupedTheta } from './cuped.js';
import { compareCupedRatios, cupedRatioTheta, linearisedRatios } from './cuped-ratio.js';

const pairs = fc.array(fc.tuple(fc.double({ min: 1, max: 100, noNaN: true }), fc.double({ min: -5, max: 5, noNaN: true })), {
  minLength: 5,
  maxLength: 30,
});

/** An outcome that follows its covariate, with noise. */
const armOf = (units: readonly (readonly [x: number, noise: number])[], lift = 0): CoMoments =>
  units.reduce((at, [x, noise]) => addPair(at, x, 2 * x + noise + lift), emptyCoMoments);

const asked = { alpha: 0.05, difference: 'absolute' } as const;

describe('CUPED', () => {
  it('never widens the pooled variance: θ is its minimiser', () => {
    fc.assert(
      fc.property(pairs, pairs, fc.double({ min: -3, max: 3, noNaN: true }), (a, b, off) => {
        const arms = [armOf(a), armOf(b)];
        const theta = cupedTheta(arms, 'within');
        const total = (slope: number): number => arms.reduce((sum, arm) => sum + cupedAdjusted(arm, slope, 0).m2, 0);
        expect(total(theta)).toBeLessThanOrEqual(total(theta + off) * (1 + 1e-12) + 1e-9);
      }),
    );
  });

  it('takes most of the variance when the covariate explains most', () => {
    const units = Array.from({ length: 200 }, (_, i) => [i % 40, (i * 7) % 5] as const);
    const effect = compareCuped({ control: armOf(units), treatment: armOf(units, 0.5), ...asked });
    if (effect.kind === 'refused') throw new Error(effect.reason);
    expect(effect.estimate).toBeCloseTo(0.5, 10);
    expect(effect.varianceReduction).toBeGreaterThan(0.9);
    const plain = compareMeans({ control: momentsOfY(armOf(units)), treatment: momentsOfY(armOf(units, 0.5)), ...asked });
    expect(effect.p).toBeLessThan((plain as EffectEstimate).p);
  });

  it('takes its slope from all arms, not from the compared two', () => {
    const steep = Array.from({ length: 20 }, (_, i) => [i, 0] as const);
    const flat: CoMoments = steep.reduce((at, [x], i) => addPair(at, x, i % 2), emptyCoMoments);
    const [two, three] = [cupedTheta([armOf(steep), armOf(steep)]), cupedTheta([armOf(steep), armOf(steep), flat])];
    expect(two).toBeCloseTo(2, 10);
    expect(three).toBeLessThan(1.5);
    const effect = compareCuped({
      control: armOf(steep),
      treatment: armOf(steep, 1),
      arms: [armOf(steep), armOf(steep, 1), flat],
      ...asked,
    });
    expect(effect).toMatchObject({ kind: 'estimate', theta: cupedTheta([armOf(steep), armOf(steep, 1), flat]) });
  });

  it('is the plain comparison when the covariate does not vary', () => {
    const arm = (lift: number): CoMoments => [1, 2, 4, 9].reduce((at, y) => addPair(at, 3, y + lift), emptyCoMoments);
    const effect = compareCuped({ control: arm(0), treatment: arm(1), ...asked });
    const plain = compareMeans({ control: momentsOfY(arm(0)), treatment: momentsOfY(arm(1)), ...asked });
    expect(effect).toMatchObject({ theta: 0, estimate: (plain as EffectEstimate).estimate, se: (plain as EffectEstimate).se });
  });

  it('keeps the outcome’s scale in the adjusted means', () => {
    fc.assert(
      fc.property(pairs, (units) => {
        const arm = armOf(units);
        expect(cupedAdjusted(arm, 1.7, arm.meanX).mean).toBeCloseTo(arm.meanY, 9);
      }),
    );
  });

  it('divides by the unadjusted control mean', () => {
    const units = Array.from({ length: 50 }, (_, i) => [10 + (i % 7), (i * 3) % 4] as const);
    const [control, treatment] = [armOf(units), armOf(units, 2)];
    const [absolute, relative] = [
      compareCuped({ control, treatment, ...asked }),
      compareCuped({ control, treatment, alpha: 0.05, difference: 'relative' }),
    ];
    if (absolute.kind === 'refused' || relative.kind === 'refused') throw new Error('refused');
    expect(relative.estimate).toBeCloseTo(absolute.estimate / control.meanY, 12);
  });

  it('refuses what cannot be compared, and no arms at all', () => {
    expect(
      compareCuped({
        control: emptyCoMoments,
        treatment: armOf([
          [1, 1],
          [2, 2],
        ]),
        ...asked,
      }),
    ).toMatchObject({ reason: 'INSUFFICIENT_UNITS' });
    const zero: CoMoments = { n: 10, meanX: 1, meanY: 0, m2X: 5, m2Y: 5, cXY: 1 };
    expect(compareCuped({ control: zero, treatment: { ...zero, meanY: 1 }, alpha: 0.05, difference: 'relative' })).toMatchObject({
      reason: 'ZERO_BASELINE',
    });
    expect(() => cupedTheta([])).toThrow(RangeError);
  });
});

describe('a lift over a control mean near 0', () => {
  const lift = { alpha: 0.05, difference: 'relative' } as const;
  const arm = (meanY: number, change: Partial<CoMoments> = {}): CoMoments => ({
    n: 400,
    ...{ meanX: 10, meanY, m2X: 400, m2Y: 400, cXY: 240 },
    ...change,
  });
  const found = (effect: ReturnType<typeof compareCuped> | ReturnType<typeof compareCupedRatios>) => {
    if (effect.kind === 'refused') throw new Error(effect.reason);
    return effect;
  };

  it('is Fieller’s, as without a covariate where the covariate says nothing', () => {
    for (const base of [0.2, -0.2, 0.04]) {
      const arms = { control: arm(base), treatment: arm(base + 0.1), ...lift };
      const plain = compareMeans({ ...arms, control: momentsOfY(arms.control), treatment: momentsOfY(arms.treatment) }) as EffectEstimate;
      const { baselineNoisy, p, statistic, ciLower, ciUpper } = found(compareCuped({ ...arms, theta: 0 }));
      expect(baselineNoisy).toBe(true);
      expect([p, statistic]).toEqual([expect.closeTo(plain.p, 12), expect.closeTo(plain.statistic, 12)]);
      if (plain.ciLower === null || plain.ciUpper === null) expect([ciLower, ciUpper]).toEqual([null, null]);
      else expect([ciLower, ciUpper]).toEqual([expect.closeTo(plain.ciLower, 10), expect.closeTo(plain.ciUpper, 10)]);
    }
  });

  it('has in its interval the lifts that the contrast does not reject, with what difference and mean have in common', () => {
    const arms = { control: arm(0.2), treatment: arm(0.3), ...lift };
    const { ciLower, ciUpper, theta } = found(compareCuped(arms));
    expect(theta).toBeCloseTo(0.6, 12);
    for (const nullDifference of [ciLower, ciUpper]) {
      expect(found(compareCuped({ ...arms, nullDifference: nullDifference ?? 0 })).p).toBeCloseTo(0.05, 9);
    }
    // The contrast d̃ − r·m as one value per unit of control, −(1 + r)·y + θx, and of the treatment, y − θx.
    const r = 0.7;
    const onControl = (1 + r) ** 2 * 400 + theta ** 2 * 400 - 2 * (1 + r) * theta * 240;
    const onTreatment = 400 + theta ** 2 * 400 - 2 * theta * 240;
    const expected = (0.1 - r * 0.2) / Math.sqrt((onControl + onTreatment) / 399 / 400);
    expect(found(compareCuped({ ...arms, nullDifference: r })).statistic).toBeCloseTo(expected, 12);
  });

  it('far from 0 is linear, as it is everywhere when that is asked for', () => {
    const arms = { control: arm(5), treatment: arm(5.1), ...lift };
    expect(found(compareCuped(arms))).toEqual(found(compareCuped({ ...arms, relativeInterval: 'linear' })));
    expect(found(compareCuped({ control: arm(0.2), treatment: arm(0.3), ...lift, relativeInterval: 'linear' }))).not.toHaveProperty(
      'baselineNoisy',
    );
  });

  it('of a ratio is that of its linearised pairs', () => {
    const unit = ([m, d, mPre, dPre]: readonly number[]): CrossMoments => ({
      n: 300,
      means: [m ?? 0, d ?? 0, mPre ?? 0, dPre ?? 0],
      scatter: [
        [4, 1, 2, 0.5],
        [1, 3, 0.6, 1],
        [2, 0.6, 4, 1],
        [0.5, 1, 1, 3],
      ].map((row) => row.map((value) => value * 300)),
    });
    const [control, treatment] = [unit([0.5, 10, 0.4, 9]), unit([0.8, 10, 0.4, 9])];
    const theta = cupedRatioTheta([control, treatment]);
    const [a, b] = [linearisedRatios(control), linearisedRatios(treatment)];
    if (a.kind === 'refused' || b.kind === 'refused') throw new Error('refused');
    const ratio = found(compareCupedRatios({ control, treatment, theta, ...lift }));
    const pairsOf = found(compareCuped({ control: a.pairs, treatment: b.pairs, theta, ...lift }));
    expect(ratio.baselineNoisy).toBe(true);
    expect([ratio.ciLower, ratio.ciUpper]).toEqual([expect.closeTo(pairsOf.ciLower ?? 0, 9), expect.closeTo(pairsOf.ciUpper ?? 0, 9)]);
  });
});

describe('CUPED of a ratio', () => {
  const arm = (n: number, means: readonly number[]): CrossMoments => ({
    n,
    means,
    scatter: [
      [4, 1, 2, 0.5],
      [1, 3, 0.6, 1],
      [2, 0.6, 4, 1],
      [0.5, 1, 1, 3],
    ].map((row) => row.map((value) => value * n)),
  });
  const [control, treatment] = [arm(100, [5, 10, 4, 9]), arm(300, [6, 10, 4, 9])];

  it('lowers the error when the ratio before tells of the ratio after', () => {
    const [adjusted, plain] = [
      compareCupedRatios({ control, treatment, ...asked }),
      compareCupedRatios({ control, treatment, theta: 0, ...asked }),
    ];
    if (adjusted.kind === 'refused' || plain.kind === 'refused') throw new Error('refused');
    expect(adjusted.theta).toBeGreaterThan(0);
    expect(adjusted.se).toBeLessThan(plain.se);
    expect(plain.estimate).toBeCloseTo(0.1, 12);
  });

  it('negates the lift and keeps the error when the metric is negated', () => {
    const negate = ({ n, means, scatter }: CrossMoments): CrossMoments => ({
      n,
      means: means.map((mean, i) => (i % 2 === 0 ? -mean : mean)),
      scatter: scatter.map((row, i) => row.map((value, j) => ((i + j) % 2 === 0 ? value : -value))),
    });
    const relative = { alpha: 0.05, difference: 'relative' } as const;
    const [plain, negated] = [
      compareCupedRatios({ control, treatment, ...relative }),
      compareCupedRatios({ control: negate(control), treatment: negate(treatment), ...relative }),
    ];
    if (plain.kind === 'refused' || negated.kind === 'refused') throw new Error('refused');
    expect(negated.estimate).toBeCloseTo(-plain.estimate, 12);
    expect(negated.se).toBeCloseTo(plain.se, 12);
  });

  it('to first order is a mean of pairs: the same adjusted moments and error', () => {
    const [of, on] = [linearisedRatios(control), linearisedRatios(treatment)];
    if (of.kind === 'refused' || on.kind === 'refused') throw new Error('refused');
    const theta = cupedRatioTheta([control, treatment]);
    const [ratios, means] = [
      compareCupedRatios({ control, treatment, theta, ...asked }),
      compareCuped({ control: of.pairs, treatment: on.pairs, theta, ...asked }),
    ];
    if (ratios.kind === 'refused' || means.kind === 'refused') throw new Error('refused');
    expect(of.pairs).toMatchObject({ n: 100, meanX: 4 / 9, meanY: 0.5 });
    expect(means.estimate).toBeCloseTo(ratios.estimate, 12);
    expect(means.se).toBeCloseTo(ratios.se, 12);
    expect(linearisedRatios({ ...control, n: 0 })).toMatchObject({ reason: 'INSUFFICIENT_UNITS' });
    expect(linearisedRatios(arm(100, [5, 10, 4, 0]))).toMatchObject({ reason: 'ZERO_DENOMINATOR' });
  });

  it('has no slope where every unit had the same ratio before', () => {
    const same = {
      ...control,
      scatter: control.scatter.map((row, i) => row.map((_, j) => (i === 2 ? 4 / 9 : 1) * (j === 2 ? 4 / 9 : 1) * 70)),
    };
    expect(cupedRatioTheta([same])).toBe(0);
    expect(linearisedRatios(same)).toMatchObject({ pairs: { m2X: 0 } });
  });

  it('pools all arms as one sample by default', () => {
    expect(cupedRatioTheta([control, treatment])).toBeCloseTo(cupedRatioTheta([mergeCrossMoments(control, treatment)]), 12);
    expect(cupedRatioTheta([control, treatment], 'perArmSum')).not.toBeCloseTo(cupedRatioTheta([control, treatment]), 6);
  });

  it('refuses a denominator that sums to 0', () => {
    expect(compareCupedRatios({ control: arm(100, [5, 10, 4, 0]), treatment, ...asked })).toMatchObject({ reason: 'ZERO_DENOMINATOR' });
  });
});
