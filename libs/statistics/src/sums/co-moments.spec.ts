import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addPair,
  type CoMoments,
  coMomentsFromFloatSums,
  coMomentsFromIntegerSums,
  covarianceFromFloatSums,
  emptyCoMoments,
  mergeCoMoments,
  replacePair,
} from './co-moments.js';
import { crossMomentsFromFloatSums, crossMomentsFromIntegerSums, mergeCrossMoments, quadraticForm } from './cross-moments.js';

type Pair = readonly [x: number, y: number];
const number = fc.integer({ min: -100_000, max: 100_000 });
const pairs = fc.array(fc.tuple(number, number), { minLength: 1, maxLength: 30 });

const onePass = (values: readonly Pair[]): CoMoments => values.reduce((at, [x, y]) => addPair(at, x, y), emptyCoMoments);

const integerSumsOf = (values: readonly Pair[]) => {
  const total = (f: (pair: Pair) => number): bigint => values.reduce((sum, pair) => sum + BigInt(f(pair)), 0n);
  return {
    n: values.length,
    sumX: total(([x]) => x),
    sumY: total(([, y]) => y),
    sumSquaresX: total(([x]) => x * x),
    sumSquaresY: total(([, y]) => y * y),
    sumProducts: total(([x, y]) => x * y),
    scale: 1,
  };
};

const expectAlike = (actual: CoMoments, expected: CoMoments): void => {
  expect(actual.n).toBe(expected.n);
  for (const key of ['meanX', 'meanY'] as const) expect(Math.abs(actual[key] - expected[key])).toBeLessThan(1e-6);
  for (const key of ['m2X', 'm2Y', 'cXY'] as const) expect(Math.abs(actual[key] - expected[key])).toBeLessThan(1e-2);
};

describe('co-moments', () => {
  it('from integer sums, one pass and merging are the same', () => {
    fc.assert(
      fc.property(pairs, pairs, (a, b) => {
        const all = coMomentsFromIntegerSums(integerSumsOf([...a, ...b]));
        expectAlike(onePass([...a, ...b]), all);
        expectAlike(mergeCoMoments(onePass(a), onePass(b)), all);
        expectAlike(mergeCoMoments(onePass(b), onePass(a)), all);
      }),
    );
  });

  it('follow a replaced pair', () => {
    fc.assert(
      fc.property(pairs, fc.tuple(number, number), (values, next) => {
        const [first = [0, 0] as const, ...rest] = values;
        expectAlike(replacePair(onePass(values), first, next), onePass([next, ...rest]));
      }),
    );
  });

  it('bring each value to its own scale', () => {
    const plain = coMomentsFromIntegerSums(
      integerSumsOf([
        [1, 20],
        [3, 10],
        [8, 70],
      ]),
    );
    const scaled = coMomentsFromIntegerSums({
      ...integerSumsOf([
        [10, 2000],
        [30, 1000],
        [80, 7000],
      ]),
      scaleX: 10,
      scaleY: 100,
    });
    expect(scaled).toEqual(plain);
  });

  it('keep |covariance| within the geometric mean of the variances', () => {
    fc.assert(
      fc.property(pairs, (values) => {
        const { m2X, m2Y, cXY } = coMomentsFromIntegerSums(integerSumsOf(values));
        expect(Math.abs(cXY)).toBeLessThanOrEqual(Math.sqrt(m2X * m2Y) * (1 + 1e-12));
      }),
    );
  });

  it('are empty without units and refuse to replace one of none', () => {
    expect(coMomentsFromIntegerSums({ ...integerSumsOf([]), n: 0 })).toEqual(emptyCoMoments);
    expect(() => replacePair(emptyCoMoments, [0, 0], [1, 1])).toThrow(RangeError);
    expect(() => covarianceFromFloatSums({ n: 1, sumA: 1, sumB: 1, sumAB: 1 })).toThrow(RangeError);
    expect(() => coMomentsFromFloatSums({ n: 2, sumX: Number.NaN, sumY: 0, sumSquaresX: 0, sumSquaresY: 0, sumProducts: 0 })).toThrow(
      RangeError,
    );
  });
});

describe('cross moments', () => {
  it('hold the co-moments of every pair, merged or not', () => {
    fc.assert(
      fc.property(pairs, pairs, (a, b) => {
        const crossOf = (values: readonly Pair[]) => {
          const { n, sumX, sumY, sumSquaresX, sumSquaresY, sumProducts } = integerSumsOf(values);
          return crossMomentsFromIntegerSums({
            n,
            sums: [sumX, sumY],
            products: [
              [sumSquaresX, sumProducts],
              [sumProducts, sumSquaresY],
            ],
            scale: 1,
          });
        };
        const merged = mergeCrossMoments(crossOf(a), crossOf(b));
        const { m2X, m2Y, cXY } = coMomentsFromIntegerSums(integerSumsOf([...a, ...b]));
        expect(Math.abs(quadraticForm([1, 0], merged.scatter) - m2X)).toBeLessThan(1e-2);
        expect(Math.abs(quadraticForm([0, 1], merged.scatter) - m2Y)).toBeLessThan(1e-2);
        expect(Math.abs(quadraticForm([1, 0], merged.scatter, [0, 1]) - cXY)).toBeLessThan(1e-2);
      }),
    );
  });

  it('refuse an empty sample', () => {
    expect(() => crossMomentsFromFloatSums({ n: 0, sums: [], products: [] })).toThrow(RangeError);
  });
});
