import { describe, expect, it } from '@jest/globals';
import { normal } from '@rampart/statistics';
import { oneSidedLogE, oneSidedMultiplier } from './anytime.js';
import { concluded, converted, latency, ones, spread } from './conclusion.examples.js';

describe('the interval of GrowthBook’s reference', () => {
  it('is a lift of .50386 ± .10289 for 1,396 of 3,000 against 2,422 of 3,461, tightest at 5,000', () => {
    const { figures } = concluded({
      metrics: [converted],
      cells: [[ones(3000, 1396)], [ones(3461, 2422)]],
      experiment: { plan: { plannedUnits: 10_000 } },
    });
    const relative = figures.metrics[0]?.comparisons[0]?.anytime?.relative;
    if (relative === undefined || 'refused' in relative) throw new Error('no interval');
    expect(relative.lower).toBeCloseTo(0.40098, 4);
    expect(relative.upper).toBeCloseTo(0.60675, 4);
  });
});

describe('the one-sided boundary', () => {
  it.each([
    [0.05, 200, 10_000],
    [0.0045, 20_000, 10_000],
    [0.0001, 1_000_000, 500],
  ])('reaches E = 1/α exactly at its multiplier: α %p, n %p, N* %p', (level, n, tightestAtUnits) => {
    const side = { level, n, tightestAtUnits };
    const height = oneSidedMultiplier(side);
    expect(oneSidedLogE(height, side)).toBeCloseTo(-Math.log(level), 9);
    expect(height).toBeGreaterThan(normal.isf(level));
  });
});

describe('a margin at any look', () => {
  it.each(['relative', 'absolute'] as const)('is kept exactly when the possible loss lies within it (%s)', (scale) => {
    const verdicts = Array.from({ length: 60 }, (_, step) => {
      const share = 0.001 * (step + 1);
      const margin = scale === 'relative' ? { relative: share } : { absolute: share * 100 };
      const guardrail = { input: latency.input, use: { role: 'guardrail' as const, margin } };
      const { verdict } = concluded({ metrics: [guardrail], cells: [[spread(2000, 100, 20)], [spread(2000, 101, 20)]] });
      const text = verdict.findings.find(({ kind }) => kind === 'non-inferiority')?.sentence ?? '';
      const size = Number(/could be ([\d.]+)/.exec(text)?.[1]) * 0.01;
      return { share, loss: size, holds: verdict.findings.some(({ kind, holds }) => kind === 'non-inferiority' && holds) };
    });
    for (const { share, loss, holds } of verdicts) if (Math.abs(share - loss) > 0.0002) expect(holds).toBe(loss < share);
    expect(new Set(verdicts.map(({ holds }) => holds)).size).toBe(2);
  });
});
