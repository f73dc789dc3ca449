import { describe, expect, it } from '@jest/globals';
import { errorBudget, superiorityLevels } from './error-budget.js';
import { againstLevel } from './number-texts.js';

describe('the error budget', () => {
  it('gives harm α₋/((S+G+D+Q)·k): 0.05/11 in the published example', () => {
    const role = (name: 'success' | 'guardrail', count: number) => Array.from({ length: count }, () => ({ role: name }));
    const tests = { alpha: 0.05, alphaMinus: 0.05, metrics: [...role('success', 3), ...role('guardrail', 7)], ratioTests: 1 };
    expect(errorBudget({ ...tests, treatments: ['B'] }).harm).toBeCloseTo(0.004545454545, 12);
    expect(errorBudget({ ...tests, treatments: ['B', 'C'] }).harm).toBeCloseTo(0.0022727272725, 12);
  });

  it('steps down with Holm and stops for good: p .01 .04 .03 .005 at α .05', () => {
    expect(superiorityLevels([0.01, 0.04, 0.03, 0.005], 0.05, 'holm')).toEqual([0.05 / 3, 0.025, 0.025, 0.0125]);
  });

  it('keeps a missing p in the family', () => {
    expect(superiorityLevels([0.02, null], 0.05, 'holm')).toEqual([0.025, 0.05]);
  });

  it('is even without Holm', () => {
    expect(superiorityLevels([0.01, 0.04], 0.05, 'none')).toEqual([0.025, 0.025]);
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
