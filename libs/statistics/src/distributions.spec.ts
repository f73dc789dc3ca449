import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import jstat from 'jstat';
import { beta, chiSquare, gamma, logGamma, noncentralT, normal, studentT } from './distributions.js';

/** jStat as it is: only its defects are wanted here, so the few functions the table calls are typed here. */
const { jStat } = jstat as unknown as {
  jStat: {
    normal: { cdf(x: number, mean: number, sd: number): number; inv(p: number, mean: number, sd: number): number };
    studentt: { cdf(x: number, df: number): number; inv(p: number, df: number): number };
    chisquare: { cdf(x: number, df: number): number };
    beta: { cdf(x: number, a: number, b: number): number };
    noncentralt: { cdf(x: number, df: number, ncp: number): number };
  };
};

const relativeError = (actual: number, truth: number): number => (actual === truth ? 0 : Math.abs(actual / truth - 1));
const FLOOR = 1e-9;

/** [what, ours, jStat's, truth to 17 digits (mpmath, 50 digits; Boost for large beta)] where jStat misses the floor. */
const defects: readonly (readonly [what: string, ours: number, theirs: number, truth: number])[] = [
  ['normal tail at 7', normal.sf(7), jStat.normal.cdf(-7, 0, 1), 1.279812543885835e-12],
  ['normal tail at 8', normal.sf(8), jStat.normal.cdf(-8, 0, 1), 6.220960574271784e-16],
  ['normal tail at 8.3', normal.sf(8.3), jStat.normal.cdf(-8.3, 0, 1), 5.205569744890285e-17],
  ['normal tail at 9', normal.sf(9), jStat.normal.cdf(-9, 0, 1), 1.1285884059538405e-19],
  ['normal tail at 37', normal.sf(37), jStat.normal.cdf(-37, 0, 1), 5.725571222524577e-300],
  ['normal quantile 1e-12', normal.quantile(1e-12), jStat.normal.inv(1e-12, 0, 1), -7.034483825301132],
  ['normal quantile 1e-14', normal.quantile(1e-14), jStat.normal.inv(1e-14, 0, 1), -7.650628092935269],
  ['normal quantile 1e-16', normal.quantile(1e-16), jStat.normal.inv(1e-16, 0, 1), -8.222082216130437],
  ['normal quantile 1e-20', normal.quantile(1e-20), jStat.normal.inv(1e-20, 0, 1), -9.262340089798409],
  ['t(10) below -1.96', studentT.cdf(-1.96, 10), jStat.studentt.cdf(-1.96, 10), 0.039218120123849856],
  ['t(1e3) below -1.96', studentT.cdf(-1.96, 1e3), jStat.studentt.cdf(-1.96, 1e3), 0.025136592477874357],
  ['t(1e6) below -1.96', studentT.cdf(-1.96, 1e6), jStat.studentt.cdf(-1.96, 1e6), 0.024998033792634895],
  ['t(1e6) below -0.1', studentT.cdf(-0.1, 1e6), jStat.studentt.cdf(-0.1, 1e6), 0.46017217274602157],
  ['t(1e8) below -0.1', studentT.cdf(-0.1, 1e8), jStat.studentt.cdf(-0.1, 1e8), 0.46017216282320156],
  ['t(1e9) below -0.1', studentT.cdf(-0.1, 1e9), jStat.studentt.cdf(-0.1, 1e9), 0.46017216273299405],
  ['t(1e8) below 0', studentT.cdf(0, 1e8), jStat.studentt.cdf(0, 1e8), 0.5],
  ['t(1e10) below 0', studentT.cdf(0, 1e10), jStat.studentt.cdf(0, 1e10), 0.5],
  ['t(5) below 0', studentT.cdf(0, 5), jStat.studentt.cdf(0, 5), 0.5],
  ['t(1e3) beyond 6', studentT.sf(6, 1e3), 1 - jStat.studentt.cdf(6, 1e3), 1.3776845866887345e-9],
  ['t(1e3) beyond 8', studentT.sf(8, 1e3), 1 - jStat.studentt.cdf(8, 1e3), 1.7133307411957373e-15],
  ['t(1e6) beyond 10', studentT.sf(10, 1e6), 1 - jStat.studentt.cdf(10, 1e6), 7.639305384089125e-24],
  ['t(10) quantile .975', studentT.quantile(0.975, 10), jStat.studentt.inv(0.975, 10), 2.228138851986275],
  ['t(1e3) quantile .975', studentT.quantile(0.975, 1e3), jStat.studentt.inv(0.975, 1e3), 1.9623390808264085],
  ['t(1e8) quantile .975', studentT.quantile(0.975, 1e8), jStat.studentt.inv(0.975, 1e8), 1.9599640082627667],
  ['t(1e9) quantile .9995', studentT.isf(0.0005, 1e9), jStat.studentt.inv(0.9995, 1e9), 3.2905267412216257],
  ['χ²(9) beyond 60', chiSquare.sf(60, 9), 1 - jStat.chisquare.cdf(60, 9), 1.3406780483959613e-9],
  ['χ²(9) beyond 100', chiSquare.sf(100, 9), 1 - jStat.chisquare.cdf(100, 9), 1.5735176303753944e-17],
  ['χ²(99) beyond 250', chiSquare.sf(250, 99), 1 - jStat.chisquare.cdf(250, 99), 4.844312411385372e-15],
  ['beta(1e5, 1e6) at its mean', beta.cdf(1 / 11, 1e5, 1e6), jStat.beta.cdf(1 / 11, 1e5, 1e6), 0.5003608569340859],
  ['beta(1e6, 1e6) at ½', beta.cdf(0.5, 1e6, 1e6), jStat.beta.cdf(0.5, 1e6, 1e6), 0.5],
  ['beta(1e7, 1e8) at its mean', beta.cdf(1 / 11, 1e7, 1e8), jStat.beta.cdf(1 / 11, 1e7, 1e8), 0.5000360856873227],
  ['beta(1e8, 1e8) at ½', beta.cdf(0.5, 1e8, 1e8), jStat.beta.cdf(0.5, 1e8, 1e8), 0.5],
  ['noncentral t at ncp 30', noncentralT.cdf(30, 1e3, 30), jStat.noncentralt.cdf(30, 1e3, 30), 0.4972583207598768],
  ['noncentral t at ncp 39', noncentralT.cdf(39, 1e3, 39), jStat.noncentralt.cdf(39, 1e3, 39), 0.49664641878436605],
];

describe('distributions where jStat is wrong', () => {
  it.each(defects)('%s: ours keeps nine digits, jStat does not', (_what, ours, theirs, truth) => {
    expect(relativeError(ours, truth)).toBeLessThanOrEqual(FLOOR);
    // Should a later jStat get this right, the row has lost its reason.
    expect(relativeError(theirs, truth)).toBeGreaterThan(FLOOR);
  });
});

describe('distributions where jStat serves', () => {
  it.each([0, 0.25, 0.5, 0.75, 1])('keep twelve digits of the normal at ±%d', (z) => {
    expect(relativeError(normal.sf(z), Math.exp(normal.logSf(z)))).toBeLessThan(1e-12);
    expect(normal.sf(z) + normal.cdf(z)).toBeCloseTo(1, 14);
  });

  it('join the two sources of the normal without a step', () => {
    const slope = (normal.sf(1) - normal.sf(1 + 1e-9)) / 1e-9;
    expect(relativeError(slope, normal.pdf(1))).toBeLessThan(1e-6);
  });

  it.each([
    [0.5, 0.5723649429247001],
    [10, 12.801827480081469],
    [50.5, 146.51925549072064],
    [100, 359.1342053695754],
  ])('give ln Γ(%d)', (x, truth) => {
    expect(relativeError(logGamma(x), truth)).toBeLessThan(1e-12);
  });
});

describe('tails', () => {
  it.each([
    [9, -43.628149113332114],
    [37, -689.0305855768906],
    [100, -5005.524208694205],
    [1000, -500007.8266948122],
  ])('have a finite logarithm for the normal at %d', (z, truth) => {
    expect(relativeError(normal.logSf(z), truth)).toBeLessThan(1e-12);
  });

  it('have a finite logarithm where p is below the smallest double', () => {
    expect(relativeError(chiSquare.logSf(2000, 1), -1004.0267419589519)).toBeLessThan(1e-12);
    expect(Number.isFinite(studentT.logSf(1e9, 1e4))).toBe(true);
    expect(Number.isFinite(normal.logSf(1e300))).toBe(true);
    expect(Number.isFinite(studentT.logSf(1e200, 3))).toBe(true);
    expect(Number.isFinite(chiSquare.logSf(1e12, 5))).toBe(true);
  });

  it('agree with jStat within its own accuracy in the body', () => {
    for (const z of [-4, -2, 0.3, 1.5]) expect(relativeError(normal.cdf(z), jStat.normal.cdf(z, 0, 1))).toBeLessThan(1e-7);
    for (const t of [-3, -1, 0.5]) expect(relativeError(studentT.cdf(t, 30), jStat.studentt.cdf(t, 30))).toBeLessThan(1e-7);
    for (const x of [2, 9, 20]) expect(relativeError(chiSquare.cdf(x, 9), jStat.chisquare.cdf(x, 9))).toBeLessThan(1e-7);
    expect(relativeError(beta.cdf(0.1, 100, 900), jStat.beta.cdf(0.1, 100, 900))).toBeLessThan(1e-6);
  });
});

const tail = fc.double({ min: -690, max: -0.01, noNaN: true }).map(Math.exp);
const degrees = fc.double({ min: 0, max: 16, noNaN: true }).map(Math.exp);
const shape = fc.double({ min: -2, max: 12, noNaN: true }).map(Math.exp);

describe('quantiles', () => {
  it('undo their tails', () => {
    fc.assert(
      fc.property(tail, degrees, shape, shape, (p, df, a, b) => {
        expect(relativeError(normal.sf(normal.isf(p)), p)).toBeLessThan(1e-9);
        expect(relativeError(studentT.sf(studentT.isf(p, df), df), p)).toBeLessThan(1e-9);
        expect(relativeError(chiSquare.sf(chiSquare.isf(p, df), df), p)).toBeLessThan(1e-9);
        expect(relativeError(gamma.sf(gamma.isf(p, a), a), p)).toBeLessThan(1e-9);
        const x = beta.quantile(p, a, b);
        // A quantile within a rounding error of an end has no digits to give the tail back.
        if (x > 1e-300 && x < 0.999) expect(relativeError(beta.cdf(x, a, b), p)).toBeLessThan(1e-8);
      }),
    );
  });

  it('refuse probabilities of 0 and 1, which have none', () => {
    for (const p of [0, 1, -0.1, 1.1, Number.NaN]) {
      expect(() => normal.isf(p)).toThrow(RangeError);
      expect(() => studentT.isf(p, 5)).toThrow(RangeError);
      expect(() => chiSquare.isf(p, 5)).toThrow(RangeError);
      expect(() => beta.quantile(p, 2, 3)).toThrow(RangeError);
    }
  });

  it('refuse a quantile that no double can hold', () => {
    expect(() => studentT.isf(1e-300, 0.5)).toThrow('exceeds the largest double');
  });
});

describe('distribution functions', () => {
  it('stay in [0, 1] and fall with the argument', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: 1e-6, max: 5, noNaN: true }), degrees, (x, step, df) => {
        for (const sf of [normal.sf, (z: number) => studentT.sf(z, df), (z: number) => chiSquare.sf(Math.max(0, z) * df, df)]) {
          const [here, beyond] = [sf(x), sf(x + step)];
          expect(here).toBeLessThanOrEqual(1);
          expect(beyond).toBeGreaterThanOrEqual(0);
          expect(beyond).toBeLessThanOrEqual(here * (1 + 1e-12));
        }
      }),
    );
  });

  it('refuse what is not a number', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => normal.sf(bad)).toThrow(RangeError);
      expect(() => studentT.sf(bad, 3)).toThrow(RangeError);
      expect(() => studentT.sf(1, bad)).toThrow(RangeError);
      expect(() => chiSquare.sf(bad, 3)).toThrow(RangeError);
      expect(() => beta.cdf(bad, 1, 1)).toThrow(RangeError);
    }
  });

  it('put the noncentral t on the central one when there is no effect', () => {
    for (const df of [1, 7, 300, 1e6]) expect(relativeError(noncentralT.cdf(1.3, df, 0), studentT.cdf(1.3, df))).toBeLessThan(1e-9);
    expect(noncentralT.cdf(1.3, 7, 2) + noncentralT.sf(1.3, 7, 2)).toBeCloseTo(1, 10);
  });
});
