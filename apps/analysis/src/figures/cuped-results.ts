/** The adjusted view of a metric that has a covariate: one slope over all arms, adjusted means, and what the adjustment gained. */
import type { AnalysisPlan, Comparison, CupedResult, MetricDefinition, Refusal } from '@rampart/contracts';
import {
  type CoMoments,
  type CrossMoments,
  coMomentsFromIntegerSums,
  compareCuped,
  compareCupedRatios,
  compareMeans,
  compositeCovariate,
  crossMomentsFromIntegerSums,
  cupedAdjusted,
  cupedNonInferiorityContrast,
  cupedRatioTheta,
  cupedTheta,
  emptyCoMoments,
  emptyMoments,
  linearisedRatios,
  type Moments,
  mergeCoMoments,
  mergeCrossMoments,
  momentsOfY,
  type RatioWithCovariate,
  sampleVariance,
  studentT,
} from '@rampart/statistics';
import type { MetricInUse } from '../definitions/definition-in-force.js';
import { type AnytimeTuning, anytimeComparison, countedArm, firstErrors } from './anytime.js';
import { type ArmSums, unitsPerOne } from './arm-sums.js';
import { bayesianComparison } from './bayesian.js';
import { againstNormal, effectOf, marginOf, marginResult, noResult, refusal, scaleOf, type UsedMargin } from './effects.js';

export type CupedComparison = CupedResult['comparisons'][number];

interface Adjusted {
  readonly arm: string;
  /** x = covariate, y = outcome; of a ratio to first order. */
  readonly pair: CoMoments;
  /** Of a ratio: numerator and denominator, after the exposure and before. */
  readonly ratio: RatioWithCovariate | null;
  readonly sums: ArmSums;
}

/** All arms, as one sample: where the covariate is centred, and the slope. */
interface Pooled {
  readonly arms: readonly Adjusted[];
  readonly pool: CoMoments;
  readonly theta: number;
  /** Of several covariates. */
  readonly slopes?: readonly (number | null)[];
}

/** @param pairs  (control, treatment) by arm; @returns null for a metric without a covariate */
export const cupedResult = (
  metric: MetricInUse,
  arms: readonly ArmSums[],
  pairs: readonly (readonly [control: string, treatment: string])[],
  { plan, tuning }: { readonly plan: AnalysisPlan; readonly tuning: AnytimeTuning | null },
): CupedResult | Refusal | null => {
  const { definition } = metric;
  if (definition.covariate === undefined && definition.covariates === undefined) return null;
  const found = pooledOf(definition, arms, plan);
  if ('refused' in found) return found;
  const { arms: adjusted, pool, theta, slopes } = found;
  const all = arms.reduce((sum, arm) => sum + arm.units, 0);
  const named = new Map(adjusted.map((arm) => [arm.arm, arm]));
  return {
    covariate: namesOf(definition).join(' + '),
    ...(slopes === undefined
      ? {}
      : { slopes: namesOf(definition).map((name, place) => ({ covariate: name, theta: slopes[place] ?? null })) }),
    theta,
    thetaKind: plan.cupedTheta,
    units: pool.n,
    unitsWithoutCovariate: all - pool.n,
    covariateMean: pool.meanX,
    correlation: pool.m2Y > 0 ? pool.cXY / Math.sqrt(pool.m2X * pool.m2Y) : null,
    arms: adjusted.map((arm) => adjustedArm(arm, theta, pool.meanX)),
    comparisons: pairs.flatMap(([control, treatment]) => {
      const [a, b] = [named.get(control), named.get(treatment)];
      return a === undefined || b === undefined
        ? []
        : [comparedAdjusted(metric, a, b, { all: adjusted, theta, centre: pool.meanX, plan, tuning })];
    }),
  };
};

const namesOf = ({ covariate, covariates, numerator }: MetricDefinition): readonly string[] =>
  covariates?.map(({ selector }) => selector.event) ?? [covariate?.selector?.event ?? numerator.event];

const pooledOf = (definition: MetricDefinition, arms: readonly ArmSums[], plan: AnalysisPlan): Pooled | Refusal => {
  if (definition.covariates !== undefined) return pooledComposites(definition, arms, plan);
  return definition.type === 'ratio' ? pooledRatios(definition, arms, plan) : pooledPairs(definition, arms, plan);
};

const pooledComposites = (definition: MetricDefinition, arms: readonly ArmSums[], plan: AnalysisPlan): Pooled | Refusal => {
  if (arms.some(({ joint }) => joint === undefined || joint.units < 2)) return noResult('INSUFFICIENT_UNITS');
  const { pairs, pool, slopes } = compositeCovariate(
    arms.map((arm) => jointMoments(definition, arm, severalScales(definition))),
    plan.cupedTheta,
  );
  if (pool.m2X === 0) return { refused: 'ZERO_COVARIATE_VARIANCE' };
  const adjusted = arms.flatMap((sums, place): Adjusted[] => {
    const pair = pairs[place];
    return pair === undefined ? [] : [{ arm: sums.arm, pair, ratio: null, sums }];
  });
  return { arms: adjusted, pool, theta: cupedTheta(pairs, plan.cupedTheta), slopes };
};

/** Several covariates as one in each cell, with the weights that are best within the cells: what tells cells apart is not the covariates' to explain. @returns undefined where none of them varies */
export const compositeByCell = (definition: MetricDefinition, cells: readonly ArmSums[]): ReadonlyMap<ArmSums, CoMoments> | undefined => {
  const filled = cells.filter(({ joint }) => joint !== undefined && joint.units > 0);
  if (filled.length === 0) return undefined;
  const { pairs, slopes } = compositeCovariate(
    filled.map((cell) => jointMoments(definition, cell, severalScales(definition))),
    'within',
  );
  if (slopes.every((slope) => slope === null)) return undefined;
  return new Map(filled.map((cell, place) => [cell, pairs[place] ?? emptyCoMoments]));
};

const severalScales = ({ covariates = [] }: MetricDefinition) => ['numerator', ...covariates.map(() => 'covariate' as const)] as const;

const pooledPairs = (definition: MetricDefinition, arms: readonly ArmSums[], plan: AnalysisPlan): Pooled | Refusal => {
  const adjusted = arms.map((arm): Adjusted => ({ arm: arm.arm, pair: covariatePair(definition, arm), ratio: null, sums: arm }));
  const pairs = adjusted.map(({ pair }) => pair);
  const pool = pairs.reduce(mergeCoMoments);
  if (pairs.some(({ n }) => n < 2)) return noResult('INSUFFICIENT_UNITS');
  if (pool.m2X === 0) return { refused: 'ZERO_COVARIATE_VARIANCE' };
  return { arms: adjusted, pool, theta: cupedTheta(pairs, plan.cupedTheta) };
};

/** `within` adds each arm's terms per unit, as GrowthBook does. */
const pooledRatios = (definition: MetricDefinition, arms: readonly ArmSums[], plan: AnalysisPlan): Pooled | Refusal => {
  if (arms.some(({ joint }) => joint === undefined || joint.units < 2)) return noResult('INSUFFICIENT_UNITS');
  const ratios = arms.map((arm) => ratioWithCovariate(definition, arm));
  const pool = linearisedRatios(ratios.reduce(mergeCrossMoments));
  if (pool.kind === 'refused') return refusal(pool);
  const adjusted: Adjusted[] = [];
  for (const [index, ratio] of ratios.entries()) {
    const [linear, sums] = [linearisedRatios(ratio), arms[index]];
    if (linear.kind === 'refused') return refusal(linear);
    if (sums !== undefined) adjusted.push({ arm: sums.arm, pair: linear.pairs, ratio, sums });
  }
  if (pool.pairs.m2X === 0) return { refused: 'ZERO_COVARIATE_VARIANCE' };
  return { arms: adjusted, pool: pool.pairs, theta: cupedRatioTheta(ratios, plan.cupedTheta === 'pooled' ? 'pooled' : 'perArmSum') };
};

const ratioWithCovariate = (metric: MetricDefinition, arm: ArmSums): RatioWithCovariate =>
  jointMoments(metric, arm, ['numerator', 'denominator', 'covariate', 'denominator']);

/** @param of  whose scale each value has */
const jointMoments = (metric: MetricDefinition, { joint }: ArmSums, of: readonly Parameters<typeof unitsPerOne>[1][]): CrossMoments => {
  const { units: n, sums, products } = joint ?? { units: 0, sums: [], products: [] };
  const { means, scatter } = crossMomentsFromIntegerSums({ n, sums, products: squareOf(products, sums.length) });
  const scales = of.map((one) => scaleOf(unitsPerOne(metric, one)));
  const per = (place: number) => scales[place] ?? 1;
  return {
    n,
    means: means.map((mean, i) => mean / per(i)),
    scatter: scatter.map((row, i) => row.map((value, j) => value / per(i) / per(j))),
  };
};

/** Both halves of what is given row by row from the diagonal on. */
const squareOf = (triangle: readonly bigint[], size: number): readonly (readonly bigint[])[] => {
  const at = (i: number, j: number) => triangle[i * size - (i * (i - 1)) / 2 + j - i] ?? 0n;
  const places = [...Array(size).keys()];
  return places.map((i) => places.map((j) => at(Math.min(i, j), Math.max(i, j))));
};

/** Of several covariates the one at this place; nobody where nobody has them. */
export const covariateMoments = (metric: MetricDefinition, arm: ArmSums, place: number): Moments => {
  if (arm.joint === undefined || arm.joint.units === 0) return emptyMoments;
  const { n, means, scatter } = jointMoments(metric, arm, severalScales(metric));
  return { n, mean: means[place + 1] ?? 0, m2: scatter[place + 1]?.[place + 1] ?? 0 };
};

/** x = covariate, y = outcome; of a ratio to first order. Nobody where the metric has none, or nobody has it. */
export const covariatePair = (metric: MetricDefinition, arm: ArmSums): CoMoments => {
  const { covariate, joint } = arm;
  if (metric.type === 'ratio' && joint !== undefined && joint.units > 0) {
    const linear = linearisedRatios(ratioWithCovariate(metric, arm));
    return linear.kind === 'refused' ? emptyCoMoments : linear.pairs;
  }
  if (covariate === null) return emptyCoMoments;
  const [perX, perY] = [scaleOf(unitsPerOne(metric, 'covariate')), scaleOf(unitsPerOne(metric, 'numerator'))];
  const pair = coMomentsFromIntegerSums({
    n: covariate.units,
    sumX: covariate.covariateSum,
    sumY: covariate.sum,
    sumSquaresX: covariate.covariateSumSquares,
    sumSquaresY: covariate.sumSquares,
    sumProducts: covariate.covariateCrossSum,
  });
  return {
    n: pair.n,
    meanX: pair.meanX / perX,
    meanY: pair.meanY / perY,
    m2X: pair.m2X / perX / perX,
    m2Y: pair.m2Y / perY / perY,
    cXY: pair.cXY / perX / perY,
  };
};

const adjustedArm = ({ arm, pair }: Adjusted, theta: number, centre: number): CupedResult['arms'][number] => {
  const moments = cupedAdjusted(pair, theta, centre);
  return {
    arm,
    n: pair.n,
    mean: moments.mean,
    variance: sampleVariance(moments),
    varianceReduction: pair.m2Y > 0 ? 1 - moments.m2 / pair.m2Y : null,
  };
};

interface Adjustment {
  readonly all: readonly Adjusted[];
  readonly theta: number;
  readonly centre: number;
  readonly plan: AnalysisPlan;
  readonly tuning: AnytimeTuning | null;
}

const comparedAdjusted = (
  { definition, use }: MetricInUse,
  control: Adjusted,
  treatment: Adjusted,
  { all, theta, centre, plan, tuning }: Adjustment,
): CupedComparison => {
  const alpha = 1 - plan.intervalLevel;
  const compared = (difference: 'absolute' | 'relative') => {
    if (control.ratio !== null && treatment.ratio !== null)
      return compareCupedRatios({ control: control.ratio, treatment: treatment.ratio, alpha, theta, difference });
    return compareCuped({ control: control.pair, treatment: treatment.pair, alpha, theta, arms: all.map(({ pair }) => pair), difference });
  };
  const absolute = compared('absolute');
  const means = { control: cupedAdjusted(control.pair, theta, centre), treatment: cupedAdjusted(treatment.pair, theta, centre) };
  const effects = { absolute: effectOf(absolute), relative: effectOf(compared('relative')) };
  return {
    treatment: treatment.arm,
    control: control.arm,
    ...effects,
    anytime: tuning === null ? null : anytimeOf({ definition, use }, { control, treatment, means }, effects, tuning),
    relativeToAdjusted:
      absolute.kind === 'refused' ? refusal(absolute) : effectOf(compareMeans({ ...means, alpha, difference: 'relative' })),
    normal: againstNormal(absolute, alpha),
    pooledProportion: null,
    bayesian: bayesianComparison(effects, { metric: definition, plan, controlMean: momentsOfY(control.pair).mean }),
    adjustedP: null,
    ...(use.margin === undefined ? {} : { nonInferiority: adjustedMargin(definition, use.margin, control, treatment, means, theta, plan) }),
  };
};

interface AdjustedPair {
  readonly control: Adjusted;
  readonly treatment: Adjusted;
  readonly means: { readonly control: Moments; readonly treatment: Moments };
}

const anytimeOf = (
  { definition: metric, use }: Pick<MetricInUse, 'definition' | 'use'>,
  { control, treatment, means }: AdjustedPair,
  effects: Pick<Comparison, 'absolute' | 'relative'>,
  tuning: AnytimeTuning,
): Comparison['anytime'] => {
  const counted = [countedArm(metric, control.sums, means.control), countedArm(metric, treatment.sums, means.treatment)];
  return anytimeComparison(effects, counted, {
    tuning,
    tau: use.tau,
    firstError: firstErrors(metric, control.sums, treatment.sums, tuning),
  });
};

const adjustedMargin = (
  metric: MetricDefinition,
  margin: UsedMargin,
  control: Adjusted,
  treatment: Adjusted,
  means: { readonly control: ReturnType<typeof momentsOfY>; readonly treatment: ReturnType<typeof momentsOfY> },
  theta: number,
  plan: AnalysisPlan,
): NonNullable<Comparison['nonInferiority']> => {
  const contrast = cupedNonInferiorityContrast({
    control: control.pair,
    treatment: treatment.pair,
    adjustedControl: means.control,
    adjustedTreatment: means.treatment,
    theta,
    ...marginOf(metric, margin),
  });
  if (contrast.kind === 'refused') return refusal(contrast);
  const statistic = contrast.estimate / contrast.se;
  const { se } = contrast;
  const [p, logP] = [studentT.sf(statistic, contrast.df), studentT.logSf(statistic, contrast.df)];
  return marginResult({ kind: 'tested', statistic, se, p, logP, isNonInferior: p <= plan.alpha }, margin);
};
