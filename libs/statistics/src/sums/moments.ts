/** One sample's sufficient statistics: built from exact integer sums, merged, and updated in place of one unit's value. */
import { integerRatio } from '../kernel/integer-ratio.js';
import { requireCount, requireFinite, requireScale } from '../kernel/requirements.js';

/** Values per unit: how many units, their mean, and the sum of squares around it (same unit as the values, squared). */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** Σ(x − mean)². Below 0 only when the sums it came from contradict each other; comparisons then refuse. */
  readonly m2: number;
}

/** Sums of integers that stand for value·scale; `sum` and `sumSquares` are exact. */
export interface IntegerSums {
  readonly n: number;
  readonly sum: bigint;
  readonly sumSquares: bigint;
  /** How many units of the integers make one unit of the value; 1 000 000 unless told. */
  readonly scale?: number;
}

export const MILLIONTHS = 1_000_000;

export const emptyMoments: Moments = { n: 0, mean: 0, m2: 0 };

/**
 * Moments of integer sums. The centring n·Σx² − (Σx)² happens in integers, so a mean a million times the spread costs no digit:
 * raw double sums give a variance of 41 270 instead of 1 at a mean of 1e9.
 * @returns mean and m2 in units of the value, each rounded once; n = 0 gives empty moments
 * Golden: var-offset-1e15, unit-value-updates
 */
export const fromIntegerSums = ({ n, sum, sumSquares, scale = MILLIONTHS }: IntegerSums): Moments => {
  if (requireCount('n', n) === 0) return emptyMoments;
  const [count, perValue] = [BigInt(n), requireScale(scale)];
  return {
    n,
    mean: integerRatio(sum, count * perValue),
    m2: integerRatio(count * sumSquares - sum * sum, count * perValue * perValue),
  };
};

/** How far a centred sum of squares may fall below 0, relative to what was subtracted, and still be rounding. */
const SHORTFALL = 1e-9;
/** Above 0 only the last digits are doubtful. A variance made of them would be a certainty that nobody has. */
const REMAINDER = 1e-14;

/** A difference of two large sums, or 0 where rounding is all that is left of it; a real shortfall stays negative. */
export const withoutRounding = (difference: number, subtracted: number): number =>
  difference <= REMAINDER * subtracted && difference >= -SHORTFALL * subtracted ? 0 : difference;

/**
 * Moments of floating-point sums, for figures that come from elsewhere (papers, other tools).
 * Loses 2·log10(|mean|/sd) digits; what is only rounding becomes 0, a larger shortfall stays negative and is refused by comparisons.
 */
export const fromFloatSums = ({
  n,
  sum,
  sumSquares,
}: {
  readonly n: number;
  readonly sum: number;
  readonly sumSquares: number;
}): Moments => {
  if (requireCount('n', n) === 0) return emptyMoments;
  const mean = requireFinite('sum', sum) / n;
  const explained = sum * mean;
  return { n, mean, m2: withoutRounding(requireFinite('sumSquares', sumSquares) - explained, explained) };
};

/**
 * Moments of a 0/1 value with the binomial variance m(1 − m), without n/(n − 1): the convention of GrowthBook, PostHog and
 * spotify/confidence, whose published figures it reproduces. Not for merging with moments of values.
 * @throws RangeError unless 0 ≤ successes ≤ n
 */
export const proportionMoments = (n: number, successes: number): Moments => {
  if (requireCount('n', n) === 0) return emptyMoments;
  if (!(successes >= 0 && successes <= n)) throw new RangeError(`successes must be between 0 and n = ${n}, got ${successes}`);
  const mean = successes / n;
  return { n, mean, m2: mean * (1 - mean) * (n - 1) };
};

/** Unbiased variance per unit, m2 / (n − 1). @throws RangeError when n < 2 */
export const sampleVariance = ({ n, m2 }: Moments): number => {
  if (n < 2) throw new RangeError(`a variance needs at least 2 units, got ${n}`);
  return m2 / (n - 1);
};

/** Variance of the mean. @throws RangeError when n < 2 */
export const varianceOfMean = (moments: Moments): number => sampleVariance(moments) / moments.n;

/** Moments of two disjoint samples together (Chan, Golub & LeVeque 1983). */
export const mergeMoments = (a: Moments, b: Moments): Moments => {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const delta = b.mean - a.mean;
  return { n, mean: a.mean + (delta * b.n) / n, m2: a.m2 + b.m2 + (delta * delta * a.n * b.n) / n };
};

/** One more unit. */
export const addValue = ({ n, mean, m2 }: Moments, value: number): Moments => {
  const delta = requireFinite('value', value) - mean;
  const nextMean = mean + delta / (n + 1);
  return { n: n + 1, mean: nextMean, m2: m2 + delta * (value - nextMean) };
};

/** A unit's value became another; the number of units stays. @throws RangeError when there is no unit */
export const replaceValue = ({ n, mean, m2 }: Moments, before: number, after: number): Moments => {
  if (n < 1) throw new RangeError('no unit to replace: the moments are empty');
  const change = requireFinite('after', after) - requireFinite('before', before);
  const nextMean = mean + change / n;
  return { n, mean: nextMean, m2: Math.max(0, m2 + change * (after - nextMean + (before - mean))) };
};

/** A unit left. @throws RangeError when there is no unit */
export const removeValue = ({ n, mean, m2 }: Moments, value: number): Moments => {
  if (n < 1) throw new RangeError('no unit to remove: the moments are empty');
  if (n === 1) return emptyMoments;
  const nextMean = mean - (value - mean) / (n - 1);
  return { n: n - 1, mean: nextMean, m2: Math.max(0, m2 - (value - mean) * (value - nextMean)) };
};
