/** Two arms of one metric compared: floating point begins here, after the last sum. */
import type { AnalysisPlan, Comparison, Effect, Interval, MetricDefinition, MetricUse, Refusal } from '@rampart/contracts';
import type { ArmQuantile } from '@rampart/feedback-store';
import {
  type CoMoments,
  type ComparedEffect,
  coMomentsFromIntegerSums,
  compareMeans,
  fromIntegerSums,
  type Margin,
  type Moments,
  type NonInferiority,
  nonInferiorityTest,
  normal,
  proportionMoments,
  type Refused,
  ratioMomentsFromIntegerSums,
  refused,
  studentT,
} from '@rampart/statistics';
import { type AnytimeTuning, anytimeComparison, countedArm, firstErrors } from './anytime.js';
import { type ArmSums, unitsPerOne } from './arm-sums.js';
import { bayesianComparison } from './bayesian.js';
import { quantileFigure } from './quantile-figures.js';
import { quantileAnytime, quantilePair } from './quantile-sequence.js';

/** An arm's sums with the moments per unit that tests are made of, in the metric's own unit. */
export interface ArmFigures {
  readonly arm: string;
  readonly sums: ArmSums;
  readonly moments: Moments | Refused;
  /** Ratio only. */
  readonly denominator: Moments | null;
  /** Quantile only, where it was counted. */
  readonly quantile?: ArmQuantile;
}

/** @param counted  order statistics, of a quantile */
export const armFigures = (metric: MetricDefinition, sums: ArmSums, counted?: ArmQuantile): ArmFigures => {
  const { arm, units: n, sum, sumSquares } = sums;
  const perOne = unitsPerOne(metric, 'numerator');
  const plain = (moments: Moments | Refused) => ({ arm, sums, moments, denominator: null });
  switch (metric.type) {
    case 'proportion':
    case 'first-error':
    case 'retention':
    case 'funnel':
      return plain(proportionMoments(n, Number(sum / perOne)));
    case 'mean':
    case 'count':
      return plain(rescaled(fromIntegerSums({ n, sum, sumSquares }), scaleOf(perOne)));
    case 'quantile':
      return { ...plain(quantileFigure(metric, sums, counted)), ...(counted === undefined ? {} : { quantile: counted }) };
    case 'ratio': {
      const ratio = ratioMomentsFromIntegerSums({
        n,
        sumX: sums.denominatorSum,
        sumY: sum,
        sumSquaresX: sums.denominatorSumSquares,
        sumSquaresY: sumSquares,
        sumProducts: sums.crossSum,
      });
      if (ratio.kind === 'refused') return plain(ratio);
      const below = scaleOf(unitsPerOne(metric, 'denominator'));
      return { arm, sums, moments: rescaled(ratio.moments, scaleOf(perOne) / below), denominator: rescaled(ratio.denominator, below) };
    }
  }
};

/** Pairs per unit (x = denominator, y = numerator), in the metric's own units. */
export const denominatorPair = (metric: MetricDefinition, sums: ArmSums): CoMoments => {
  const [below, above] = [scaleOf(unitsPerOne(metric, 'denominator')), scaleOf(unitsPerOne(metric, 'numerator'))];
  const pair = coMomentsFromIntegerSums({
    n: sums.units,
    sumX: sums.denominatorSum,
    sumY: sums.sum,
    sumSquaresX: sums.denominatorSumSquares,
    sumSquaresY: sums.sumSquares,
    sumProducts: sums.crossSum,
  });
  return {
    n: pair.n,
    meanX: pair.meanX / below,
    meanY: pair.meanY / above,
    m2X: pair.m2X / below / below,
    m2Y: pair.m2Y / above / above,
    cXY: pair.cXY / below / above,
  };
};

/** Beyond millionths: a power of ten up to 1e12, so that 1e6 times it may not be a safe integer. */
export const scaleOf = (perOne: bigint): number => Number(perOne / 1_000_000n);

/** Moments of value × scale as moments of the value. */
const rescaled = ({ n, mean, m2 }: Moments, scale: number): Moments => ({ n, mean: mean / scale, m2: m2 / scale / scale });

export interface Compared {
  readonly control: ArmFigures;
  readonly treatment: ArmFigures;
  readonly metric: MetricDefinition;
  readonly use: MetricUse;
  readonly plan: AnalysisPlan;
  /** Null where there is one look. */
  readonly tuning: AnytimeTuning | null;
}

/** @returns everything but the adjusted p, which depends on the other comparisons of the family */
export const compared = (asked: Compared): Omit<Comparison, 'adjustedP'> => {
  const { control, treatment, metric, use, plan, tuning } = asked;
  const about = { treatment: treatment.arm, control: control.arm };
  const alpha = 1 - plan.intervalLevel;
  const arms = momentsOfBoth(control, treatment);
  const effect = (difference: 'absolute' | 'relative') => (arms.kind === 'refused' ? arms : compareMeans({ ...arms, alpha, difference }));
  const effects = { absolute: effectOf(effect('absolute')), relative: effectOf(effect('relative')) };
  const anytime = tuning === null ? null : anytimeOf(asked, effects, tuning);
  const bayesian = bayesianComparison(effects, {
    metric,
    plan,
    control: countedArm(metric, control.sums, undefined),
    treatment: countedArm(metric, treatment.sums, undefined),
    controlMean: 'kind' in control.moments ? 0 : control.moments.mean,
  });
  if (arms.kind === 'refused') return { ...about, ...effects, anytime, normal: null, pooledProportion: null, bayesian };
  return {
    ...about,
    ...effects,
    anytime,
    normal: againstNormal(effect('absolute'), alpha),
    pooledProportion: pooledProportion(metric, control.sums, treatment.sums),
    bayesian,
    ...(use.margin === undefined
      ? {}
      : { nonInferiority: marginResult(nonInferiorityTest({ ...arms, ...marginOf(metric, use.margin), alpha: plan.alpha }), use.margin) }),
  };
};

const anytimeOf = (
  { metric, use, control, treatment }: Pick<Compared, 'metric' | 'use' | 'control' | 'treatment'>,
  effects: Pick<Comparison, 'absolute' | 'relative'>,
  tuning: AnytimeTuning,
): Comparison['anytime'] => {
  if (metric.type === 'quantile') {
    // By the values of a property its order statistics are those of one look.
    if (control.quantile !== undefined && control.quantile.ladder === undefined) return null;
    return quantileAnytime(quantilePair(metric, control, treatment, tuning), tuning);
  }
  const counted = [control, treatment].map(({ sums, moments }) => countedArm(metric, sums, 'kind' in moments ? undefined : moments));
  return anytimeComparison(effects, counted, {
    tuning,
    tau: use.tau,
    firstError: firstErrors(metric, control.sums, treatment.sums, tuning),
  });
};

type Both = { readonly kind: 'both'; readonly control: Moments; readonly treatment: Moments };

const momentsOfBoth = (control: ArmFigures, treatment: ArmFigures): Both | Refused => {
  if ('kind' in control.moments) return control.moments;
  if ('kind' in treatment.moments) return treatment.moments;
  return { kind: 'both', control: control.moments, treatment: treatment.moments };
};

export const effectOf = (effect: ComparedEffect): Effect =>
  effect.kind === 'refused'
    ? refusal(effect)
    : {
        estimate: effect.estimate,
        se: effect.se,
        statistic: effect.statistic,
        df: effect.df,
        p: effect.p,
        logP: effect.logP,
        ci: { lower: effect.ciLower, upper: effect.ciUpper },
        ...(effect.baselineNoisy === true ? { baselineNoisy: true } : {}),
      };

export const refusal = ({ reason, difference }: Refused): Refusal =>
  difference === undefined ? { refused: reason } : { refused: reason, difference };

/** The same statistic as if the variances were known: p = erfc(|t|/√2). */
export const againstNormal = (
  effect: ComparedEffect,
  alpha: number,
): { readonly p: number; readonly logP: number; readonly ci: Interval } | null => {
  if (effect.kind === 'refused') return null;
  const reach = normal.isf(alpha / 2) * effect.se;
  const p = Math.min(1, 2 * normal.sf(Math.abs(effect.statistic)));
  return { p, logP: twoSidedLogP(effect.statistic), ci: { lower: effect.estimate - reach, upper: effect.estimate + reach } };
};

/** One-sided p of the same statistic: of a gain in the good direction, and of a loss. */
export const oneSided = (
  effect: { readonly statistic: number; readonly df: number | null },
  direction: MetricDefinition['direction'],
): { readonly pBetter: number; readonly pWorse: number } => {
  const gain = direction === 'increase' ? effect.statistic : -effect.statistic;
  const sf = (statistic: number) => (effect.df === null ? normal.sf(statistic) : studentT.sf(statistic, effect.df));
  return { pBetter: sf(gain), pWorse: sf(-gain) };
};

/** z with the pooled proportion, no continuity correction; only where every value is 0 or 1, which Σx = Σx² shows. */
const pooledProportion = (metric: MetricDefinition, control: ArmSums, treatment: ArmSums): Comparison['pooledProportion'] => {
  const perOne = unitsPerOne(metric, 'numerator');
  const isBinary = ({ units, sum, sumSquares }: ArmSums) =>
    units > 0 && sumSquares === sum * perOne && sum >= 0n && sum <= BigInt(units) * perOne;
  if (metric.type === 'ratio' || metric.type === 'quantile' || !isBinary(control) || !isBinary(treatment)) return null;
  const [a, b] = [Number(control.sum / perOne), Number(treatment.sum / perOne)];
  const pooled = (a + b) / (control.units + treatment.units);
  const se = Math.sqrt(pooled * (1 - pooled) * (1 / control.units + 1 / treatment.units));
  if (se === 0) return null;
  const z = (b / treatment.units - a / control.units) / se;
  return { se, z, p: Math.min(1, 2 * normal.sf(Math.abs(z))), logP: twoSidedLogP(z) };
};

/** Finite where p itself is 0. */
const twoSidedLogP = (z: number): number => Math.min(0, Math.LN2 + normal.logSf(Math.abs(z)));

export type UsedMargin = NonNullable<MetricUse['margin']>;

export const marginOf = (metric: MetricDefinition, margin: UsedMargin): { direction: MetricDefinition['direction']; margin: Margin } => ({
  direction: metric.direction,
  margin: 'relative' in margin ? { kind: 'relative', value: margin.relative } : { kind: 'absolute', value: margin.absolute },
});

export const marginResult = (
  test: Pick<NonInferiority, 'kind' | 'statistic' | 'se' | 'p' | 'logP' | 'isNonInferior'> | Refused,
  margin: UsedMargin,
): NonNullable<Comparison['nonInferiority']> =>
  test.kind === 'refused'
    ? refusal(test)
    : { margin: marginText(margin), z: test.statistic, se: test.se, p: test.p, logP: test.logP, nonInferior: test.isNonInferior };

const marginText = (margin: UsedMargin): string =>
  'relative' in margin ? `${Number((margin.relative * 100).toPrecision(12))} % of control's mean` : String(margin.absolute);

export const noResult = (reason: Refused['reason']): Refusal => refusal(refused(reason));
