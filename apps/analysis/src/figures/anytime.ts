/** The same comparison as it may be looked at: intervals and evidence that hold at every look. */
import type { AnytimeComparison, AnytimeEffect, Effect, ExperimentDefinition, MetricDefinition, Refusal } from '@rampart/contracts';
import {
  asymptoticConfidenceSequence,
  burnIn,
  DEFAULT_TIGHTEST_AT_UNITS,
  FIRST_ERROR_CONCENTRATIONS,
  type Moments,
  normal,
  sequenceMultiplier,
  srmSequential,
  unequalArmsWidening,
} from '@rampart/statistics';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';
import { type ArmSums, unitsPerOne } from './arm-sums.js';

/** Plan data only: what shapes a boundary is fixed before the first look. */
export interface AnytimeTuning {
  readonly level: number;
  /** N*. */
  readonly tightestAtUnits: number;
  /** Weight of each arm in the design; null where it states no ratio. */
  readonly weights: ReadonlyMap<string, number> | null;
}

/** @returns null where there is one look */
export const anytimeTuning = ({ environment, experiment }: DefinitionInForce): AnytimeTuning | null => {
  const { plan } = experiment;
  if (environment.kind === 'historical' || plan.method !== 'sequential') return null;
  return {
    level: plan.intervalLevel,
    tightestAtUnits: plan.plannedUnits === undefined ? DEFAULT_TIGHTEST_AT_UNITS : plan.plannedUnits / 2,
    weights: armWeights(experiment),
  };
};

const armWeights = ({ variants }: ExperimentDefinition): ReadonlyMap<string, number> | null => {
  const weights = new Map<string, number>();
  for (const { key, arm = key, weight } of variants) {
    if (weight === null) return null;
    weights.set(arm, (weights.get(arm) ?? 0) + weight);
  }
  return weights;
};

/** Units in an estimate; with the outcomes that are 1, where every value is 0 or 1. */
export interface CountedArm {
  readonly n: number;
  readonly successes?: number;
  /** Of the values that are compared; absent where they can't be had. */
  readonly moments?: Moments;
}

/** @param compared  the units that take part in the compared estimate: with a covariate these may be fewer than the arm has */
export const countedArm = (metric: MetricDefinition, sums: ArmSums, compared: Moments | undefined): CountedArm => {
  const n = compared?.n ?? sums.units;
  const about = compared === undefined ? { n } : { n, moments: compared };
  const perOne = unitsPerOne(metric, 'numerator');
  const isBinary =
    metric.type !== 'ratio' && sums.sumSquares === sums.sum * perOne && sums.sum >= 0n && sums.sum <= BigInt(sums.units) * perOne;
  return isBinary ? { ...about, successes: Math.min(n, Number(sums.sum / perOne)) } : about;
};

export const burnInRefusal = (arms: readonly CountedArm[]): Refusal | null => {
  const state = burnIn(arms);
  return state.kind === 'over' ? null : { refused: 'NOT_ENOUGH_DATA', have: state.have, needed: state.needed };
};

export const anytimeComparison = (
  { absolute, relative }: { readonly absolute: Effect; readonly relative: Effect },
  arms: readonly CountedArm[],
  tuning: AnytimeTuning,
  firstError: AnytimeComparison['firstError'],
): AnytimeComparison => {
  const tooEarly = burnInRefusal(arms);
  const n = arms.reduce((sum, arm) => sum + arm.n, 0);
  const { level, tightestAtUnits } = tuning;
  const widening = wideningOf(arms);
  return {
    level,
    tightestAtUnits,
    widening,
    absolute: tooEarly ?? anytimeEffect(absolute, { n, widening, ...tuning }),
    relative: tooEarly ?? anytimeEffect(relative, { n, widening, ...tuning }),
    firstError,
  };
};

const wideningOf = ([control, treatment]: readonly CountedArm[]): number => {
  if (control?.moments === undefined || treatment?.moments === undefined) return 1;
  if (control.moments.n < 2 || treatment.moments.n < 2) return 1;
  return unequalArmsWidening(control.moments, treatment.moments);
};

interface Shaped extends AnytimeTuning {
  readonly n: number;
  readonly widening: number;
}

const anytimeEffect = (effect: Effect, { n, widening, level, tightestAtUnits }: Shaped): AnytimeEffect | Refusal => {
  if ('refused' in effect) return effect;
  // Its interval at one look is Fieller's, which has no form here that holds at every look.
  if (effect.baselineNoisy === true) return { refused: 'NOISY_BASELINE' };
  const { estimate } = effect;
  const se = effect.se * widening;
  const { halfWidth, multiplier, p, logE } = asymptoticConfidenceSequence({ estimate, se, n, tightestAtUnits, alpha: 1 - level });
  return { lower: estimate - halfWidth, upper: estimate + halfWidth, p, logE, multiplier };
};

/** Units with at least one error fall on the arms by their weights if the treatment changes nothing, whatever the error rate does over time. */
export const firstErrors = (
  metric: MetricDefinition,
  control: ArmSums,
  treatment: ArmSums,
  tuning: AnytimeTuning,
): AnytimeComparison['firstError'] => {
  const weights = [tuning.weights?.get(control.arm) ?? 0, tuning.weights?.get(treatment.arm) ?? 0] as const;
  if (metric.type !== 'first-error' || weights[0] <= 0 || weights[1] <= 0) return null;
  const perOne = unitsPerOne(metric, 'numerator');
  const observed = [Number(control.sum / perOne), Number(treatment.sum / perOne)] as const;
  // One period: segments of a comparison have equal weights, others begin a new comparison.
  const { logE, p } = srmSequential([{ observed, weights }], FIRST_ERROR_CONCENTRATIONS);
  return { control: observed[0], treatment: observed[1], expectedShare: weights[1] / (weights[0] + weights[1]), logE, p };
};

/** One-sided: what shapes the boundary of one decision. */
export interface OneSided {
  readonly level: number;
  readonly n: number;
  readonly tightestAtUnits: number;
}

/** ln E of the one-sided confidence sequence for an effect above 0, by its statistic. */
export const oneSidedLogE = (statistic: number, { level, n, tightestAtUnits }: OneSided): number =>
  asymptoticConfidenceSequence({ estimate: statistic, se: 1, n, tightestAtUnits, alpha: level, alternative: 'greater' }).logE;

/** The statistic at which its E reaches 1/level: the exact boundary, a little inside its closed form. */
export const oneSidedMultiplier = (side: OneSided): number => {
  const { level, n, tightestAtUnits } = side;
  let [low, high] = [normal.isf(level), sequenceMultiplier(n, { alpha: level, tightestAtUnits, alternative: 'greater' })];
  const threshold = -Math.log(level);
  // E rises with the statistic; 60 halvings leave nothing of the distance.
  for (let halving = 0; halving < 60; halving++) {
    const middle = (low + high) / 2;
    if (oneSidedLogE(middle, side) < threshold) low = middle;
    else high = middle;
  }
  return high;
};
