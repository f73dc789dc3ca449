import { describe, expect, it } from '@jest/globals';
import type { Results } from '@rampart/contracts';
import { resultsReport } from './results-report.js';

const effect = (estimate: number) => ({
  estimate,
  se: 1,
  statistic: 1,
  df: null,
  p: 0.3,
  logP: Math.log(0.3),
  ci: { lower: estimate - 2, upper: estimate + 2 },
});
const pair = (estimate: number) => ({
  treatment: 'B',
  control: 'A',
  absolute: effect(estimate),
  relative: effect(estimate / 10),
  anytime: null,
});
const arm = (name: string, mean: number) => ({ arm: name, n: 200, mean });
const capped = (lowered: number, mean: number) => ({ units: 200, lowered, raised: 1, mean });

const results = {
  population: { units: 400, counted: 400, rows: [], duplicates: { accepted: 0, stored: 0, duplicates: 0, idsReused: 0 } },
  srm: { test: { refused: 'NO_DESIGN' } },
  plan: { intervalLevel: 0.95 },
  metrics: [
    {
      ...{ name: 'Revenue', type: 'mean', role: 'success', cuped: null, notes: [] },
      arms: [arm('A', 30), arm('B', 33)],
      comparisons: [{ ...pair(3), adjustedP: 0.04 }],
      withoutCaps: {
        arms: [
          { arm: 'A', ...capped(2, 34) },
          { arm: 'B', ...capped(4, 39) },
        ],
        comparisons: [pair(5)],
      },
    },
  ],
  warnings: [],
  verdict: { verdict: 'go', sentence: 'go', arms: [] },
} as unknown as Results;

describe('the report of a capped metric', () => {
  it('has the effect without caps beside the one with them, and how many units they cut', () => {
    const lines = resultsReport(results).split('\n');
    expect(lines.find((line) => line.trim().startsWith('B '))).toMatch(/B +200 +33\.0+ +3\.0+ +1\.0+ … 5\.0+ .* 0\.04/);
    expect(lines.find((line) => line.includes('without caps'))).toMatch(/B, without caps +200 +39\.0+ +5\.0+ +3\.0+ … 7\.0+ .* –/);
    expect(lines).toContain('  caps cut 3 of 200 units of A, 5 of 200 units of B');
  });
});
