/** What each method of a plan holds its statistic against, look by look: the bounds that its decisions use, for units that are still to come. */
import type { HistoryQuestion } from '@rampart/contracts';
import {
  type BoundaryLook,
  type BoundaryPlan,
  BURN_IN,
  groupSequentialBounds,
  mixtureSprtCriticalZ,
  type NormalPrior,
  normal,
  normalPosterior,
  sequenceMultiplier,
} from '@rampart/statistics';
import { oneSidedMultiplier } from '../figures/anytime.js';
import type { ExpectedMetric } from './expected-metric.js';

/** One comparison of a plan: who takes part, and what is expected. */
export interface PlannedComparison extends ExpectedMetric {
  readonly question: Omit<HistoryQuestion, 'metric' | 'adjusted'>;
  /** α of this comparison. */
  readonly alpha: number;
  /** Of all arms' units. */
  readonly shareOfControl: number;
  readonly shareOfTreatment: number;
}

/** Looked at so often that a look more or less does not matter. */
const CONTINUOUS_LOOKS = 100;
const PLANNED_LOOKS = 5;

/** How many looks the plan has. */
export const looksOf = ({ method, looks }: PlannedComparison['question']): number => {
  if (method === 'fixed-horizon') return 1;
  return looks ?? (method === 'group-sequential' ? PLANNED_LOOKS : CONTINUOUS_LOOKS);
};

export const standardError = ({ control, treatment, shareOfControl, shareOfTreatment }: PlannedComparison, units: number): number =>
  Math.sqrt(control / (units * shareOfControl) + treatment / (units * shareOfTreatment));

/** Mean of the statistic when so many units of all arms are in. The relative effect, which a prior is about, has the noise of control's mean as well. */
export const driftAt = (planned: PlannedComparison, units: number, effect = planned.effect): number => {
  if (planned.question.method !== 'bayesian') return Math.abs(effect) / standardError(planned, units);
  return Math.abs(effect / planned.mean) / relativeError(planned, units);
};

export const relativeError = (planned: PlannedComparison, units: number): number => {
  const { control, treatment, shareOfControl, shareOfTreatment, mean, effect } = planned;
  const lifted = 1 + effect / Math.abs(mean);
  return Math.sqrt((control * lifted ** 2) / (units * shareOfControl) + treatment / (units * shareOfTreatment)) / Math.abs(mean);
};

/** Units of all arms before which nothing is tested. */
const burnInUnits = ({ question: { method, bayesian }, shareOfControl, shareOfTreatment, rates }: PlannedComparison): number => {
  if (method === 'fixed-horizon') return 0;
  if (method === 'bayesian') return (bayesian?.minimumUnits ?? 0) / Math.min(shareOfControl, shareOfTreatment);
  const needed = [shareOfControl, shareOfTreatment].map((share, arm) => {
    const rate = rates?.[arm];
    const rarer = rate === undefined ? 0 : BURN_IN.successesAndFailuresPerArm / Math.min(rate, 1 - rate);
    return Math.max(BURN_IN.unitsPerArm, rarer) / share;
  });
  return Math.max(...needed);
};

/** @param units  of all arms, at the last look; @returns with a key: equal keys, equal boundaries */
export const plannedBoundary = (planned: PlannedComparison, units: number): { readonly key: string; readonly plan: () => BoundaryPlan } => {
  const looks = looksOf(planned.question);
  const fractions = Array.from({ length: looks }, (_, at) => (at + 1) / looks);
  // A hair: units that solve for a burn-in must not fall short of it by rounding.
  const counted = fractions.filter((t) => t * units >= burnInUnits(planned) * (1 - 1e-9));
  const { method, sides } = planned.question;
  const isScaleFree = method !== 'msprt' && method !== 'bayesian';
  return {
    key: `${counted.length}${isScaleFree ? '' : ` ${units}`}`,
    plan: () => ({ looks: boundsOf(planned, { units, fractions, counted }), sides: isTwoSided(method, sides) ? 'symmetric' : 'upper' }),
  };
};

const isTwoSided = (method: PlannedComparison['question']['method'], sides: 'two-sided' | 'one-sided'): boolean =>
  method !== 'bayesian' && sides === 'two-sided';

interface Looked {
  readonly units: number;
  readonly fractions: readonly number[];
  /** Those at which something is tested. */
  readonly counted: readonly number[];
}

const boundsOf = (planned: PlannedComparison, { units, fractions, counted }: Looked): readonly BoundaryLook[] => {
  const spent = planned.question.method === 'group-sequential' ? spentOver(planned, counted) : null;
  return fractions.map((t) => {
    const at = counted.indexOf(t);
    if (at === -1) return { informationFraction: t, bound: null };
    return { informationFraction: t, bound: spent === null ? boundAt(planned, t, units) : (spent[at] ?? null) };
  });
};

/** A look before the burn-in spends nothing: what it would have spent is there for the next one. */
const spentOver = ({ question: { sides, spending = 'obrien-fleming' }, alpha }: PlannedComparison, counted: readonly number[]) =>
  groupSequentialBounds({
    informationFractions: counted,
    alphaPerSide: sides === 'two-sided' ? alpha / 2 : alpha,
    spending: typeof spending === 'string' ? { kind: spending } : { kind: 'power', exponent: spending.power },
    sides: sides === 'two-sided' ? 'symmetric' : 'upper',
  }).map(({ z }) => z);

const boundAt = (planned: PlannedComparison, t: number, units: number): number => {
  const { question, alpha } = planned;
  const isOneSided = question.sides === 'one-sided';
  switch (question.method) {
    case 'msprt': {
      const spread = ((question.tau ?? 0) / standardError(planned, units * t)) ** 2;
      if (!isOneSided) return mixtureSprtCriticalZ(1, spread, alpha);
      return oneSidedMultiplier({ level: alpha, n: 1, tightestAtUnits: 1, spread });
    }
    case 'bayesian':
      return bayesianBound(planned, relativeError(planned, units * t));
    case 'sequential':
      // N* is half of the maximum, so that only the share of it matters.
      if (!isOneSided) return planned.sequenceWidening * sequenceMultiplier(t, { alpha, tightestAtUnits: 0.5 });
      return planned.sequenceWidening * oneSidedMultiplier({ level: alpha, n: t, tightestAtUnits: 0.5 });
    default:
      return normal.isf(isOneSided ? alpha : alpha / 2);
  }
};

/** Beyond it every posterior is sure, or none is. */
const FARTHEST = 38;

/** The statistic from which on both hold: the chance to win, and the expected loss. Both rise in their favour with it. */
const bayesianBound = ({ question, effect }: PlannedComparison, se: number): number => {
  const { bayesian } = question;
  if (bayesian === undefined || bayesian.prior === 'flat') throw new RangeError('method bayesian needs a proper prior');
  const prior: NormalPrior = { mean: Math.sign(effect) * bayesian.prior.mean, variance: bayesian.prior.sd ** 2 };
  const isShown = (z: number): boolean => {
    const posterior = normalPosterior({ estimate: z * se, se, prior, alpha: 0.05 });
    if (posterior.kind !== 'posterior') return false;
    return posterior.chanceToWin >= bayesian.chanceToWin && posterior.lossShipTreatment <= bayesian.expectedLoss;
  };
  let [low, high] = [-FARTHEST, FARTHEST];
  if (isShown(low)) return low;
  for (let halving = 0; halving < 36; halving++) {
    const middle = (low + high) / 2;
    if (isShown(middle)) high = middle;
    else low = middle;
  }
  return high;
};
