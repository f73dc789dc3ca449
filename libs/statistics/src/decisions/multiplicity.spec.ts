import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  adHocAdjustedInterval,
  adjustPValues,
  eBenjaminiHochberg,
  falseCoverageLevel,
  type Procedure,
  simultaneousLevel,
} from './multiplicity.js';

const procedures: readonly Procedure[] = [
  'bonferroni',
  'sidak',
  'holm',
  'holm-sidak',
  'hochberg',
  'hochberg-sidak',
  'benjamini-hochberg',
  'benjamini-yekutieli',
];
const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });

const adjusted = (p: readonly number[], procedure: Procedure): readonly number[] =>
  adjustPValues(p, procedure).map((value) => value ?? Number.NaN);

describe('adjusted p-values', () => {
  it.each(procedures)('by %s keep the order, stay in [0, 1] and never fall below p', (procedure) => {
    fc.assert(
      fc.property(pValues, (p) => {
        const after = adjusted(p, procedure);
        p.forEach((before, i) => {
          expect(after[i]).toBeGreaterThanOrEqual(before * (1 - 1e-12));
          expect(after[i]).toBeLessThanOrEqual(1);
          p.forEach((other, j) => {
            if (before < other) expect(after[i] ?? 0).toBeLessThanOrEqual(after[j] ?? 0);
            if (before === other) expect(after[i]).toBe(after[j]);
          });
        });
      }),
    );
  });

  it.each(procedures)('by %s of one test is p', (procedure) => {
    expect(adjusted([0.03], procedure)[0]).toBeCloseTo(0.03, 14);
  });

  it('stand in the order of strictness of their procedures', () => {
    fc.assert(
      fc.property(pValues, (p) => {
        const [bonferroni, holm, hochberg, bh, by] = (
          ['bonferroni', 'holm', 'hochberg', 'benjamini-hochberg', 'benjamini-yekutieli'] as const
        ).map((name) => adjusted(p, name));
        p.forEach((_, i) => {
          const at = (values: readonly number[] | undefined): number => values?.[i] ?? Number.NaN;
          expect(at(holm)).toBeLessThanOrEqual(at(bonferroni) + 1e-12);
          expect(at(hochberg)).toBeLessThanOrEqual(at(holm) + 1e-12);
          expect(at(bh)).toBeLessThanOrEqual(at(hochberg) + 1e-12);
          expect(at(bh)).toBeLessThanOrEqual(at(by) + 1e-12);
        });
      }),
    );
  });

  it('leave a missing p out of the family', () => {
    expect(adjustPValues([0.01, null, 0.04], 'bonferroni')).toEqual([0.02, null, 0.08]);
    expect(adjustPValues([], 'holm')).toEqual([]);
    expect(adjustPValues([null], 'holm')).toEqual([null]);
  });

  it('keep tiny p apart where 1 − (1 − p)^m would not', () => {
    expect(adjusted([1e-20, 2e-20], 'sidak')).toEqual([2e-20, 4e-20]);
  });

  it('refuse what is no probability', () => {
    for (const p of [-0.1, 1.1, Number.NaN]) expect(() => adjustPValues([p], 'holm')).toThrow(RangeError);
  });
});

describe('e-BH', () => {
  it('rejects the largest set whose smallest e reaches m/(αk)', () => {
    const logE = [1000, 50, 30, 1].map(Math.log);
    expect(eBenjaminiHochberg(logE, 0.05)).toEqual([true, true, true, false]);
    expect(eBenjaminiHochberg([79, 39, 26, 1].map(Math.log), 0.05)).toEqual([false, false, false, false]);
    expect(eBenjaminiHochberg([1000, 50, 45, 27, 1].map(Math.log), 0.1)).toEqual([true, true, true, true, false]);
  });

  it('rejects nothing without evidence', () => {
    expect(eBenjaminiHochberg([0, 0], 0.05)).toEqual([false, false]);
    expect(eBenjaminiHochberg([], 0.05)).toEqual([]);
  });
});

describe('intervals of many tests', () => {
  it('share the level, or take it by what was selected', () => {
    expect(simultaneousLevel(0.05, 5)).toBeCloseTo(0.01, 14);
    expect(falseCoverageLevel(0.05, 2, 10)).toBeCloseTo(0.01, 14);
    expect(falseCoverageLevel(0.05, 0, 10)).toBeNull();
  });

  it('are only ever widened by an adjusted p', () => {
    const interval = { lower: 0.01, upper: 0.09 };
    expect(adHocAdjustedInterval({ estimate: 0.05, pAdjusted: 1e-9, alpha: 0.05, interval })).toBe(interval);
    const wide = adHocAdjustedInterval({ estimate: 0.05, pAdjusted: 0.2, alpha: 0.05, interval });
    expect(wide.lower ?? 1).toBeLessThan(0);
    expect(adHocAdjustedInterval({ estimate: 0.05, pAdjusted: 0, alpha: 0.05, interval })).toBe(interval);
  });

  it('touch 0 when the adjusted p is the level', () => {
    const { lower } = adHocAdjustedInterval({ estimate: 0.05, pAdjusted: 0.05, alpha: 0.05, interval: { lower: 0.02, upper: 0.08 } });
    expect(lower).toBeCloseTo(0, 12);
  });

  it('stay as they are around an estimate of 0, from which no width follows', () => {
    const interval = { lower: -1, upper: 1 };
    expect(adHocAdjustedInterval({ estimate: 0, pAdjusted: 1, alpha: 0.05, interval })).toBe(interval);
  });
});
