/** The tests of one metric in one treatment, as one look or every look allows them. */
import type { BayesianPlan, Comparison, MetricDefinition, MetricResult, Refusal } from '@rampart/contracts';
import {
  type ArmTest,
  type AskedAtLook,
  type ErrorBudget,
  type Evidence,
  type Gain,
  type NoResult,
  standingTest,
  type TakenLook,
} from '@rampart/domain';
import { BURN_IN, normal, studentT } from '@rampart/statistics';
import { type OneSided, oneSidedLogE, oneSidedMultiplier, spreadOf } from './anytime.js';
import { chanceWithin } from './bayesian.js';
import { oneSided, type UsedMargin } from './effects.js';
import { possibleLoss } from './possible-loss.js';

export interface TestedMetric {
  readonly metric: MetricDefinition;
  readonly result: MetricResult;
  /** Treatment with control, the one that decides. */
  readonly comparison: Comparison;
  readonly margin: UsedMargin | null;
  readonly budget: ErrorBudget;
  /** Whether its event arrives in the environment at all. */
  readonly isEventSeen: boolean;
}

type NonInferiority = Extract<ArmTest, { kind: 'tested' }>['nonInferiority'];

/** At the one look of a fixed horizon: Student's t. */
export const oneLookTest = (tested: TestedMetric): ArmTest => {
  const { result, comparison, margin, budget, isEventSeen } = tested;
  const arm = comparison.treatment;
  const { absolute } = comparison;
  if ('refused' in absolute)
    return areEqualConstants(result, arm)
      ? { kind: 'equal-constants', arm, isEventSeen }
      : { kind: 'no-result', arm, refused: absolute.refused };
  const { pBetter, pWorse } = oneSided(absolute, result.direction);
  const loss = (scale: 'relative' | 'absolute') => possibleLoss(result, comparison, scale, () => budget.nonInferiority);
  return {
    kind: 'tested',
    arm,
    gain: gainOf(comparison, result.direction),
    better: { kind: 'p', p: pBetter },
    worse: { kind: 'p', p: pWorse },
    firstError: null,
    nonInferiority: margin === null ? null : marginTest(comparison, ({ p }) => ({ kind: 'p', p }), loss(scaleOf(margin))),
    couldLose: loss('relative'),
  };
};

/** What a watched plan goes by. */
export interface Watched {
  /** N*. */
  readonly tightestAtUnits: number;
  /** Method msprt: of the metric. */
  readonly tau?: number | undefined;
  /** Method bayesian: what its decisions ask for. */
  readonly bayesian?: BayesianPlan | undefined;
  /** A plan of several looks: those that were taken. */
  readonly looks?: readonly TakenLook[] | undefined;
}

/** At any look of a watched plan: one-sided confidence sequences or mixtures, and for first errors the e-process, which needs no burn-in. */
export const anyLookTest = (tested: TestedMetric, watched: Watched): ArmTest => {
  const { metric, result, comparison, margin, budget } = tested;
  const arm = comparison.treatment;
  const constant = constantTest(tested);
  if (constant !== undefined) return constant;
  const worse = harmEvidence(tested, watched);
  if (worse.kind === 'none') return { ...worse, kind: 'no-result', arm };
  const side = (level: number): OneSided => sideOf(tested, watched, level);
  const obstacle = obstacleOf(comparison) ?? (metric.windowUs === null ? { refused: 'OPEN_WINDOW' } : null);
  const loss = (scale: 'relative' | 'absolute') => {
    const height = oneSidedMultiplier(side(budget.nonInferiority)) * (comparison.anytime?.widening ?? 1);
    return possibleLoss(result, comparison, scale, (df) => studentT.sf(height, df));
  };
  return {
    kind: 'tested',
    arm,
    gain: 'refused' in comparison.absolute ? null : gainOf(comparison, result.direction),
    better: betterEvidence(tested, watched, obstacle),
    worse,
    firstError: firstErrorOf(comparison),
    nonInferiority: margin === null ? null : marginEvidence(tested, watched, { margin, obstacle, loss: loss(scaleOf(margin)) }),
    couldLose: obstacleOf(comparison) === null ? loss('relative') : null,
  };
};

/** Every unit of both arms has the same value: no spread to test with, and nothing worse, once there are enough of them. */
const constantTest = ({ result, comparison, isEventSeen }: TestedMetric): ArmTest | undefined => {
  const arm = comparison.treatment;
  const first = comparison.anytime?.firstError;
  const units = [comparison.control, arm].map((name) => result.arms.find((one) => one.arm === name)?.n ?? 0);
  const fewest = Math.min(...units);
  if (first !== undefined && first !== null) {
    if (first.control + first.treatment > 0) return undefined;
    return fewest > 0 ? { kind: 'equal-constants', arm, isEventSeen } : { kind: 'no-result', arm, refused: 'INSUFFICIENT_UNITS' };
  }
  if (fewest < BURN_IN.unitsPerArm || !areEqualConstants(result, arm)) return undefined;
  return { kind: 'equal-constants', arm, isEventSeen };
};

/** @param se  of what is tested, where that is not the effect itself */
const sideOf = ({ result, comparison }: TestedMetric, { tightestAtUnits, tau }: Watched, level: number, se?: number): OneSided => {
  const spread = 'refused' in comparison.absolute ? undefined : (se ?? comparison.absolute.se);
  const widening = comparison.anytime?.widening ?? 1;
  const shape = tau === undefined || spread === undefined ? {} : { spread: spreadOf(tau, spread * widening) };
  return { level, n: unitsOf(result, comparison), tightestAtUnits, ...shape };
};

const betterEvidence = (tested: TestedMetric, watched: Watched, obstacle: NoResult | null): Evidence => {
  const { result, comparison, budget } = tested;
  if (watched.looks !== undefined) return standingOf(tested, watched.looks, 'superiority')?.evidence ?? NO_LOOK_YET;
  if (obstacle !== null) return { kind: 'none', ...obstacle };
  if (watched.bayesian === undefined) return effectEvidence(comparison, signOf(result), sideOf(tested, watched, budget.superiority));
  return gainBelieved(tested, watched.bayesian);
};

const NO_LOOK_YET = { kind: 'none', refused: 'NO_LOOK_YET' } as const;

const standingOf = ({ metric, comparison }: TestedMetric, looks: readonly TakenLook[], test: 'superiority' | 'non-inferiority') =>
  standingTest(looks, { test, metric: metric.key, arm: comparison.treatment });

/** What a planned look asks of one metric in one treatment: a gain, and where it has a margin that it is kept. */
export const askedAtLook = (tested: TestedMetric): readonly AskedAtLook[] => {
  const { metric, result, comparison, margin, budget } = tested;
  const about = { metric: metric.key, arm: comparison.treatment };
  const { absolute, nonInferiority } = comparison;
  const obstacle = constantTest(tested) ?? obstacleOf(comparison) ?? (metric.windowUs === null ? OPEN : null);
  const asked: AskedAtLook[] = [];
  if (result.role === 'success') {
    const found = obstacle !== null || 'refused' in absolute ? NOTHING : asNormal(signOf(result) * absolute.statistic, absolute);
    asked.push({ test: 'superiority', ...about, level: budget.superiority, ...found });
  }
  if (margin !== null) {
    const isTested = obstacle === null && nonInferiority !== undefined && !('refused' in nonInferiority) && !('refused' in absolute);
    const found = isTested ? asNormal(nonInferiority.z, { se: nonInferiority.se, df: absolute.df }) : NOTHING;
    const couldLose = (bound: number) => possibleLoss(result, comparison, scaleOf(margin), () => normal.sf(bound));
    asked.push({ test: 'non-inferiority', ...about, level: budget.nonInferiority, ...found, couldLose });
  }
  return asked;
};

const OPEN: NoResult = { refused: 'OPEN_WINDOW' };
const NOTHING = { estimate: null, se: null, statistic: null };

/** The normal value of the same p: bounds are made for a normal statistic. Beyond what a p can hold, the two are one. */
const asNormal = (statistic: number, { se, df }: { readonly se: number; readonly df: number | null }) => {
  const p = df === null ? normal.sf(statistic) : studentT.sf(statistic, df);
  return { estimate: statistic * se, se, statistic: p > 1e-290 && p < 1 - 1e-9 ? normal.isf(p) : statistic };
};

/** Expected loss bounds what a wrong decision costs on average over the prior; it bounds no rate of errors. */
const gainBelieved = ({ comparison, result }: TestedMetric, { minimumUnits, chanceToWin, expectedLoss }: BayesianPlan): Evidence => {
  const { bayesian } = comparison;
  if ('refused' in bayesian) return { kind: 'none', ...noResultOf(bayesian) };
  if ('refused' in bayesian.relative) return { kind: 'none', ...noResultOf(bayesian.relative) };
  const tooFew = tooFewFor(result, comparison, minimumUnits);
  if (tooFew !== null) return { kind: 'none', ...tooFew };
  const { lossIfShipped } = bayesian.relative;
  return {
    kind: 'posterior',
    chance: bayesian.chanceToWin,
    chanceNeeded: chanceToWin,
    expectedLoss: lossIfShipped,
    lossAllowed: expectedLoss,
  };
};

const tooFewFor = (result: MetricResult, comparison: Comparison, needed: number): NoResult | null => {
  const counted = countedArms(result, comparison).map(({ n }) => n);
  const have = counted.length < 2 ? 0 : Math.min(...counted);
  return have < needed ? { refused: 'TOO_FEW_UNITS', have, needed } : null;
};

const harmEvidence = (tested: TestedMetric, watched: Watched): Evidence => {
  const { result, comparison, budget } = tested;
  const first = comparison.anytime?.firstError;
  if (first !== undefined && first !== null) {
    const expected = (first.control + first.treatment) * first.expectedShare;
    const isOnBadSide = result.direction === 'decrease' ? first.treatment > expected : first.treatment < expected;
    // The e-process tells any other share: on the good side it says nothing of harm.
    return { kind: 'e', logE: isOnBadSide ? first.logE : Math.min(0, first.logE) };
  }
  const obstacle = obstacleOf(comparison);
  if (obstacle !== null) return { kind: 'none', ...obstacle };
  return effectEvidence(comparison, -signOf(result), sideOf(tested, watched, budget.harm));
};

const firstErrorOf = ({ anytime }: Comparison) => {
  const first = anytime?.firstError;
  if (first === undefined || first === null) return null;
  return { control: first.control, treatment: first.treatment, expectedShare: first.expectedShare };
};

/** Why a confidence sequence can't be had: the effect itself, or the burn-in. */
const obstacleOf = ({ absolute, anytime }: Comparison): NoResult | null => {
  if (anytime !== null && 'refused' in anytime.absolute) return noResultOf(anytime.absolute);
  return 'refused' in absolute ? noResultOf(absolute) : null;
};

export const noResultOf = ({ refused, have, needed }: Refusal): NoResult =>
  have === undefined || needed === undefined ? { refused } : { refused, have, needed };

const effectEvidence = ({ absolute, anytime }: Comparison, sign: number, side: OneSided): Evidence =>
  'refused' in absolute
    ? { kind: 'none', ...noResultOf(absolute) }
    : { kind: 'e', logE: oneSidedLogE((sign * absolute.statistic) / (anytime?.widening ?? 1), side) };

interface MarginAt {
  readonly margin: UsedMargin;
  readonly obstacle: NoResult | null;
  /** The largest that is not excluded, on the margin's scale. */
  readonly loss: number | null;
}

const marginEvidence = (tested: TestedMetric, watched: Watched, { margin, obstacle, loss }: MarginAt): NonInferiority => {
  const { comparison, budget } = tested;
  if (watched.looks !== undefined) {
    const standing = standingOf(tested, watched.looks, 'non-inferiority');
    if (standing === undefined) return { kind: 'no-result', refused: 'NO_LOOK_YET' };
    const { evidence, found } = standing;
    return evidence.kind === 'none' ? { ...evidence, kind: 'no-result' } : { kind: 'tested', evidence, couldLose: found.couldLose };
  }
  if (obstacle !== null) return { kind: 'no-result', ...obstacle };
  if (watched.bayesian !== undefined) return marginBelieved(tested, watched.bayesian, margin);
  const widening = comparison.anytime?.widening ?? 1;
  const evidence = ({ z, se }: { z: number; se: number }) =>
    ({ kind: 'e', logE: oneSidedLogE(z / widening, sideOf(tested, watched, budget.nonInferiority, se)) }) as const;
  return marginTest(comparison, evidence, loss);
};

const marginBelieved = (
  { comparison, result, budget }: TestedMetric,
  { minimumUnits }: BayesianPlan,
  margin: UsedMargin,
): NonInferiority => {
  const { bayesian } = comparison;
  if ('refused' in bayesian) return { kind: 'no-result', ...noResultOf(bayesian) };
  const tooFew = tooFewFor(result, comparison, minimumUnits);
  if (tooFew !== null) return { kind: 'no-result', ...tooFew };
  const chance = chanceWithin(bayesian, result.direction, margin);
  const belief = bayesian[scaleOf(margin)];
  if (chance === null || 'refused' in belief) return { kind: 'no-result', refused: 'ZERO_BASELINE' };
  const end = result.direction === 'increase' ? belief.lower : belief.upper;
  return {
    kind: 'tested',
    evidence: { kind: 'posterior', chance, chanceNeeded: 1 - budget.nonInferiority, expectedLoss: null, lossAllowed: null },
    // The end of the credible interval on the bad side.
    couldLose: end === null ? null : -signOf(result) * end,
  };
};

const marginTest = (
  { nonInferiority }: Comparison,
  evidence: (tested: { readonly z: number; readonly se: number; readonly p: number }) => Exclude<Evidence, { kind: 'none' }>,
  couldLose: number | null,
): NonInferiority => {
  if (nonInferiority === undefined) return null;
  if ('refused' in nonInferiority) return { kind: 'no-result', refused: nonInferiority.refused };
  return { kind: 'tested', evidence: evidence(nonInferiority), couldLose };
};

/** Of both arms, those that take part in the estimate. */
const unitsOf = (result: MetricResult, comparison: Comparison): number =>
  countedArms(result, comparison).reduce((sum, { n }) => sum + n, 0);

const countedArms = ({ arms, cuped }: MetricResult, { control, treatment }: Comparison): readonly { readonly n: number }[] => {
  const counted = cuped !== null && !('refused' in cuped) ? cuped.arms : arms;
  return counted.filter(({ arm }) => arm === control || arm === treatment);
};

const areEqualConstants = (result: MetricResult, arm: string): boolean => {
  const [control, treatment] = [result.arms.find((one) => one.isControl), result.arms.find((one) => one.arm === arm)];
  return control?.variance === 0 && treatment?.variance === 0 && control.mean === treatment.mean;
};

export const gainOf = ({ absolute, relative }: Comparison, direction: MetricResult['direction']): Gain => {
  const sign = direction === 'increase' ? 1 : -1;
  if (!('refused' in relative)) return { relative: sign * relative.estimate };
  return { absolute: 'refused' in absolute ? 0 : sign * absolute.estimate };
};

export const signOf = ({ direction }: MetricResult): 1 | -1 => (direction === 'increase' ? 1 : -1);
export const scaleOf = (margin: UsedMargin): 'relative' | 'absolute' => ('relative' in margin ? 'relative' : 'absolute');
