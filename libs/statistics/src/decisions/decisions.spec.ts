import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareMeans } from '../comparison/compare-means.js';
import type { EffectEstimate } from '../comparison/compared-effect.js';
import { cupedAdjusted } from '../comparison/cuped.js';
import type { CoMoments } from '../sums/co-moments.js';
import { momentsOfY } from '../sums/co-moments.js';
import type { Moments } from '../sums/moments.js';
import { alphaMinusOfRun, type DecisionTests, decisionBudget, srmAlarmThreshold } from './decision-corrections.js';
import { decisionRule, type TestAnswers } from './decision-rule.js';
import { cupedNonInferiorityContrast, equivalenceTest, nonInferiorityContrast, nonInferiorityTest } from './non-inferiority.js';

const arm = (n: number, mean: number, variance: number): Moments => ({ n, mean, m2: variance * (n - 1) });

describe('the decision budget', () => {
  const plan: DecisionTests = { success: 3, guardrail: 5, deterioration: 2, quality: 1, alpha: 0.05, beta: 0.2, alphaMinus: 0.05 };

  it('spends no more than alpha, beta and alpha minus in all', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        (success, guardrail, quality, treatmentArms) => {
          const budget = decisionBudget({ ...plan, success, guardrail, quality, treatmentArms });
          expect((budget.alphaSuperiority ?? 0) * success * treatmentArms).toBeCloseTo(0.05, 12);
          expect((budget.betaEach ?? 0) * (guardrail + 1) + 0.05).toBeCloseTo(0.2, 12);
          const alarms = (success + guardrail + 2 + quality) * treatmentArms;
          expect((budget.alphaDeteriorationAndQualityEach ?? 0) * alarms).toBeCloseTo(0.05, 12);
        },
      ),
    );
  });

  it('does not correct non-inferiority: all must hold', () => {
    expect(decisionBudget(plan).alphaNonInferiority).toBe(0.05);
  });

  it('divides a miss among guardrails alone when nothing must improve', () => {
    expect(decisionBudget({ ...plan, success: 0 })).toMatchObject({ alphaSuperiority: null, betaEach: (0.2 - 0.05) / 5 });
  });

  it('has no level for tests that are not there', () => {
    const none = decisionBudget({ ...plan, success: 0, guardrail: 0, deterioration: 0, quality: 0 });
    expect(none).toEqual({
      alphaSuperiority: null,
      alphaNonInferiority: null,
      alphaDeteriorationAndQualityEach: null,
      betaEach: null,
      powerEach: null,
    });
  });

  it('refuses alarms that cost more than a miss may', () => {
    expect(() => decisionBudget({ ...plan, alphaMinus: 0.2 })).toThrow('alphaMinus must be in [0, beta = 0.2), got 0.2');
    expect(() => decisionBudget({ ...plan, alpha: 0 })).toThrow(RangeError);
    expect(() => decisionBudget({ ...plan, success: -1 })).toThrow(RangeError);
  });

  it('halves with every run, so that all restarts together stay within it', () => {
    const runs = Array.from({ length: 40 }, (_, i) => alphaMinusOfRun(0.05, i + 1));
    expect(runs[0]).toBe(0.025);
    expect(runs.reduce((sum, level) => sum + level, 0)).toBeLessThanOrEqual(0.05);
    expect(() => alphaMinusOfRun(0.05, 0)).toThrow(RangeError);
  });

  it('asks the sample ratio for E = 1 000 at least', () => {
    expect(srmAlarmThreshold({ tests: 11, alphaMinus: 0.05 })).toBe(1000);
    expect(srmAlarmThreshold({ tests: 100, alphaMinus: 0.05 })).toBe(2000);
  });
});

describe('the decision rule', () => {
  const good: TestAnswers = {
    superior: [true, false],
    nonInferior: [true, true],
    deteriorated: [false],
    qualityFailed: [false],
    isPlanExhausted: false,
  };

  it.each([
    ['ships when one success metric is better and every guardrail holds', {}, 'go'],
    ['waits while no success metric is better', { superior: [false, false] }, 'continue'],
    ['waits while one guardrail is open', { nonInferior: [true, false] }, 'continue'],
    ['ends without an answer when the plan is over', { superior: [false, false], isPlanExhausted: true }, 'inconclusive'],
    ['ships in the last look as in any other', { isPlanExhausted: true }, 'go'],
    ['stops for harm, whatever else is good', { deteriorated: [false, true] }, 'no-go'],
    ['says invalid before anything else', { deteriorated: [true], qualityFailed: [true] }, 'invalid'],
    ['ships a safe rollout on its guardrails alone', { superior: [] }, 'go'],
    ['never ships when nothing was asked', { superior: [], nonInferior: [] }, 'continue'],
  ] as const)('%s', (_what, change, outcome) => {
    expect(decisionRule({ ...good, ...change })).toBe(outcome);
  });
});

describe('non-inferiority', () => {
  const arms = { control: arm(5000, 2, 1), treatment: arm(5000, 1.99, 1) };

  it('with a margin of 0 is superiority', () => {
    const [test, plain] = [
      nonInferiorityTest({ ...arms, direction: 'increase', margin: { kind: 'absolute', value: 0 }, alpha: 0.05 }),
      compareMeans({ ...arms, alpha: 0.05, difference: 'absolute', alternative: 'greater' }) as EffectEstimate,
    ];
    expect(test).toMatchObject({ kind: 'tested', p: plain.p, statistic: plain.statistic, ciLower: plain.ciLower, ciUpper: null });
  });

  it('holds within its margin and not beyond, in both directions', () => {
    const hold = (direction: 'increase' | 'decrease', value: number): boolean => {
      const test = nonInferiorityTest({ ...arms, direction, margin: { kind: 'absolute', value }, alpha: 0.05 });
      return test.kind === 'tested' && test.isNonInferior;
    };
    expect([hold('increase', 0.05), hold('increase', 0.01)]).toEqual([true, false]);
    expect([hold('decrease', 0.05), hold('decrease', 0.01)]).toEqual([true, false]);
  });

  it('is decided by its bound and its p alike', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constantFrom('increase' as const, 'decrease' as const),
        (shift, value, direction) => {
          const test = nonInferiorityTest({
            control: arm(50, 2, 1),
            treatment: arm(70, 2 + shift, 2),
            direction,
            margin: { kind: 'relative', value },
            alpha: 0.05,
          });
          if (test.kind === 'refused') throw new Error(test.reason);
          if (Math.abs(test.p - 0.05) > 1e-9) expect(test.isNonInferior).toBe(test.p < 0.05);
          expect(test.lower > 0).toBe(test.isNonInferior);
        },
      ),
    );
  });

  it('lets the error of the control mean count in a relative margin', () => {
    const asked = { ...arms, direction: 'increase', margin: { kind: 'relative', value: 0.5 } } as const;
    const [exact, converted] = [nonInferiorityContrast(asked), nonInferiorityContrast({ ...asked, relativeMargin: 'converted' })];
    if (exact.kind === 'refused' || converted.kind === 'refused') throw new Error('refused');
    expect(exact.estimate).toBe(converted.estimate);
    expect(exact.se).toBeCloseTo(Math.sqrt((1 + 0.25) / 5000), 12);
    expect(converted.se).toBeCloseTo(Math.sqrt(2 / 5000), 12);
  });

  it('mirrors when the metric is negated and the wish turned round', () => {
    const flip = ({ n, mean, m2 }: Moments): Moments => ({ n, mean: -mean, m2 });
    const margin = { kind: 'relative', value: 0.1 } as const;
    expect(nonInferiorityContrast({ control: flip(arms.control), treatment: flip(arms.treatment), direction: 'decrease', margin })).toEqual(
      nonInferiorityContrast({ ...arms, direction: 'increase', margin }),
    );
  });

  it('on adjusted means with θ = 0 is the plain contrast, and narrower with a useful θ', () => {
    const pair = (meanY: number): CoMoments => ({ n: 1000, meanX: 1, meanY, m2X: 1000, m2Y: 1000, cXY: 800 });
    const [control, treatment] = [pair(2), pair(1.98)];
    const contrast = (theta: number) => {
      const found = cupedNonInferiorityContrast({
        control,
        treatment,
        adjustedControl: cupedAdjusted(control, theta, 1),
        adjustedTreatment: cupedAdjusted(treatment, theta, 1),
        theta,
        direction: 'increase',
        margin: { kind: 'relative', value: 0.05 },
      });
      if (found.kind === 'refused') throw new Error(found.reason);
      return found;
    };
    const plain = nonInferiorityContrast({
      control: momentsOfY(control),
      treatment: momentsOfY(treatment),
      direction: 'increase',
      margin: { kind: 'relative', value: 0.05 },
    });
    if (plain.kind === 'refused') throw new Error(plain.reason);
    expect(contrast(0).se).toBeCloseTo(plain.se, 12);
    expect(contrast(0).estimate).toBeCloseTo(plain.estimate, 12);
    expect(contrast(0.8).se).toBeLessThan(0.7 * plain.se);
  });

  it('refuses arms without variance and margins below 0', () => {
    expect(
      nonInferiorityTest({
        control: arm(10, 1, 0),
        treatment: arm(10, 1, 1),
        direction: 'increase',
        margin: { kind: 'absolute', value: 1 },
        alpha: 0.05,
      }),
    ).toMatchObject({
      kind: 'refused',
      reason: 'ZERO_VARIANCE',
    });
    expect(() => nonInferiorityContrast({ ...arms, direction: 'increase', margin: { kind: 'absolute', value: -1 } })).toThrow(RangeError);
  });
});

describe('equivalence', () => {
  it('is what the (1 − 2α) interval inside the margins says', () => {
    fc.assert(
      fc.property(fc.double({ min: -3, max: 3, noNaN: true }), fc.double({ min: 0.1, max: 1, noNaN: true }), (estimate, se) => {
        const test = equivalenceTest({ estimate, se, lower: -1, upper: 1, alpha: 0.05, df: 20 });
        if (Math.abs(test.p - 0.05) > 1e-9) expect(test.isEquivalent).toBe(test.p < 0.05);
        expect(test.isEquivalent).toBe(test.ciLower > -1 && test.ciUpper < 1);
      }),
    );
  });

  it('refuses margins out of order, and levels that leave no interval', () => {
    const asked = { estimate: 0, se: 1, lower: -1, upper: 1, alpha: 0.05 };
    for (const wrong of [{ lower: 1 }, { se: 0 }, { alpha: 0.5 }])
      expect(() => equivalenceTest({ ...asked, ...wrong })).toThrow(RangeError);
  });
});
