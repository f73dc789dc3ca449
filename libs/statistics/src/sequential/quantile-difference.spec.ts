import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { normalMixture } from './normal-mixture.js';
import {
  type OrderStatistic,
  quantileDifferenceBound,
  quantileDifferenceSequence,
  quantileDifferenceTest,
  type RankedArm,
} from './quantile-difference.js';

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const ladderOf = (values: readonly number[], every = 1): readonly OrderStatistic[] =>
  sorted(values).flatMap((value, place) => (place % every === 0 ? [{ rank: place + 1, value }] : []));
const armOf = (values: readonly number[], every = 1): RankedArm => ({
  n: values.length,
  ladder: ladderOf(values, every),
});

interface Asked {
  readonly control: readonly number[];
  readonly treatment: readonly number[];
  readonly nu: number;
  readonly shift?: number;
}

/** As it is defined: for each value that control's quantile may have, what the arms' own counts say. */
const bruteForce = ({ control, treatment, nu, shift = 0 }: Asked, alternative: 'greater' | 'less'): number => {
  const marks = [...control, ...treatment.map((value) => value - shift)];
  const candidates = [...marks, ...marks.map((mark) => mark + 1e-6), ...marks.map((mark) => mark - 1e-6), -1e9, 1e9];
  const each = candidates.map((c) => {
    const low = alternative === 'greater' ? { values: control, at: c } : { values: treatment, at: shift + c };
    const high = alternative === 'greater' ? { values: treatment, at: shift + c } : { values: control, at: c };
    const below = low.values.filter((value) => value < low.at).length;
    const upTo = high.values.filter((value) => value <= high.at).length;
    return logEOf(low.values.length, below, high.values.length, upTo, nu);
  });
  return Math.min(...each);
};

/** The mixture written out: likelihood ratios of shares apart, half-normal, four fifths in both arms and a tenth in each alone. */
const logEOf = (nLow: number, below: number, nHigh: number, upTo: number, nu: number): number => {
  const { rho } = normalMixture({ vOpt: 80, alphaOpt: 0.05, sides: 'one-sided' });
  const e = [
    [0.8, 1, 1],
    [0.1, Math.SQRT2, 0],
    [0.1, 0, Math.SQRT2],
  ].map(([share = 0, low = 0, high = 0]) => {
    const points = Array.from({ length: 32 }, (_, place) => 6 / 1.25 ** place)
      .map((h) => ({ h, a: low * h * Math.sqrt((nu * (1 - nu)) / rho), b: high * h * Math.sqrt((nu * (1 - nu)) / rho) }))
      .filter(({ a, b }) => a < 1 - nu && b < nu);
    const density = ({ h }: { h: number }) => h * Math.exp((-h * h) / 2);
    const ratio = ({ a, b }: { a: number; b: number }) =>
      (1 + a / nu) ** below * (1 - a / (1 - nu)) ** (nLow - below) * (1 - b / nu) ** upTo * (1 + b / (1 - nu)) ** (nHigh - upTo);
    const sum = (of: (point: { h: number; a: number; b: number }) => number) => points.reduce((all, point) => all + of(point), 0);
    return (share * sum((point) => density(point) * ratio(point))) / sum(density);
  });
  return Math.log(e.reduce((sum, one) => sum + one, 0));
};

// Few distinct values: ties and atoms are the rule. A shift of a half meets none of them.
const values = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 40 });
const nu = fc.constantFrom(0.1, 0.5, 0.9);
const alternative = fc.constantFrom('greater', 'less');
const shift = fc.constantFrom(-2.5, 0, 1, 1.5);

describe('the difference of two quantiles at every look', () => {
  it('is as surprising as its least surprising value, by all order statistics', () => {
    fc.assert(
      fc.property(values, values, nu, alternative, shift, (control, treatment, level, way, by) => {
        const { logE } = quantileDifferenceTest({
          control: armOf(control),
          treatment: armOf(treatment),
          nu: level,
          alpha: 0.05,
          alternative: way,
          shift: by,
          tightestAtUnits: 80,
        });
        expect(logE).toBeCloseTo(bruteForce({ control, treatment, nu: level, shift: by }, way), 9);
      }),
    );
  });

  it('is less surprising by fewer order statistics, never more', () => {
    fc.assert(
      fc.property(values, values, nu, alternative, fc.integer({ min: 2, max: 9 }), (control, treatment, level, way, every) => {
        const about = { nu: level, alpha: 0.05, alternative: way, tightestAtUnits: 80 };
        const few = quantileDifferenceTest({ ...about, control: armOf(control, every), treatment: armOf(treatment, every) });
        const all = quantileDifferenceTest({ ...about, control: armOf(control), treatment: armOf(treatment) });
        expect(few.logE).toBeLessThanOrEqual(all.logE + 1e-9);
      }),
    );
  });

  it('ends where the test begins to reject, absolute and relative', () => {
    fc.assert(
      fc.property(values, values, nu, alternative, (control, treatment, level, way) => {
        const about = {
          control: armOf(control),
          treatment: armOf(treatment),
          nu: level,
          alpha: 0.4,
          alternative: way,
          tightestAtUnits: 80,
        };
        const rejects = (at: { shift?: number; scale?: number }) => quantileDifferenceTest({ ...about, ...at }).logE >= -Math.log(0.4);
        const inward = way === 'greater' ? -1 : 1;
        const absolute = quantileDifferenceBound({ ...about, difference: 'absolute' });
        const [near, far] = [1e-4 * inward, -1e-4 * inward];
        expect([rejects({ shift: (absolute ?? 0) + near }), rejects({ shift: (absolute ?? 0) + far })]).toEqual([absolute !== null, false]);
        const relative = quantileDifferenceBound({ ...about, difference: 'relative' });
        // All values are above 0: whatever bounds the difference bounds the ratio.
        expect(relative === null).toBe(absolute === null);
        if (relative !== null) {
          const scale = 1 + relative;
          expect([rejects({ scale: scale * (1 + near) }), rejects({ scale: scale * (1 + far) })]).toEqual([true, false]);
        }
      }),
    );
  });

  it('rejects no difference where its interval leaves out 0, and only there', () => {
    fc.assert(
      fc.property(values, values, nu, (control, treatment, level) => {
        const found = quantileDifferenceSequence({
          control: armOf(control),
          treatment: armOf(treatment),
          nu: level,
          alpha: 0.5,
          tightestAtUnits: 80,
          difference: 'absolute',
        });
        if (found.kind === 'refused') return expect(found.reason).toBe('TOO_FEW_OBSERVATIONS');
        expect(found.lower).toBeLessThanOrEqual(found.upper);
        return expect(found.p <= 0.5).toBe(found.lower > 0 || found.upper < 0);
      }),
    );
  });

  const spread = (from: number, n = 400) => Array.from({ length: n }, (_, at) => from + at / n);

  it('turns around with the arms', () => {
    const [a, b] = [armOf(spread(0)), armOf(spread(0.3))];
    const about = { nu: 0.5, alpha: 0.05, tightestAtUnits: 800 };
    const [up, down] = [
      quantileDifferenceTest({ ...about, control: a, treatment: b, alternative: 'greater' }),
      quantileDifferenceTest({ ...about, control: b, treatment: a, alternative: 'less' }),
    ];
    expect(up.logE).toBeCloseTo(down.logE, 9);
    expect(up.p).toBeLessThan(1e-6);
    const found = quantileDifferenceSequence({ ...about, control: a, treatment: b, difference: 'absolute' });
    expect(found).toMatchObject({ kind: 'sequence' });
    if (found.kind === 'sequence') {
      expect(found.lower).toBeGreaterThan(0.1);
      expect(found.lower).toBeLessThan(0.3);
      expect(found.upper).toBeLessThan(0.5);
    }
  });

  it('of constants is none, and surely so', () => {
    const same = armOf(Array.from({ length: 200 }, () => 7));
    const found = quantileDifferenceSequence({
      control: same,
      treatment: same,
      nu: 0.5,
      alpha: 0.05,
      tightestAtUnits: 400,
      difference: 'absolute',
    });
    expect(found).toMatchObject({ kind: 'sequence', lower: 0, upper: 0, p: 1 });
  });

  it('takes events of one unit for as many as they are worth', () => {
    const [control, treatment] = [armOf(spread(0, 4_000), 20), armOf(spread(0.12, 4_000), 20)];
    const logE = (designEffect: number) => {
      const of = (arm: RankedArm) => ({ ...arm, clusters: { units: 400, designEffect } });
      return quantileDifferenceTest({
        control: of(control),
        treatment: of(treatment),
        nu: 0.5,
        alpha: 0.05,
        tightestAtUnits: 800,
        alternative: 'greater',
      }).logE;
    };
    expect(logE(1)).toBeGreaterThan(logE(4));
    expect(logE(4)).toBeGreaterThan(logE(10));
    expect(logE(10)).toBeLessThan(4);
  });

  it('is refused without two ends, or relative to what may be 0', () => {
    const about = { nu: 0.99, alpha: 0.05, tightestAtUnits: 80, difference: 'absolute' } as const;
    expect(quantileDifferenceSequence({ ...about, control: armOf(spread(0, 50)), treatment: armOf(spread(0, 50)) })).toMatchObject({
      reason: 'TOO_FEW_OBSERVATIONS',
    });
    const none: RankedArm = { n: 0, ladder: [] };
    expect(quantileDifferenceSequence({ ...about, control: none, treatment: none })).toMatchObject({ reason: 'TOO_FEW_OBSERVATIONS' });
    const around0 = armOf(spread(-0.5));
    expect(
      quantileDifferenceSequence({
        control: around0,
        treatment: around0,
        nu: 0.5,
        alpha: 0.05,
        tightestAtUnits: 800,
        difference: 'relative',
      }),
    ).toMatchObject({
      reason: 'NOISY_BASELINE',
    });
  });

  it('says nothing where the plan is too small for so far a quantile', () => {
    const arm = armOf(spread(0, 50));
    const about = { nu: 0.999, alpha: 0.05, tightestAtUnits: 2, treatmentShare: 0.01, alternative: 'greater' } as const;
    expect(quantileDifferenceTest({ ...about, control: arm, treatment: arm }).logE).toBeLessThanOrEqual(0);
  });

  it('refuses a ladder that is none', () => {
    const test = (ladder: readonly OrderStatistic[]) => () =>
      quantileDifferenceTest({
        control: { n: 3, ladder },
        tightestAtUnits: 80,
        treatment: armOf([1]),
        nu: 0.5,
        alpha: 0.05,
        alternative: 'less',
      });
    expect(test([{ rank: 4, value: 1 }])).toThrow('rank 4 of 3');
    expect(
      test([
        { rank: 2, value: 1 },
        { rank: 1, value: 2 },
      ]),
    ).toThrow('rank 1 of 3 is out of place');
    expect(
      test([
        { rank: 1, value: 2 },
        { rank: 2, value: 1 },
      ]),
    ).toThrow('the value 1 of rank 2');
  });
});
