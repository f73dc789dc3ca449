import { describe, expect, it } from '@jest/globals';
import { adjustPValues, eBenjaminiHochberg } from '@rampart/statistics';
import fc from 'fast-check';
import { alphaMinusOf, errorBudget, falseDiscoveryLevel, superiorityLevels } from './error-budget.js';
import { againstLevel, againstThreshold, exponential } from './number-texts.js';

describe('the error budget', () => {
  it('gives harm α₋/((S+G+D+Q)·k): 0.05/11 in the published example', () => {
    const role = (name: 'success' | 'guardrail', count: number) => Array.from({ length: count }, () => ({ role: name }));
    const tests = { alpha: 0.05, alphaMinus: 0.05, metrics: [...role('success', 3), ...role('guardrail', 7)], ratioTests: 1 };
    expect(errorBudget({ ...tests, treatments: ['B'] }).harm).toBeCloseTo(0.004545454545, 12);
    expect(errorBudget({ ...tests, treatments: ['B', 'C'] }).harm).toBeCloseTo(0.0022727272725, 12);
  });

  it('asks the ratio test for E 1,000 at least, and for more where its share of α₋ is smaller', () => {
    const metrics = Array.from({ length: 10 }, () => ({ role: 'guardrail' as const }));
    const alarmAt = (alphaMinus: number) =>
      errorBudget({ alpha: 0.05, alphaMinus, metrics, ratioTests: 1, treatments: ['B'] }).ratioAlarmAtE;
    expect([alarmAt(0.05), alarmAt(0.001)]).toEqual([1000, 11_000]);
  });

  it('gives run k of a rollout α₋·2⁻ᵏ, all runs together α₋, and an experiment the whole', () => {
    expect([1, 2, 3].map((run) => alphaMinusOf(0.04, run))).toEqual([0.02, 0.01, 0.005]);
    const all = Array.from({ length: 60 }, (_, index) => alphaMinusOf(0.04, index + 1)).reduce((sum, share) => sum + share, 0);
    expect(all).toBeLessThanOrEqual(0.04);
    expect(alphaMinusOf(0.04, null)).toBe(0.04);
    expect(() => alphaMinusOf(0.04, 0)).toThrow(RangeError);
  });

  it('steps down with Holm and stops for good: p .01 .04 .03 .005 at α .05', () => {
    expect(superiorityLevels([0.01, 0.04, 0.03, 0.005], 0.05, 'holm')).toEqual([0.05 / 3, 0.025, 0.025, 0.0125]);
  });

  it('keeps a missing p in the family', () => {
    expect(superiorityLevels([0.02, null], 0.05, 'holm')).toEqual([0.025, 0.05]);
  });

  it('is even without Holm', () => {
    expect(superiorityLevels([0.01, 0.04], 0.05, 'none')).toEqual([0.025, 0.025]);
    expect(superiorityLevels([0.01, 0.04], 0.05, 'bonferroni')).toEqual([0.025, 0.025]);
  });

  it.each([
    ['hochberg', 'hochberg'],
    ['bh', 'benjamini-hochberg'],
    ['by', 'benjamini-yekutieli'],
    ['bonferroni', 'bonferroni'],
    ['holm', 'holm'],
  ] as const)('of %s rejects what its adjusted p rejects', (multiplicity, procedure) => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.2, noNaN: true }), { minLength: 1, maxLength: 8 }), (pValues) => {
        const levels = superiorityLevels(pValues, 0.05, multiplicity);
        const adjusted = adjustPValues(pValues, procedure);
        pValues.forEach((p, index) => {
          // At the edge itself, rounding decides.
          if (Math.abs((adjusted[index] ?? 1) - 0.05) > 1e-9) expect(p <= (levels[index] ?? 0)).toBe((adjusted[index] ?? 1) <= 0.05);
        });
      }),
    );
  });

  it('of e-BH rejects what e-BH rejects, and what was not tested stays in the family', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -2, max: 8, noNaN: true }), { minLength: 1, maxLength: 8 }), (logE) => {
        const level = falseDiscoveryLevel(logE, 0.05);
        expect(logE.map((one) => one >= -Math.log(level))).toEqual([...eBenjaminiHochberg(logE, 0.05)]);
      }),
    );
    expect(falseDiscoveryLevel([Math.log(39), null], 0.05)).toBe(0.025);
    expect(falseDiscoveryLevel([Math.log(41), Math.log(21)], 0.05)).toBe(0.05);
  });
});

describe('a p against its level', () => {
  it('never reads the same on both sides', () => {
    expect(againstLevel(0.05000001, 0.05)).toBe('p 0.05000001 > 0.05000000');
    expect(againstLevel(0.05, 0.05)).toBe('p 0.0500 = 0.0500');
    expect(againstLevel(1.4e-112, 0.05)).toBe('p 1.4e-112 < 0.0500');
    expect(againstLevel(0, 0.05)).toBe('p 0 < 0.0500');
  });
});

describe('an E against its threshold', () => {
  it('never reads the same on both sides', () => {
    const at = (E: number, threshold: number) => againstThreshold(Math.log(E), Math.log(threshold));
    expect(at(312, 222.2)).toBe('E 312 ≥ 222');
    expect(at(999.99, 1000)).toBe('E 999.99 < 1,000');
    expect(at(1000, 1000)).toBe('E 1,000 ≥ 1,000');
    expect(at(0.0637, 80)).toBe('E 0.0637 < 80');
  });

  it('is written beyond what a double holds', () => {
    expect([exponential(2000), exponential(-2000), exponential(Math.log(1234567))]).toEqual(['3.88e+868', '2.58e-869', '1,230,000']);
  });
});
