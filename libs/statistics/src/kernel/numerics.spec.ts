import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { logMeanExp, logSumExp } from './log-space.js';
import { integrate, integrateBetween } from './quadrature.js';
import { bracketUpwards, findRoot } from './root-finding.js';
import { log1pMinusX, logRatioMinusExcess, stirlingError } from './stirling.js';
import { riemannZeta } from './zeta.js';

describe('root finding', () => {
  it('finds the root of a cubic anywhere in its bracket', () => {
    fc.assert(
      fc.property(fc.double({ min: -99, max: 99, noNaN: true }), (root) => {
        const found = findRoot((x) => (x - root) * (x * x + 1), -100, 100);
        expect(Math.abs(found - root)).toBeLessThan(1e-12 * (1 + Math.abs(root)));
      }),
    );
  });

  it('takes an end that is the root, and refuses a bracket without one', () => {
    expect(findRoot((x) => x, 0, 5)).toBe(0);
    expect(findRoot((x) => x - 5, 0, 5)).toBe(5);
    expect(() => findRoot((x) => x * x + 1, -1, 1)).toThrow('no sign change between -1 (2) and 1 (2)');
  });

  it('looks upwards in growing steps for a change of sign', () => {
    const [low, high] = bracketUpwards((x) => x - 1000, 0, 1);
    expect(low).toBeLessThanOrEqual(1000);
    expect(high).toBeGreaterThanOrEqual(1000);
    expect(() => bracketUpwards(() => 1, 0, 1)).toThrow('no sign change above 0');
  });
});

describe('quadrature', () => {
  it('is exact for polynomials up to degree 39', () => {
    expect(integrate((x) => x ** 39, 0, 1, 1)).toBeCloseTo(1 / 40, 14);
    expect(integrate((x) => x ** 38 - 3, -1, 1, 1)).toBeCloseTo(2 / 39 - 6, 13);
  });

  it('adds up over corners, and is 0 without an interval', () => {
    expect(integrateBetween(Math.exp, [0, 0.1, 1, 2], 2)).toBeCloseTo(Math.exp(2) - 1, 12);
    expect(integrateBetween(Math.exp, [1], 2)).toBe(0);
    expect(integrateBetween(Math.exp, [], 2)).toBe(0);
  });
});

describe('small differences', () => {
  it('ln(1 + x) − x keeps its digits near 0', () => {
    expect(log1pMinusX(1e-10)).toBeCloseTo(-5e-21, 30);
    expect(log1pMinusX(1e-10) / -5e-21).toBeCloseTo(1, 9);
    expect(log1pMinusX(0)).toBe(0);
    for (const x of [-0.9, -0.39, 0.39, 0.41, 5]) expect(log1pMinusX(x) / (Math.log1p(x) - x)).toBeCloseTo(1, 13);
  });

  it('ln of a ratio minus its excess is finite for a ratio near 0', () => {
    expect(logRatioMinusExcess(1e-200, 1, 1e-200 - 1)).toBeCloseTo(Math.log(1e-200) + 1, 10);
    expect(logRatioMinusExcess(1 + 1e-9, 1, 1e-9) / -5e-19).toBeCloseTo(1, 6);
  });

  it('Stirling’s error gives factorials', () => {
    let factorial = 1;
    for (let n = 1; n <= 20; n++) {
      factorial *= n;
      const logFactorial = (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + stirlingError(n);
      expect(Math.exp(logFactorial) / factorial).toBeCloseTo(1, 12);
    }
  });
});

describe('sums of logarithms', () => {
  it('do not overflow', () => {
    expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 12);
    expect(logMeanExp([-1000, -1000])).toBeCloseTo(-1000, 12);
  });
});

describe('zeta', () => {
  it('has its known values', () => {
    expect(riemannZeta(2)).toBeCloseTo(Math.PI ** 2 / 6, 14);
    expect(riemannZeta(4)).toBeCloseTo(Math.PI ** 4 / 90, 14);
    expect(riemannZeta(1.4)).toBeCloseTo(3.105_547_277_9, 8);
    expect(() => riemannZeta(1)).toThrow(RangeError);
  });
});
