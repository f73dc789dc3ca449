/** Sufficient statistics of several values per unit at once: their means and centred cross-products. */
import { integerRatio } from '../kernel/integer-ratio.js';
import { requireCount, requireFinite, requireScale } from '../kernel/requirements.js';
import { MILLIONTHS } from './moments.js';

export type Matrix = readonly (readonly number[])[];

export interface CrossMoments {
  readonly n: number;
  readonly means: readonly number[];
  /** [i][j] = Σ (x_i − mean_i)(x_j − mean_j). */
  readonly scatter: Matrix;
}

interface CrossSums<T> {
  readonly n: number;
  readonly sums: readonly T[];
  /** [i][j] = Σ x_i x_j; symmetric, both halves given. */
  readonly products: readonly (readonly T[])[];
}

const at = <T>(values: readonly T[], index: number): T => {
  const value = values[index];
  if (value === undefined) throw new RangeError(`${values.length} values, but number ${index + 1} is asked for`);
  return value;
};

/** From exact sums of integers that stand for value·scale; centred in integers, rounded once each. */
export const crossMomentsFromIntegerSums = ({
  n,
  sums,
  products,
  scale = MILLIONTHS,
}: CrossSums<bigint> & { readonly scale?: number }): CrossMoments => {
  if (requireCount('n', n) === 0) throw new RangeError('cross moments need at least one unit, got none');
  const [count, per] = [BigInt(n), requireScale(scale)];
  return {
    n,
    means: sums.map((sum) => integerRatio(sum, count * per)),
    scatter: sums.map((sumI, i) => sums.map((sumJ, j) => integerRatio(count * at(at(products, i), j) - sumI * sumJ, count * per * per))),
  };
};

/** From floating-point sums, for figures that come from elsewhere. */
export const crossMomentsFromFloatSums = ({ n, sums, products }: CrossSums<number>): CrossMoments => {
  if (requireCount('n', n) === 0) throw new RangeError('cross moments need at least one unit, got none');
  for (const value of [...sums, ...products.flat()]) requireFinite('a sum', value);
  return {
    n,
    means: sums.map((sum) => sum / n),
    scatter: sums.map((sumI, i) => sums.map((sumJ, j) => at(at(products, i), j) - (sumI * sumJ) / n)),
  };
};

/** Two disjoint samples together. */
export const mergeCrossMoments = (a: CrossMoments, b: CrossMoments): CrossMoments => {
  const n = a.n + b.n;
  const deltas = a.means.map((mean, i) => at(b.means, i) - mean);
  return {
    n,
    means: a.means.map((mean, i) => mean + (at(deltas, i) * b.n) / n),
    scatter: a.scatter.map((row, i) =>
      row.map((value, j) => value + at(at(b.scatter, i), j) + (at(deltas, i) * at(deltas, j) * a.n * b.n) / n),
    ),
  };
};

/** gᵀ·M·h. */
export const quadraticForm = (g: readonly number[], matrix: Matrix, h: readonly number[] = g): number =>
  matrix.reduce((sum, row, i) => sum + at(g, i) * row.reduce((inner, value, j) => inner + value * at(h, j), 0), 0);
