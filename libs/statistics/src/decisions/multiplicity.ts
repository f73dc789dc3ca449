/** Many tests at once: adjusted p-values, selections by e-values, and intervals that hold together. */
import { normal } from '../distributions.js';
import { type Probability, requireLevel } from '../kernel/requirements.js';

export type Procedure =
  | 'bonferroni'
  | 'sidak'
  | 'holm'
  | 'holm-sidak'
  | 'hochberg'
  | 'hochberg-sidak'
  | 'benjamini-hochberg'
  | 'benjamini-yekutieli';

type Ranked = (p: Probability, rank: number, tests: number) => number;

/** 1 − (1 − p)^m without losing small p. */
const sidak = (p: Probability, times: number): number => (p === 1 ? 1 : -Math.expm1(times * Math.log1p(-p)));

/** `down`: running maximum from the smallest p. `up`: running minimum from the largest. */
const procedures: Readonly<Record<Procedure, { readonly step: 'down' | 'up'; readonly adjust: Ranked }>> = {
  bonferroni: { step: 'down', adjust: (p, _rank, tests) => tests * p },
  sidak: { step: 'down', adjust: (p, _rank, tests) => sidak(p, tests) },
  holm: { step: 'down', adjust: (p, rank, tests) => (tests - rank + 1) * p },
  'holm-sidak': { step: 'down', adjust: (p, rank, tests) => sidak(p, tests - rank + 1) },
  hochberg: { step: 'up', adjust: (p, rank, tests) => (tests - rank + 1) * p },
  'hochberg-sidak': { step: 'up', adjust: (p, rank, tests) => sidak(p, tests - rank + 1) },
  'benjamini-hochberg': { step: 'up', adjust: (p, rank, tests) => (tests / rank) * p },
  'benjamini-yekutieli': { step: 'up', adjust: (p, rank, tests) => (tests / rank) * harmonic(tests) * p },
};

const harmonic = (m: number): number => Array.from({ length: m }, (_, i) => 1 / (i + 1)).reduce((sum, x) => sum + x, 0);

/**
 * p-values adjusted for being many, in the order given.
 *
 * Family-wise error: bonferroni and holm under any dependence; sidak, hochberg and their mixtures under independence or positive
 * dependence. False discovery rate: benjamini-hochberg under positive dependence, benjamini-yekutieli under any.
 * @param pValues  `null` = this test gave no p: it stays null and does not count
 * @returns adjusted p in [0, 1], monotone in p; equal p share their value
 * Holm on always-valid p-values is always valid; for false discoveries of sequential tests use `eBenjaminiHochberg`.
 * Golden: multiplicity
 */
export const adjustPValues = (pValues: readonly (number | null)[], procedure: Procedure): readonly (number | null)[] => {
  for (const p of pValues) if (p !== null && !(p >= 0 && p <= 1)) throw new RangeError(`a p-value must be in [0, 1], got ${p}`);
  const { step, adjust } = procedures[procedure];
  const ranked = pValues.flatMap((p, index) => (p === null ? [] : [{ p, index }])).sort((a, b) => a.p - b.p);
  const raw = ranked.map(({ p }, at) => Math.min(1, adjust(p, at + 1, ranked.length)));
  const monotone = step === 'down' ? runningMaximum(raw) : runningMinimumFromEnd(raw);
  const adjusted: (number | null)[] = pValues.map(() => null);
  ranked.forEach(({ index }, at) => {
    adjusted[index] = monotone[at] ?? null;
  });
  return adjusted;
};

const runningMaximum = (values: readonly number[]): readonly number[] => {
  let largest = 0;
  return values.map((value) => {
    largest = Math.max(largest, value);
    return largest;
  });
};

const runningMinimumFromEnd = (values: readonly number[]): readonly number[] => {
  let smallest = 1;
  return values
    .toReversed()
    .map((value) => {
      smallest = Math.min(smallest, value);
      return smallest;
    })
    .toReversed();
};

/**
 * Which hypotheses the e-BH procedure rejects (Wang & Ramdas 2022): false discovery rate ≤ alpha under any dependence, at any stopping time.
 * @param logE  natural logarithms of e-values, all taken at the same look
 */
export const eBenjaminiHochberg = (logE: readonly number[], alpha: Probability): readonly boolean[] => {
  requireLevel('alpha', alpha);
  const descending = [...logE].sort((a, b) => b - a);
  const bar = (rank: number): number => Math.log(logE.length / (alpha * rank));
  const rejections = descending.reduce((most, e, at) => (e >= bar(at + 1) ? at + 1 : most), 0);
  return logE.map((e) => rejections > 0 && e >= bar(rejections));
};

export interface Interval {
  /** `null` = unbounded on this side. */
  readonly lower: number | null;
  readonly upper: number | null;
}

/** Level of each of m intervals that hold together with 1 − alpha (Bonferroni): the default for a decision family. */
export const simultaneousLevel = (alpha: Probability, tests: number): number => requireLevel('alpha', alpha) / Math.max(1, tests);

/** Level of the intervals of R selected out of m (Benjamini & Yekutieli 2005): false coverage rate ≤ alpha. Nothing selected: `null`. */
export const falseCoverageLevel = (alpha: Probability, selected: number, tests: number): number | null =>
  selected > 0 ? (selected * requireLevel('alpha', alpha)) / tests : null;

/** Above this an adjusted p carries no information about the width. */
const CERTAINLY_NULL = 0.999999;

/**
 * GrowthBook's interval widened until it agrees with an adjusted p. For display beside it: it has no coverage guarantee.
 * An estimate of 0 keeps its interval, since no width can be derived from it.
 * Golden: adjci-p1
 */
export const adHocAdjustedInterval = (input: {
  readonly estimate: number;
  readonly pAdjusted: Probability;
  readonly alpha: Probability;
  readonly interval: Interval;
}): Interval => {
  const { estimate, pAdjusted, interval } = input;
  const alpha = requireLevel('alpha', input.alpha);
  if (estimate === 0) return interval;
  if (pAdjusted > CERTAINLY_NULL) return { lower: null, upper: null };
  if (pAdjusted <= 0) return interval;
  const reach = (normal.isf(alpha / 2) * Math.abs(estimate)) / normal.isf(pAdjusted / 2);
  const { lower, upper } = interval;
  const isWider = (lower === null || estimate - reach < lower) && (upper === null || estimate + reach > upper);
  return isWider ? { lower: estimate - reach, upper: estimate + reach } : interval;
};
