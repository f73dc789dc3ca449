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

/**
 * Levels for the tests of superiority at one look: α/(S·k) each, or stepping down with Holm. A missing p is a hypothesis that was not rejected:
 * it stays in the family, or losing data about one arm would make it easier for another.
 * @returns parallel to `pValues`; p ≤ its level means rejected. Where Holm stopped early, the level at which it stopped.
 */
export const superiorityLevels = (pValues: readonly (number | null)[], alpha: number, multiplicity: 'holm' | 'none'): readonly number[] => {
  const family = pValues.length;
  if (multiplicity === 'none') return pValues.map(() => alpha / family);
  const order = pValues.map((p, index) => ({ p: p ?? 1, index })).sort((a, b) => a.p - b.p);
  const levels = new Array<number>(family).fill(alpha);
  let stoppedAt: number | undefined;
  order.forEach(({ p, index }, rank) => {
    const level = stoppedAt ?? alpha / (family - rank);
    levels[index] = level;
    if (p > level) stoppedAt = level;
  });
  return levels;
};
