/**
 * How the plan's error rates are shared out over its tests, so that wrong ships stay ≤ α and false alarms ≤ α₋, whatever depends on what.
 * Levels are one-sided. Schultzberg, Ankargren & Frånberg 2024 (arXiv:2402.11609); the α₋ form is a union bound.
 * Everything here is plan data: a level that moved with the data would spend what it does not have.
 */
import { alphaMinusOfRun, srmAlarmThreshold } from '@rampart/statistics';

export interface BudgetedTests {
  readonly alpha: number;
  /** Of this run: see `alphaMinusOf`. */
  readonly alphaMinus: number;
  /** Success metrics and guardrails. */
  readonly metrics: readonly { readonly role: 'success' | 'guardrail' }[];
  /** Q: 1 where the design states a ratio, whether or not it can be tested yet. */
  readonly ratioTests: number;
  readonly treatments: readonly string[];
}

export interface ErrorBudget {
  /** α₋/((S + G + D + Q)·k), each metric and treatment. */
  readonly harm: number;
  /** α/(S·k), each success metric and treatment. */
  readonly superiority: number;
  /** α each, since all must be kept. */
  readonly nonInferiority: number;
  /** The anytime-valid ratio test alarms at this E: (S + G + D + Q)/α₋, and 1,000 at least. */
  readonly ratioAlarmAtE: number;
}

/** @returns levels whose sum over all tests is α, and α₋ */
export const errorBudget = ({ alpha, alphaMinus, metrics, ratioTests, treatments }: BudgetedTests): ErrorBudget => {
  const success = metrics.filter(({ role }) => role === 'success').length;
  const tests = Math.max(1, metrics.length + ratioTests);
  const arms = Math.max(1, treatments.length);
  return {
    harm: alphaMinus / (tests * arms),
    superiority: alpha / (Math.max(1, success) * arms),
    nonInferiority: alpha,
    ratioAlarmAtE: srmAlarmThreshold({ tests, alphaMinus }),
  };
};

/** α₋ of run 1, 2, … of a rollout is α₋·2⁻ᵏ, so that all restarts together spend α₋; an experiment (null) has it whole. */
export const alphaMinusOf = (alphaMinus: number, run: number | null): number =>
  run === null ? alphaMinus : alphaMinusOfRun(alphaMinus, run);

/** How the success tests of a plan, metrics × treatments, are corrected for being many. `e-bh` goes by e-values, the others by p. */
export type Multiplicity = 'holm' | 'hochberg' | 'bh' | 'by' | 'e-bh' | 'bonferroni' | 'none';

/**
 * Levels for the tests of superiority at one look. A missing p is a hypothesis that was not rejected: it stays in the family, or losing data about one
 * arm would make it easier for another. The chance of any rejection where nothing is better stays ≤ α by each of them (`hochberg` and `bh`: where p-values
 * depend on each other positively, as treatments with one control do).
 * @returns parallel to `pValues`; p ≤ its level means rejected. Where Holm stopped early, the level at which it stopped
 */
export const superiorityLevels = (
  pValues: readonly (number | null)[],
  alpha: number,
  multiplicity: Exclude<Multiplicity, 'e-bh'>,
): readonly number[] => {
  const family = pValues.length;
  const ranked = pValues.map((p, index) => ({ p: p ?? 1, index })).sort((a, b) => a.p - b.p);
  const sorted = ranked.map(({ p }) => p);
  switch (multiplicity) {
    case 'none':
    case 'bonferroni':
      return pValues.map(() => alpha / family);
    case 'hochberg': {
      // All up to the last rank that is below its level; those beyond it are above even this one.
      const rejected = lastRank(sorted, (rank) => alpha / (family - rank + 1));
      return pValues.map(() => alpha / (family - Math.max(1, rejected) + 1));
    }
    case 'bh':
    case 'by': {
      const share = multiplicity === 'by' ? alpha / harmonic(family) : alpha;
      const rejected = lastRank(sorted, (rank) => (share * rank) / family);
      return pValues.map(() => (share * Math.max(1, rejected)) / family);
    }
    case 'holm': {
      const levels = new Array<number>(family).fill(alpha);
      let stoppedAt: number | undefined;
      ranked.forEach(({ p, index }, rank) => {
        const level = stoppedAt ?? alpha / (family - rank);
        levels[index] = level;
        if (p > level) stoppedAt = level;
      });
      return levels;
    }
  }
};

/** From 1; 0 where no p is at the level of its rank. */
const lastRank = (sorted: readonly number[], levelOf: (rank: number) => number): number =>
  sorted.reduce((last, p, at) => (p <= levelOf(at + 1) ? at + 1 : last), 0);

const harmonic = (family: number): number => Array.from({ length: family }, (_, at) => 1 / (at + 1)).reduce((sum, one) => sum + one, 0);

/**
 * The level at which e-BH rejects (Wang & Ramdas 2022): α·k/m with k rejections, at any look and whatever depends on what.
 * @param logE  of all success tests at the same look; null = not tested, which stays in the family
 * @returns E ≥ 1/level means rejected
 */
export const falseDiscoveryLevel = (logE: readonly (number | null)[], alpha: number): number => {
  const family = Math.max(1, logE.length);
  const descending = logE.map((one) => one ?? Number.NEGATIVE_INFINITY).sort((a, b) => b - a);
  const rejected = descending.reduce((last, one, at) => (one >= Math.log(family / (alpha * (at + 1))) ? at + 1 : last), 0);
  return (alpha * Math.max(1, rejected)) / family;
};
