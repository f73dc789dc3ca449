/** A quantile at every look: ladders of order statistics made into intervals and evidence. */
import type { AnytimeComparison, AnytimeEffect, MetricDefinition, Refusal } from '@rampart/contracts';
import { type ArmQuantile, designEffectOf } from '@rampart/feedback-store';
import { burnIn, type Probability, quantileDifferenceSequence, type RankedArm } from '@rampart/statistics';
import type { AnytimeTuning } from './anytime.js';
import { type ArmSums, unitsPerOne } from './arm-sums.js';

/** One arm, as far as it was counted. */
export interface QuantileArm {
  readonly sums: ArmSums;
  readonly quantile?: ArmQuantile | undefined;
}

/** Two ladders, and what shapes their evidence: plan data. */
export interface QuantilePair {
  readonly control: RankedArm;
  readonly treatment: RankedArm;
  readonly nu: number;
  readonly tightestAtUnits: number;
  readonly treatmentShare: number;
}

type Tuning = Pick<AnytimeTuning, 'tightestAtUnits' | 'weights'>;

/**
 * One value of each unit: exact from the first unit on. Events of units: by the central limit theorem, so not before the burn-in, where those beyond the
 * quantile count as many as they are worth.
 * @returns why there is none: NOT_COUNTED, OPEN_WINDOW (a unit's values are not final), NOT_ENOUGH_DATA
 */
export const quantilePair = (
  metric: MetricDefinition,
  control: QuantileArm,
  treatment: QuantileArm,
  { tightestAtUnits, weights }: Tuning,
): QuantilePair | Refusal => {
  if (metric.windowUs === null) return { refused: 'OPEN_WINDOW' };
  const nu = metric.quantileLevel ?? 0;
  const [a, b] = [rankedArm(metric, control), rankedArm(metric, treatment)];
  if (a === undefined || b === undefined) return { refused: 'NOT_COUNTED' };
  const state = burnIn([a, b].flatMap((arm) => beyondOf(arm, nu)));
  if (state.kind !== 'over') return { refused: 'NOT_ENOUGH_DATA', have: state.have, needed: state.needed };
  return { control: a, treatment: b, nu, tightestAtUnits, treatmentShare: shareOf(weights, control.sums.arm, treatment.sums.arm) };
};

const rankedArm = (metric: MetricDefinition, { sums, quantile }: QuantileArm): RankedArm | undefined => {
  if (quantile?.ladder === undefined) return undefined;
  const perOne = Number(unitsPerOne(metric, 'numerator'));
  const { observations: n, clusters } = quantile;
  const ladder = quantile.ladder.map(({ rank, value }) => ({ rank, value: Number(value) / perOne }));
  return { n, ladder, ...(clusters === null ? {} : { clusters: { units: sums.units, designEffect: designEffectOf(clusters) } }) };
};

/** What the burn-in asks of events: units, and as many observations on the rarer side of the quantile as independent ones would be. */
const beyondOf = ({ n, clusters }: RankedArm, nu: number): Parameters<typeof burnIn>[0] => {
  if (clusters === undefined) return [];
  const worth = Math.floor((n / clusters.designEffect) * Math.min(nu, 1 - nu));
  // Whatever units there are, what lies beyond counts as the rarer outcome.
  return [{ n: clusters.units }, { n: Number.MAX_SAFE_INTEGER, successes: worth }];
};

const shareOf = (weights: Tuning['weights'], control: string, treatment: string): number => {
  const [a, b] = [weights?.get(control) ?? 0, weights?.get(treatment) ?? 0];
  return a > 0 && b > 0 ? b / (a + b) : 0.5;
};

const bothScales = ['absolute', 'relative'] as const;

export const quantileAnytime = (pair: QuantilePair | Refusal, { level, tightestAtUnits }: AnytimeTuning): AnytimeComparison => {
  const [absolute, relative] = bothScales.map((scale) => effectOn(pair, scale, 1 - level));
  const none: Refusal = { refused: 'NOT_COUNTED' };
  return { level, tightestAtUnits, widening: 1, absolute: absolute ?? none, relative: relative ?? none, firstError: null };
};

const effectOn = (pair: QuantilePair | Refusal, difference: 'absolute' | 'relative', alpha: Probability): AnytimeEffect | Refusal => {
  if ('refused' in pair) return pair;
  const found = quantileDifferenceSequence({ ...pair, difference, alpha });
  if (found.kind === 'refused') return { refused: found.reason };
  const { lower, upper, p, logP, logE } = found;
  return { lower, upper, p, logP, logE, multiplier: null };
};

/** The two-sided interval at another level; null where it has no two ends. */
export const quantileInterval = (pair: QuantilePair | Refusal, difference: 'absolute' | 'relative', alpha: Probability) => {
  const found = effectOn(pair, difference, alpha);
  return 'refused' in found ? null : { lower: found.lower, upper: found.upper };
};
