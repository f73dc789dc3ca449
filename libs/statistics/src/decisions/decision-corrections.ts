/** How a decision's error budget is divided among its tests (Schultzberg, Ankargren & Frånberg 2024; α₋ by union bound). */
import { type Probability, requireCount, requireLevel } from '../kernel/requirements.js';

export interface DecisionTests {
  /** Metrics of which one must improve. */
  readonly success: number;
  /** Metrics that must be non-inferior within a margin. */
  readonly guardrail: number;
  /** Further metrics watched for harm only. */
  readonly deterioration: number;
  /** Quality tests: sample ratio, multiple exposure, balance, freshness. */
  readonly quality: number;
  /** Chance to ship what does not help or harms a guardrail. */
  readonly alpha: Probability;
  /** Chance to miss a change that should ship. */
  readonly beta: Probability;
  /** Chance that harm or quality tests alarm falsely, all together and for ever; 0 = not budgeted. Below beta. */
  readonly alphaMinus: Probability;
  /** Treatment arms compared with control; 1 unless told. */
  readonly treatmentArms?: number;
}

/** One-sided levels per test; `null` where there is no such test. */
export interface DecisionBudget {
  readonly alphaSuperiority: Probability | null;
  readonly alphaNonInferiority: Probability | null;
  readonly alphaDeteriorationAndQualityEach: Probability | null;
  readonly betaEach: Probability | null;
  readonly powerEach: Probability | null;
}

/**
 * Superiority α/S (one of them is enough: Bonferroni), non-inferiority α each (all are needed: no correction), harm and quality
 * α₋/(S+G+D+Q) each, and every superiority and non-inferiority test designed for a miss of at most β* = (β − α₋)/(G + 1), or /G if S = 0.
 * With k treatment arms α and α₋ are shared among them as well.
 * @throws RangeError unless 0 ≤ α₋ < β < 1 and 0 < α < 1
 * Golden: decision_corrections
 */
export const decisionBudget = (tests: DecisionTests): DecisionBudget => {
  const { success, guardrail, deterioration, quality, alphaMinus, treatmentArms = 1 } = tests;
  const [alpha, beta] = [requireLevel('alpha', tests.alpha), requireLevel('beta', tests.beta)];
  for (const [name, count] of Object.entries({ success, guardrail, deterioration, quality })) requireCount(name, count);
  if (requireCount('treatmentArms', treatmentArms) < 1) throw new RangeError('treatmentArms must be at least 1, got 0');
  if (!(alphaMinus >= 0 && alphaMinus < beta)) throw new RangeError(`alphaMinus must be in [0, beta = ${beta}), got ${alphaMinus}`);
  const alarms = (success + guardrail + deterioration + quality) * treatmentArms;
  const mustAllHold = guardrail + (success > 0 ? 1 : 0);
  const betaEach = mustAllHold > 0 ? (beta - alphaMinus) / mustAllHold : null;
  return {
    alphaSuperiority: success > 0 ? alpha / (success * treatmentArms) : null,
    alphaNonInferiority: guardrail > 0 ? alpha : null,
    alphaDeteriorationAndQualityEach: alarms > 0 && alphaMinus > 0 ? alphaMinus / alarms : null,
    betaEach,
    powerEach: betaEach === null ? null : 1 - betaEach,
  };
};

/** α₋ of run k = 1, 2, … of a rollout: all restarts together spend no more than α₋. */
export const alphaMinusOfRun = (alphaMinus: Probability, run: number): number => {
  if (requireCount('run', run) < 1) throw new RangeError(`run counts from 1, got ${run}`);
  return requireLevel('alphaMinus', alphaMinus) * 2 ** -run;
};

/** E at which the sample-ratio test alarms: at least 1 000, more when its share of α₋ is smaller than that. */
export const srmAlarmThreshold = (budgeted: { readonly tests: number; readonly alphaMinus: Probability }): number =>
  Math.max(1_000, requireCount('tests', budgeted.tests) / requireLevel('alphaMinus', budgeted.alphaMinus));
