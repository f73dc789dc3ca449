/** Sufficient statistics of pairs per unit: numerator and denominator, outcome and covariate. */
import { integerRatio } from '../kernel/integer-ratio.js';
import { requireCount, requireFinite, requireScale } from '../kernel/requirements.js';
import { MILLIONTHS, type Moments, withoutRounding } from './moments.js';

export interface CoMoments {
  readonly n: number;
  readonly meanX: number;
  readonly meanY: number;
  readonly m2X: number;
  readonly m2Y: number;
  /** Σ(x − meanX)(y − meanY). */
  readonly cXY: number;
}

interface PairSums<T> {
  readonly n: number;
  readonly sumX: T;
  readonly sumY: T;
  readonly sumSquaresX: T;
  readonly sumSquaresY: T;
  readonly sumProducts: T;
}

/** Exact sums of integers that stand for x·scaleX and y·scaleY (1 000 000 unless told; `scale` sets both). */
export interface IntegerPairSums extends PairSums<bigint> {
  readonly scale?: number;
  readonly scaleX?: number;
  readonly scaleY?: number;
}

export const emptyCoMoments: CoMoments = { n: 0, meanX: 0, meanY: 0, m2X: 0, m2Y: 0, cXY: 0 };

/** Co-moments of integer sums, centred in integers and rounded once each. */
export const coMomentsFromIntegerSums = (sums: IntegerPairSums): CoMoments => {
  const { n, sumX, sumY, sumSquaresX, sumSquaresY, sumProducts, scale = MILLIONTHS, scaleX = scale, scaleY = scale } = sums;
  if (requireCount('n', n) === 0) return emptyCoMoments;
  const [count, perX, perY] = [BigInt(n), requireScale(scaleX), requireScale(scaleY)];
  return {
    n,
    meanX: integerRatio(sumX, count * perX),
    meanY: integerRatio(sumY, count * perY),
    m2X: integerRatio(count * sumSquaresX - sumX * sumX, count * perX * perX),
    m2Y: integerRatio(count * sumSquaresY - sumY * sumY, count * perY * perY),
    cXY: integerRatio(count * sumProducts - sumX * sumY, count * perX * perY),
  };
};

/** Co-moments of floating-point sums, for figures that come from elsewhere; loses digits where means exceed spreads. */
export const coMomentsFromFloatSums = (sums: PairSums<number>): CoMoments => {
  const { n, sumX, sumY, sumSquaresX, sumSquaresY, sumProducts } = sums;
  if (requireCount('n', n) === 0) return emptyCoMoments;
  for (const [name, value] of Object.entries(sums)) requireFinite(name, value);
  const [meanX, meanY] = [sumX / n, sumY / n];
  return {
    n,
    meanX,
    meanY,
    m2X: withoutRounding(sumSquaresX - sumX * meanX, sumX * meanX),
    m2Y: withoutRounding(sumSquaresY - sumY * meanY, sumY * meanY),
    cXY: sumProducts - sumX * meanY,
  };
};

/** Covariance of floating-point sums, (ΣAB − ΣAΣB/n)/(n − 1). Golden: cov-gb. @throws RangeError when n < 2 */
export const covarianceFromFloatSums = (sums: {
  readonly n: number;
  readonly sumA: number;
  readonly sumB: number;
  readonly sumAB: number;
}): number => {
  const { n, sumA, sumB, sumAB } = sums;
  if (requireCount('n', n) < 2) throw new RangeError(`a covariance needs at least 2 units, got ${n}`);
  return (requireFinite('sumAB', sumAB) - (requireFinite('sumA', sumA) * requireFinite('sumB', sumB)) / n) / (n - 1);
};

/** Co-moments of two disjoint samples together (Chan, Golub & LeVeque 1983). */
export const mergeCoMoments = (a: CoMoments, b: CoMoments): CoMoments => {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const [deltaX, deltaY, weight] = [b.meanX - a.meanX, b.meanY - a.meanY, (a.n * b.n) / n];
  return {
    n,
    meanX: a.meanX + (deltaX * b.n) / n,
    meanY: a.meanY + (deltaY * b.n) / n,
    m2X: a.m2X + b.m2X + deltaX * deltaX * weight,
    m2Y: a.m2Y + b.m2Y + deltaY * deltaY * weight,
    cXY: a.cXY + b.cXY + deltaX * deltaY * weight,
  };
};

/** One more unit. */
export const addPair = (at: CoMoments, x: number, y: number): CoMoments =>
  mergeCoMoments(at, { n: 1, meanX: requireFinite('x', x), meanY: requireFinite('y', y), m2X: 0, m2Y: 0, cXY: 0 });

/** A unit's pair became another: first x moves, then y. @throws RangeError when there is no unit */
export const replacePair = (at: CoMoments, before: readonly [x: number, y: number], after: readonly [x: number, y: number]): CoMoments => {
  if (at.n < 1) throw new RangeError('no unit to replace: the co-moments are empty');
  const [changeX, changeY] = [after[0] - before[0], after[1] - before[1]];
  const [meanX, meanY] = [at.meanX + changeX / at.n, at.meanY + changeY / at.n];
  return {
    n: at.n,
    meanX,
    meanY,
    m2X: Math.max(0, at.m2X + changeX * (after[0] - meanX + (before[0] - at.meanX))),
    m2Y: Math.max(0, at.m2Y + changeY * (after[1] - meanY + (before[1] - at.meanY))),
    cXY: at.cXY + changeX * (before[1] - at.meanY) + changeY * (after[0] - meanX),
  };
};

export const momentsOfX = ({ n, meanX, m2X }: CoMoments): Moments => ({ n, mean: meanX, m2: m2X });
export const momentsOfY = ({ n, meanY, m2Y }: CoMoments): Moments => ({ n, mean: meanY, m2: m2Y });
