import { describe, expect, it } from '@jest/globals';
import type { Results } from '@rampart/contracts';
import { compareWithReference, parseReference, referenceSentence } from './reference.js';

const arm = { n: 2, sum: '1.5', sumsq: '1.25', mean: 0.75, var: 0.125 };
const expected = parseReference(
  JSON.stringify({
    source: 'by hand',
    population: { units: 4, counted: 4 },
    srm: { observed: { old: 2, new: 2 }, chi2: 0, df: 1, p: 1 },
    metrics: { bought: { arms: { old: arm }, comparisons: {} } },
    verdict: 'go',
  }),
  'expected.json',
);

/** Only what is compared. */
const results = (parts: { mean?: number; sum?: string; verdict?: string }): Results =>
  ({
    population: { units: 4, counted: 4 },
    srm: { observed: { old: 2, new: 2 }, weights: {}, test: { chi2: 0, df: 1, p: 1, logP: 0, failed: false } },
    metrics: [
      {
        metric: 'bought',
        comparisons: [],
        arms: [{ arm: 'old', n: 2, sum: parts.sum ?? '1.5', sumSquares: '1.25', mean: parts.mean ?? 0.75, variance: 0.125 }],
      },
    ],
    verdict: { verdict: parts.verdict ?? 'go' },
  }) as unknown as Results;

describe('reference answers', () => {
  it('hold where sums are equal and the rest is within a relative 1e-9', () => {
    const outcome = compareWithReference(results({ mean: 0.75 * (1 + 5e-10), sum: '1.50' }), expected);
    expect(outcome).toMatchObject({ compared: 13, differences: [], largest: { where: 'bought.old.mean' } });
    expect(referenceSentence(outcome)).toContain('13 figures compared, largest relative difference 5.0e-10');
  });

  it.each([
    [{ mean: 0.75 * (1 + 2e-9) }, 'bought.old.mean'],
    [{ mean: Number.NaN }, 'bought.old.mean'],
    [{ sum: '1.500001' }, 'bought.old.sum'],
    [{ verdict: 'no-go' }, 'verdict: no-go, expected go'],
  ])('do not hold for %j', (parts, difference) => {
    expect(compareWithReference(results(parts), expected).differences).toEqual([expect.stringContaining(difference)]);
  });

  it('are refused where they lack a figure', () => {
    expect(() => parseReference('{"source": "x"}', 'expected.json')).toThrow('expected.json holds no reference answers: population');
  });
});
