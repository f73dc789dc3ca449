/** The same comparison as it may be looked at: intervals and evidence that hold at every look. */
import type {
  AnytimeComparison,
  AnytimeEffect,
  Comparison,
  Effect,
  ExperimentDefinition,
  MetricDefinition,
  Refusal,
} from '@rampart/contracts';
import { isWatched, tightestAtUnitsOf } from '@rampart/domain';
import {
  asymptoticConfidenceSequence,
  burnIn,
  FIRST_ERROR_CONCENTRATIONS,
  logNormalMixture,
  type Moments,
  mixtureSprt,
  mixtureSprtCriticalZ,
  normal,
  normalMixture,
  normalMixtureBound,
  sequenceMultiplier,
  srmSequential,
  unequalArmsWidening,
} from '@rampart/statistics';
import { type DefinitionInForce, promisedPlan } from '../definitions/definition-in-force.js';
import { type ArmSums, unitsPerOne } from './arm-sums.js';

/** Plan data only: what shapes a boundary is fixed before the first look. */
export interface AnytimeTuning {
  readonly level: number;
  /** N*. */
  readonly tightestAtUnits: number;
  /** Method msprt: each metric's own τ shapes its boundary, not N*. */
  readonly isMixture: boolean;
  /** Weight of each arm in the design; null where it states no ratio. */
  readonly weights: ReadonlyMap<string, number> | null;
  /** Of one metric: its caps are not fixed before so many units have closed. Absent: they are, or it has none. */
  readonly capsWait?: { readonly have: number; readonly needed: number } | undefined;
}

/** @returns null where there is one look */
export const anytimeTuning = (definition: DefinitionInForce): AnytimeTuning | null => {
  const { environment, experiment } = definition;
  const { plan } = experiment;
  if (environment.kind === 'historical' || !isWatched(plan.method)) return null;
  return {
    level: plan.intervalLevel,
    isMixture: plan.method === 'msprt',
    tightestAtUnits: promisedPlan(definition)?.tightestAtUnits ?? tightestAtUnitsOf(plan),
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
    metric.type !== 'ratio' &&
    metric.type !== 'quantile' &&
    sums.sumSquares === sums.sum * perOne &&
    sums.sum >= 0n &&
    sums.sum <= BigInt(sums.units) * perOne;
  return isBinary ? { ...about, successes: Math.min(n, Number(sums.sum / perOne)) } : about;
};

export const burnInRefusal = (arms: readonly CountedArm[]): Refusal | null => {
  const state = burnIn(arms);
  return state.kind === 'over' ? null : { refused: 'NOT_ENOUGH_DATA', have: state.have, needed: state.needed };
};

interface OfMetric {
  readonly tuning: AnytimeTuning;
  /** Of the metric's use; a metric that is only shown may have none. */
  readonly tau: number | undefined;
  readonly firstError: AnytimeComparison['firstError'];
}

export const anytimeComparison = (
  { absolute, relative }: { readonly absolute: Effect; readonly relative: Effect },
  arms: readonly CountedArm[],
  { tuning, tau, firstError }: OfMetric,
): AnytimeComparison => {
  const tooEarly: Refusal | null = tuning.capsWait === undefined ? burnInRefusal(arms) : { refused: 'CAPS_NOT_FIXED', ...tuning.capsWait };
  const n = arms.reduce((sum, arm) => sum + arm.n, 0);
  const widening = wideningOf(arms);
  const isMixture = tuning.isMixture && tau !== undefined && !('refused' in absolute);
  const shaped = { n, widening, ...tuning, ...(isMixture ? { spread: spreadOf(tau, absolute.se * widening) } : {}) };
  return {
    level: tuning.level,
    tightestAtUnits: tuning.isMixture && tau !== undefined ? null : tuning.tightestAtUnits,
    ...(tuning.isMixture && tau !== undefined ? { tau } : {}),
    widening,
    absolute: tooEarly ?? anytimeEffect(absolute, shaped),
    relative: tooEarly ?? anytimeEffect(relative, shaped),
    firstError,
  };
};

/** τ²/V: how far true effects spread, against how far this estimate does. */
export const spreadOf = (tau: number, se: number): number => (tau / se) ** 2;

const wideningOf = ([control, treatment]: readonly CountedArm[]): number => {
  if (control?.moments === undefined || treatment?.moments === undefined) return 1;
  if (control.moments.n < 2 || treatment.moments.n < 2) return 1;
  return unequalArmsWidening(control.moments, treatment.moments);
};

interface Shaped extends AnytimeTuning {
  readonly n: number;
  readonly widening: number;
  /** τ²/V of the absolute effect: the relative one is the same statistic on another scale. */
  readonly spread?: number;
}

const anytimeEffect = (effect: Effect, { n, widening, level, tightestAtUnits, spread }: Shaped): AnytimeEffect | Refusal => {
  if ('refused' in effect) return effect;
  // Its interval at one look is Fieller's, which has no form here that holds at every look.
  if (effect.baselineNoisy === true) return { refused: 'NOISY_BASELINE' };
  const { estimate } = effect;
  const se = effect.se * widening;
  if (spread !== undefined) {
    const { p, logP, logLambda } = mixtureSprt({ estimate: estimate / se, varianceOfEstimate: 1, tau2: spread });
    const multiplier = mixtureSprtCriticalZ(1, spread, 1 - level);
    return { lower: estimate - multiplier * se, upper: estimate + multiplier * se, p, logP, logE: logLambda, multiplier };
  }
  const { halfWidth, multiplier, p, logP, logE } = asymptoticConfidenceSequence({ estimate, se, n, tightestAtUnits, alpha: 1 - level });
  return { lower: estimate - halfWidth, upper: estimate + halfWidth, p, logP, logE, multiplier };
};

/** Half of a two-sided interval at another level, in widened standard errors: of the very mixture whose evidence is shown, so that selecting by it is allowed for. */
export const anytimeMultiplier = (
  { absolute, anytime }: Pick<Comparison, 'absolute' | 'anytime'>,
  { n, alpha, tuning }: { readonly n: number; readonly alpha: number; readonly tuning: AnytimeTuning },
): number => {
  if (anytime?.tau !== undefined && !('refused' in absolute))
    return mixtureSprtCriticalZ(1, spreadOf(anytime.tau, absolute.se * anytime.widening), alpha);
  const mixture = normalMixture({ vOpt: tuning.tightestAtUnits, alphaOpt: 1 - tuning.level, sides: 'two-sided' });
  return normalMixtureBound(mixture, n, alpha) / Math.sqrt(n);
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
  const { logE, p, logP } = srmSequential([{ observed, weights }], FIRST_ERROR_CONCENTRATIONS);
  return { control: observed[0], treatment: observed[1], expectedShare: weights[1] / (weights[0] + weights[1]), logE, p, logP };
};

/** One-sided: what shapes the boundary of one decision. */
export interface OneSided {
  readonly level: number;
  readonly n: number;
  readonly tightestAtUnits: number;
  /** Method msprt: τ²/V. */
  readonly spread?: number | undefined;
}

/** ln E of the one-sided confidence sequence for an effect above 0, by its statistic. */
export const oneSidedLogE = (statistic: number, { level, n, tightestAtUnits, spread }: OneSided): number =>
  spread === undefined
    ? asymptoticConfidenceSequence({ estimate: statistic, se: 1, n, tightestAtUnits, alpha: level, alternative: 'greater' }).logE
    : logNormalMixture(halfNormal(n, spread), statistic * Math.sqrt(n), n);

/** True effects of one sign, as far as τ spreads them: the one-sided twin of the mSPRT's mixture, an e-value for every effect that is none. */
const halfNormal = (n: number, spread: number) => ({ rho: n / spread, sides: 'one-sided' }) as const;

const oneSidedBound = ({ level, n, tightestAtUnits, spread }: OneSided): number =>
  spread === undefined
    ? sequenceMultiplier(n, { alpha: level, tightestAtUnits, alternative: 'greater' })
    : normalMixtureBound(halfNormal(n, spread), n, level) / Math.sqrt(n);

/** The statistic at which its E reaches 1/level: the exact boundary, a little inside its closed form. */
export const oneSidedMultiplier = (side: OneSided): number => {
  const { level } = side;
  let [low, high] = [normal.isf(level), oneSidedBound(side)];
  const threshold = -Math.log(level);
  // E rises with the statistic; 60 halvings leave nothing of the distance.
  for (let halving = 0; halving < 60; halving++) {
    const middle = (low + high) / 2;
    if (oneSidedLogE(middle, side) < threshold) low = middle;
    else high = middle;
  }
  return high;
};
