/** Cases of distribution functions, sums and caps. */
import {
  addValue,
  beta,
  capValues,
  chiSquare,
  compensatedSum,
  emptyMoments,
  fromIntegerSums,
  type Moments,
  normal,
  percentileCap,
  replaceValue,
  sampleVariance,
  studentT,
} from '@rampart/statistics';
import type { Json, JsonRecord } from '../reference-cases.js';
import { has, listAt, numberAt, numbersAt, valuesAt } from './case-input.js';

export const numericsNormal = (input: JsonRecord): JsonRecord => {
  if (has(input, 'upperTail')) return { z: normal.isf(numberAt(input, 'upperTail')) };
  const z = numberAt(input, 'z');
  return { sf: normal.sf(z), logSf: normal.logSf(z), cdf: normal.cdf(z) };
};

export const numericsT = (input: JsonRecord): JsonRecord => {
  const df = numberAt(input, 'df');
  if (has(input, 'upperTail')) return { t: studentT.isf(numberAt(input, 'upperTail'), df) };
  const t = numberAt(input, 't');
  return { sf: studentT.sf(t, df), logSf: studentT.logSf(t, df), cdf: studentT.cdf(t, df) };
};

export const numericsChiSquare = (input: JsonRecord): JsonRecord => {
  const df = numberAt(input, 'df');
  if (has(input, 'upperTail')) return { x: chiSquare.isf(numberAt(input, 'upperTail'), df) };
  const x = numberAt(input, 'x');
  return { sf: chiSquare.sf(x, df), logSf: chiSquare.logSf(x, df), cdf: chiSquare.cdf(x, df) };
};

export const numericsBeta = (input: JsonRecord): JsonRecord => {
  const [x, a, b] = [numberAt(input, 'x'), numberAt(input, 'a'), numberAt(input, 'b')];
  return { cdf: beta.cdf(x, a, b), sf: beta.sf(x, a, b), logSf: beta.logSf(x, a, b) };
};

const statisticsOf = (moments: Moments): JsonRecord => ({
  n: moments.n,
  mean: moments.mean,
  ...(moments.n > 1 ? { variance: sampleVariance(moments) } : {}),
});

/** Exact where values are whole numbers, one by one otherwise. */
const momentsOf = (values: readonly number[]): Moments => {
  if (!values.every(Number.isSafeInteger)) return values.reduce(addValue, emptyMoments);
  const whole = values.map(BigInt);
  const sum = whole.reduce((total, x) => total + x, 0n);
  const sumSquares = whole.reduce((total, x) => total + x * x, 0n);
  return fromIntegerSums({ n: values.length, sum, sumSquares, scale: 1 });
};

export const streamingSums = (input: JsonRecord): JsonRecord => {
  if (has(input, 'updates')) return afterUpdates(listAt(input, 'updates'));
  const values = numbersAt(input, 'values');
  return { ...statisticsOf(momentsOf(values)), sum: compensatedSum(values) };
};

/** [unit, old value, new value]; a unit that is new joins. */
const afterUpdates = (updates: readonly Json[]): JsonRecord => {
  const known = new Set<Json>();
  const moments = updates.reduce<Moments>((at, update) => {
    if (!Array.isArray(update)) throw new Error(`an update is [unit, old, new], got ${JSON.stringify(update)}`);
    const [unit, before, after] = update as readonly Json[];
    if (typeof before !== 'number' || typeof after !== 'number' || unit === undefined)
      throw new Error(`no update: ${JSON.stringify(update)}`);
    const isKnown = known.has(unit);
    known.add(unit);
    return isKnown ? replaceValue(at, before, after) : addValue(at, after);
  }, emptyMoments);
  return { ...statisticsOf(moments), sum: moments.n * moments.mean, sumSq: moments.m2 + moments.n * moments.mean ** 2 };
};

export const winsorization = (input: JsonRecord): JsonRecord => {
  const values = valuesAt(input, 'values');
  const cap = percentileCap(values, numberAt(input, 'percentile'), { ignoreZeros: input.ignoreZeros === true });
  if (cap === null) return { error: 'NO_VALUES' };
  const { values: capped, shareCapped } = capValues(values, cap);
  return { cap, meanAfter: compensatedSum(capped) / capped.length, shareCapped };
};
