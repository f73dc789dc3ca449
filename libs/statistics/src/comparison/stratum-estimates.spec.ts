import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addPair, type CoMoments, emptyCoMoments, mergeCoMoments } from '../sums/co-moments.js';
import type { EffectEstimate } from './compared-effect.js';
import { type CupedDetails, compareCuped } from './cuped.js';
import { type PostStratified, postStratifiedCuped } from './post-stratification.js';
import { pooledRegression, regressionByArm, type Stratum, type StratumEstimates } from './stratum-estimates.js';

const asked = { alpha: 0.05, difference: 'absolute' } as const;

type Pairs = readonly (readonly [x: number, y: number])[];

/** Uneven without chance: x goes around, y follows it by `slope` and scatters by `spread`. */
const pairs = (n: number, { slope = 0.8, spread = 1, apart = 0, level = 5 }): Pairs =>
  Array.from({ length: n }, (_, i) => {
    const x = Math.sin(1.7 * i) + apart;
    return [x, level + slope * x + spread * Math.cos(2.9 * i * i)] as const;
  });
const sumsOf = (of: Pairs): CoMoments => of.reduce((sum, [x, y]) => addPair(sum, x, y), emptyCoMoments);

const raw = { control: pairs(180, {}), treatment: pairs(20, { spread: 3, slope: 1.5, apart: 0.3, level: 6 }) };
const uneven: Stratum<CoMoments> = { name: 'uneven', control: sumsOf(raw.control), treatment: sumsOf(raw.treatment) };

const estimateOf = (effect: PostStratified): EffectEstimate & { strataUsed: number } => {
  if (effect.kind === 'refused') throw new Error(effect.reason);
  return effect;
};
const cupedOf = ({ control, treatment }: Stratum<CoMoments>): EffectEstimate & CupedDetails => {
  const effect = compareCuped({ control, treatment, theta: 'within', ...asked });
  if (effect.kind === 'refused') throw new Error(effect.reason);
  return effect;
};
const errorOf = ({ n, scaledCovariance }: StratumEstimates): number => (scaledCovariance[1]?.[1] ?? Number.NaN) / n;

describe('one stratum by regression', () => {
  it('is CUPED with the slope within the arms, each arm’s variance for the slope that it spends, and the slope’s own error', () => {
    const { control, treatment } = uneven;
    const [found, cuped] = [regressionByArm(uneven), cupedOf(uneven)];
    expect(found.values[1]).toBeCloseTo(cuped.estimate, 12);
    const within = control.m2X + treatment.m2X;
    const variances = [[control, cuped.adjustedControl.m2] as const, [treatment, cuped.adjustedTreatment.m2] as const].map(
      ([{ n, m2X }, m2]) => ({ n, m2X, variance: m2 / (n - 1 - m2X / within) }),
    );
    const ofMeans = variances.reduce((sum, { n, variance }) => sum + variance / n, 0);
    const ofSlope = variances.reduce((sum, { m2X, variance }) => sum + m2X * variance, 0) / within ** 2;
    expect(errorOf(found)).toBeCloseTo(ofMeans + (treatment.meanX - control.meanX) ** 2 * ofSlope, 12);
    expect(Math.sqrt(errorOf(found)) / cuped.se).toBeCloseTo(1, 1);
  });

  it('has for the effect the error of least squares whose units have their arm’s variance', () => {
    const rows = [...raw.control.map(([x]) => ({ x, treated: 0 })), ...raw.treatment.map(([x]) => ({ x, treated: 1 }))];
    const cuped = cupedOf(uneven);
    const share = (arm: CoMoments) => arm.m2X / (uneven.control.m2X + uneven.treatment.m2X);
    const variance = [
      cuped.adjustedControl.m2 / (uneven.control.n - 1 - share(uneven.control)),
      cuped.adjustedTreatment.m2 / (uneven.treatment.n - 1 - share(uneven.treatment)),
    ];
    // Frisch–Waugh: the effect's weights are what (1, x) leave of `treated`, over its squares.
    const mean = (of: (row: (typeof rows)[number]) => number) => rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
    const [meanX, meanT] = [mean(({ x }) => x), mean(({ treated }) => treated)];
    const slope = mean(({ x, treated }) => (x - meanX) * (treated - meanT)) / mean(({ x }) => (x - meanX) ** 2);
    const left = rows.map(({ x, treated }) => ({ treated, weight: treated - meanT - slope * (x - meanX) }));
    const squares = left.reduce((sum, { weight }) => sum + weight ** 2, 0);
    const sandwich = left.reduce((sum, { treated, weight }) => sum + (weight / squares) ** 2 * (variance[treated] ?? Number.NaN), 0);
    expect(errorOf(regressionByArm(uneven))).toBeCloseTo(sandwich, 12);
  });

  it('with a small arm of large variance has a larger error than one variance for both would give, and fewer degrees of freedom', () => {
    const twice = [uneven, { ...uneven, name: 'again' }];
    const [byArm, pooled] = [postStratifiedCuped(twice, asked), postStratifiedCuped(twice, { ...asked, residualVariance: 'pooled' })].map(
      estimateOf,
    );
    expect(byArm?.estimate).toBe(pooled?.estimate);
    expect((byArm?.se ?? 0) / (pooled?.se ?? 1)).toBeGreaterThan(1.5);
    expect(pooled?.df).toBe(400 - 6);
    expect(byArm?.df).toBeLessThan(2 * 20);
  });

  it('is the pooled form where arms are equally large and scatter alike', () => {
    const same = sumsOf(pairs(200, {}));
    const stratum = { name: 'same', control: same, treatment: { ...same, meanY: same.meanY + 1 } };
    expect(errorOf(regressionByArm(stratum))).toBeCloseTo(errorOf(pooledRegression(stratum)), 12);
  });
});

describe('several strata by regression', () => {
  it('that are alike are CUPED of all their units, with its degrees of freedom', () => {
    const halves = [uneven, { ...uneven, name: 'again' }];
    const whole = {
      name: 'whole',
      control: mergeCoMoments(uneven.control, uneven.control),
      treatment: mergeCoMoments(uneven.treatment, uneven.treatment),
    };
    const [strata, cuped] = [estimateOf(postStratifiedCuped(halves, asked)), cupedOf(whole)];
    expect(strata.estimate).toBeCloseTo(cuped.estimate, 12);
    expect(strata.se / cuped.se).toBeGreaterThan(1);
    expect(strata.se / cuped.se).toBeLessThan(1.05);
    expect(strata.df / cuped.df).toBeGreaterThan(0.9);
    expect(strata.df / cuped.df).toBeLessThan(1.1);
  });

  it('without a covariate that differs are means with each arm’s variance', () => {
    const flat = { ...uneven, control: { ...uneven.control, m2X: 0, cXY: 0 }, treatment: { ...uneven.treatment, m2X: 0, cXY: 0 } };
    const { control, treatment } = flat;
    const expected = control.m2Y / (control.n - 1) / control.n + treatment.m2Y / (treatment.n - 1) / treatment.n;
    expect(errorOf(regressionByArm(flat))).toBeCloseTo(expected, 12);
  });

  it('merge one whose arm the covariate explains wholly, or has two units', () => {
    const explained = { name: 'explained', control: sumsOf(pairs(9, { spread: 0 })), treatment: sumsOf(pairs(9, { spread: 0 })) };
    const tiny = { name: 'tiny', control: sumsOf(pairs(9, {})), treatment: sumsOf(pairs(2, {})) };
    const strata = [uneven, { ...uneven, name: 'again' }];
    expect(estimateOf(postStratifiedCuped([...strata, explained], asked)).strataUsed).toBe(2);
    expect(estimateOf(postStratifiedCuped([...strata, tiny], asked)).strataUsed).toBe(2);
    expect(estimateOf(postStratifiedCuped([...strata, tiny], { ...asked, residualVariance: 'pooled' })).strataUsed).toBe(3);
    expect(postStratifiedCuped([explained, { ...explained, name: 'again' }], asked)).toMatchObject({ reason: 'ZERO_VARIANCE' });
  });

  it('give one and the same figure in whatever order they come, also where an unusable one joins one of two largest', () => {
    const other = { name: 'other', control: sumsOf(pairs(180, { level: 1 })), treatment: sumsOf(pairs(20, { level: 9, spread: 2 })) };
    const tiny = { name: 'tiny', control: sumsOf(pairs(9, {})), treatment: sumsOf(pairs(1, {})) };
    const third = { name: 'third', control: sumsOf(pairs(60, {})), treatment: sumsOf(pairs(50, {})) };
    const strata = [uneven, other, tiny, third];
    const expected = postStratifiedCuped(strata, asked);
    expect(estimateOf(expected).strataUsed).toBe(3);
    fc.assert(
      fc.property(fc.shuffledSubarray(strata, { minLength: strata.length }), (shuffled) => {
        expect(postStratifiedCuped(shuffled, asked)).toEqual(expected);
      }),
    );
  });
});
