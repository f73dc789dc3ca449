/** Several covariates as the one that predicts best: least squares on all of them, then CUPED as with one (Deng, Xu, Kohavi & Walker 2013). */
import type { CoMoments } from '../sums/co-moments.js';
import { type CrossMoments, type Matrix, mergeCrossMoments, quadraticForm } from '../sums/cross-moments.js';
import type { ThetaFrom } from './cuped.js';

export interface CompositeCovariate {
  /** Of each covariate, in their order; `null`: left out, since the others say what it says, or it does not vary. */
  readonly slopes: readonly (number | null)[];
  /** Per arm: x = Σ slope·covariate, y = outcome. The slope of y on x is 1 over the sample that the slopes are of. */
  readonly pairs: readonly CoMoments[];
  /** All arms as one sample. */
  readonly pool: CoMoments;
}

/** Below this share of its variance a covariate is what the ones before it are: rounding. */
const SMALLEST_PIVOT = 1e-10;

/**
 * @param arms  values per unit in this order: outcome, then covariates, all observed before exposure
 * @param from  `pooled`: all arms as one sample; `within`: around each arm's own means
 * @throws RangeError without arms
 */
export const compositeCovariate = (arms: readonly CrossMoments[], from: ThetaFrom = 'pooled'): CompositeCovariate => {
  const [first, ...rest] = arms;
  if (first === undefined) throw new RangeError('slopes need at least one arm, got none');
  const all = rest.reduce(mergeCrossMoments, first);
  const scatter = from === 'pooled' ? all.scatter : rest.reduce((sum, arm) => added(sum, arm.scatter), first.scatter);
  const slopes = slopesOf(scatter);
  const of = (arm: CrossMoments) => pairOf(arm, slopes);
  return { slopes, pairs: arms.map(of), pool: of(all) };
};

const added = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((value, j) => value + (b[i]?.[j] ?? 0)));

const pairOf = ({ n, means, scatter }: CrossMoments, slopes: readonly (number | null)[]): CoMoments => {
  const direction = [0, ...slopes.map((slope) => slope ?? 0)];
  const outcome = direction.map((_, i) => (i === 0 ? 1 : 0));
  return {
    n,
    meanX: means.reduce((sum, mean, i) => sum + mean * (direction[i] ?? 0), 0),
    meanY: means[0] ?? 0,
    m2X: Math.max(0, quadraticForm(direction, scatter)),
    m2Y: scatter[0]?.[0] ?? 0,
    cXY: quadraticForm(outcome, scatter, direction),
  };
};

/** Solves (X'X)θ = X'Y by Cholesky; the covariate with the smallest pivot leaves until all that are left stand by themselves. */
const slopesOf = (scatter: Matrix): readonly (number | null)[] => {
  const at = (i: number, j: number) => scatter[i]?.[j] ?? 0;
  let kept = scatter.map((_, i) => i).filter((i) => i > 0 && at(i, i) > 0);
  for (;;) {
    const { factor, weakest } = choleskyOf(kept, at);
    if (weakest === undefined) {
      const solved = solve(
        factor,
        kept.map((i) => at(i, 0)),
      );
      return scatter.slice(1).map((_, place) => (kept.includes(place + 1) ? (solved[kept.indexOf(place + 1)] ?? null) : null));
    }
    kept = kept.filter((i) => i !== weakest);
  }
};

const choleskyOf = (kept: readonly number[], at: (i: number, j: number) => number) => {
  const factor: number[][] = [];
  let smallest = { pivot: SMALLEST_PIVOT, index: undefined as number | undefined };
  for (const [row, i] of kept.entries()) {
    const own: number[] = [];
    for (const [column, j] of kept.slice(0, row).entries()) {
      const other = factor[column] ?? [];
      const rest = other.slice(0, column).reduce((sum, value, k) => sum + value * (own[k] ?? 0), 0);
      const diagonal = other[column] ?? 0;
      own.push(diagonal > 0 ? (at(i, j) - rest) / diagonal : 0);
    }
    const left = at(i, i) - own.reduce((sum, value) => sum + value * value, 0);
    if (left / at(i, i) < smallest.pivot) smallest = { pivot: left / at(i, i), index: i };
    factor.push([...own, Math.sqrt(Math.max(0, left))]);
  }
  return { factor, weakest: smallest.index };
};

/** L·Lᵀ·θ = right. */
const solve = (factor: readonly (readonly number[])[], right: readonly number[]): readonly number[] => {
  const forward: number[] = [];
  for (const [i, row] of factor.entries()) {
    const known = forward.reduce((sum, value, k) => sum + value * (row[k] ?? 0), 0);
    forward.push(((right[i] ?? 0) - known) / (row[i] ?? 1));
  }
  const back = new Array<number>(forward.length).fill(0);
  for (let i = forward.length - 1; i >= 0; i--) {
    let known = 0;
    for (let k = i + 1; k < forward.length; k++) known += (factor[k]?.[i] ?? 0) * (back[k] ?? 0);
    back[i] = ((forward[i] ?? 0) - known) / (factor[i]?.[i] ?? 1);
  }
  return back;
};
