/** Sample-ratio mismatch: do the arms hold the shares of units that the allocation promised? */
import { chiSquare, normal } from '../distributions.js';
import { type Probability, requireCount, requirePositive } from '../kernel/requirements.js';
import { stirlingError } from '../kernel/stirling.js';
import { averageLogE, fromLogE, type SequentialTest } from '../sequential/e-values.js';

export type SrmTest =
  | {
      readonly kind: 'tested';
      readonly chi2: number;
      readonly df: number;
      readonly p: Probability;
      readonly logP: number;
      readonly expected: readonly number[];
    }
  | { readonly kind: 'not-testable'; readonly reason: 'NO_UNITS' | 'FEWER_THAN_TWO_ARMS' };

/**
 * Pearson's χ² of observed units against allocation weights; arms of weight 0 leave both the sum and the degrees of freedom.
 * @param observed  units per arm
 * @param weights   allocation per arm in any unit; only their ratios count
 * Valid for one look. Looked at 2 000 times, p < .001 alarms in 2.6 % of healthy runs: use `srmSequential`.
 * Expected counts below 5 make the p approximate: the caller decides whether to show it.
 * Golden: srm_chi2
 */
export const srmChiSquare = (observed: readonly number[], weights: readonly number[]): SrmTest => {
  requireAllocation(observed, weights);
  return srmChiSquareOverPeriods([{ observed, weights }]);
};

export interface AllocationPeriod {
  readonly observed: readonly number[];
  readonly weights: readonly number[];
}

/**
 * χ² with the *expected* counts accumulated over periods of constant weights (ramps, bandits). Totals against the last weights
 * would call a healthy run broken. Conservative: Σ n_p w_p(1 − w_p) ≤ N w̄(1 − w̄).
 * Golden: bandit-srm
 */
export const srmChiSquareOverPeriods = (periods: readonly AllocationPeriod[]): SrmTest => {
  const arms = Math.max(0, ...periods.map(({ observed }) => observed.length));
  const observed = new Array<number>(arms).fill(0);
  const expected = new Array<number>(arms).fill(0);
  for (const period of periods) {
    const shares = sharesOf(period);
    const usable = period.observed.map((count, arm) => ((shares[arm] ?? 0) > 0 ? count : 0));
    const total = usable.reduce((sum, count) => sum + count, 0);
    for (let arm = 0; arm < arms; arm++) {
      observed[arm] = (observed[arm] ?? 0) + (usable[arm] ?? 0);
      expected[arm] = (expected[arm] ?? 0) + total * (shares[arm] ?? 0);
    }
  }
  const tested = expected.flatMap((e, arm) => (e > 0 ? [{ e, o: observed[arm] ?? 0 }] : []));
  if (periods.every((period) => sharesOf(period).filter((share) => share > 0).length < 2)) {
    return { kind: 'not-testable', reason: 'FEWER_THAN_TWO_ARMS' };
  }
  if (tested.length < 2) return { kind: 'not-testable', reason: 'NO_UNITS' };
  const chi2 = tested.reduce((sum, { e, o }) => sum + (o - e) ** 2 / e, 0);
  const df = tested.length - 1;
  return { kind: 'tested', chi2, df, p: chiSquare.sf(chi2, df), logP: chiSquare.logSf(chi2, df), expected };
};

/**
 * Pearson's χ² of independence: are units spread over the columns in the same way in each row? Rows and columns without units leave the degrees of freedom.
 * Valid for one look; expected counts below 5 make the p approximate.
 * @param counts  units, a list for each row, all of one length
 * @returns `expected` row by row
 */
export const independenceChiSquare = (counts: readonly (readonly number[])[]): SrmTest => {
  const columns = counts[0]?.length ?? 0;
  for (const row of counts) {
    if (row.length !== columns) throw new RangeError(`a table of ${columns} columns has a row of ${row.length}`);
    for (const count of row) requireCount('units', count);
  }
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const ofRows = counts.map(sum);
  const ofColumns = Array.from({ length: columns }, (_, column) => sum(counts.map((row) => row[column] ?? 0)));
  const total = sum(ofRows);
  if (total === 0) return { kind: 'not-testable', reason: 'NO_UNITS' };
  const df = (ofRows.filter((units) => units > 0).length - 1) * (ofColumns.filter((units) => units > 0).length - 1);
  if (df === 0) return { kind: 'not-testable', reason: 'FEWER_THAN_TWO_ARMS' };
  const expected = ofRows.flatMap((inRow) => ofColumns.map((inColumn) => (inRow * inColumn) / total));
  const chi2 = sum(expected.map((e, place) => (e === 0 ? 0 : ((counts.flat()[place] ?? 0) - e) ** 2 / e)));
  return { kind: 'tested', chi2, df, p: chiSquare.sf(chi2, df), logP: chiSquare.logSf(chi2, df), expected };
};

const requireAllocation = (observed: readonly number[], weights: readonly number[]): void => {
  if (observed.length !== weights.length) throw new RangeError(`${observed.length} arms observed, but ${weights.length} weights`);
  for (const count of observed) requireCount('observed', count);
  for (const weight of weights)
    if (!(Number.isFinite(weight) && weight >= 0)) throw new RangeError(`a weight must be at least 0, got ${weight}`);
};

const sharesOf = ({ observed, weights }: AllocationPeriod): readonly number[] => {
  requireAllocation(observed, weights);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (total > 0 ? weight / total : 0));
};

/** Prior sizes whose e-processes are averaged: each is best for another size of mismatch; the average costs at most ln 3. */
export const SRM_CONCENTRATIONS: readonly number[] = [100, 1_000, 10_000];
/** For errors and crashes, where a handful of events must be enough. */
export const FIRST_ERROR_CONCENTRATIONS: readonly number[] = [2, 20, 200];

/**
 * ln E of the Dirichlet–multinomial e-process (Lindon & Malek 2022): counts of a multinomial stream against shares θ, prior Dirichlet(κθ).
 * Depends on totals only, so any batching and order gives the same value, and any look may stop.
 *
 * Written around the expected counts instead of as a difference of gamma functions: at 1e7 units those agree in ten digits.
 * @param shares  θ, sums to 1; arms of share 0 must be empty
 * @returns ln E, −∞ never: at least −½·K·ln(1 + n/κ)
 * Golden: srm_sequential, count-ratio-10000
 */
export const logDirichletMultinomialE = (counts: readonly number[], shares: readonly number[], concentration: number): number => {
  requireAllocation(counts, shares);
  requirePositive('concentration', concentration);
  const total = counts.reduce((sum, count) => sum + count, 0);
  let logE = 0.5 * Math.log1p(total / concentration) + stirlingError(concentration) - stirlingError(concentration + total);
  counts.forEach((count, arm) => {
    const share = shares[arm] ?? 0;
    if (share === 0) {
      if (count > 0) throw new RangeError(`arm ${arm} has share 0 but ${count} units`);
      return;
    }
    const prior = concentration * share;
    const expected = (concentration + total) * share;
    const delta = (count - total * share) / expected;
    // Σ expected·delta = 0, so subtracting delta changes nothing but takes the cancellation away.
    logE += expected * ((1 + delta) * Math.log1p(delta) - delta);
    logE += stirlingError(prior + count) - stirlingError(prior) - 0.5 * Math.log1p(count / prior);
  });
  return logE;
};

/**
 * Anytime-valid sample-ratio test: alarm when E ≥ 1/α (the platform asks E ≥ 1 000), after however many looks.
 * @param periods  one entry per stretch of constant weights; consecutive segments of equal weights are one period
 * @param concentrations  prior sizes averaged per period
 * A product over periods of e-values is an e-value, because each period starts a fresh prior.
 */
export const srmSequential = (
  periods: readonly AllocationPeriod[],
  concentrations: readonly number[] = SRM_CONCENTRATIONS,
): SequentialTest => {
  if (concentrations.length === 0) throw new RangeError('at least one concentration is needed, got none');
  const logE = periods.reduce((sum, period) => {
    const shares = sharesOf(period);
    const usable = period.observed.map((count, arm) => ((shares[arm] ?? 0) > 0 ? count : 0));
    const each = concentrations.map((concentration) => logDirichletMultinomialE(usable, shares, concentration));
    return sum + averageLogE(each);
  }, 0);
  return fromLogE(logE);
};

/**
 * Two arms against a share of the first, by the normal approximation without continuity correction.
 * Golden: srm-tt-norm
 */
export const srmNormal = (
  observed: readonly [number, number],
  weights: readonly [number, number],
): { readonly p: Probability; readonly logP: number } => {
  const [first = 0] = sharesOf({ observed, weights });
  const n = observed[0] + observed[1];
  const z = (observed[0] - n * first) / Math.sqrt(n * first * (1 - first));
  const logP = Math.min(0, Math.LN2 + normal.logSf(Math.abs(z)));
  return { p: Math.exp(logP), logP };
};
