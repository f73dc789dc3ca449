/** The comparison by strata that the plan names: what they already explained is taken out of the effect and of its error. */
import type { AnalysisPlan, Comparison, MetricDefinition, Refusal, StratifiedResult } from '@rampart/contracts';
import { type ComparisonQuery, type ComparisonSums, OTHER_STRATUM, stratumOf } from '@rampart/feedback-store';
import {
  type CoMoments,
  emptyCoMoments,
  type Moments,
  type PostStratified,
  postStratifiedContrast,
  postStratifiedCuped,
  postStratifiedMeans,
  postStratifiedRatios,
  type StratifiedSample,
  type Stratum,
  studentT,
} from '@rampart/statistics';
import type { MetricInUse } from '../definitions/definition-in-force.js';
import { type AnytimeTuning, anytimeComparison, countedArm, firstErrors } from './anytime.js';
import { type ArmSums, armSums } from './arm-sums.js';
import { bayesianComparison } from './bayesian.js';
import { compositeByCell, covariatePair } from './cuped-results.js';
import { type ArmFigures, againstNormal, armFigures, denominatorPair, effectOf, marginOf, marginResult, refusal } from './effects.js';

export interface Stratifying {
  readonly metric: MetricInUse;
  /** Its place in the sums. */
  readonly index: number;
  readonly arms: readonly ArmFigures[];
  /** (control, treatment), each with its plain comparison. */
  readonly plain: readonly Comparison[];
  readonly plan: AnalysisPlan;
  readonly tuning: AnytimeTuning | null;
  readonly query: Pick<ComparisonQuery, 'cells'>;
  readonly sums: ComparisonSums;
}

/** A stratum, and its arms by name. */
interface Armed {
  readonly stratum: string;
  readonly byArm: ReadonlyMap<string, ArmSums>;
}
/** Of several covariates: the one that stands for them, by cell. */
type Composite = ReadonlyMap<ArmSums, CoMoments>;
const NO_COMPOSITE: Composite = new Map();

/** @returns null where the plan names no strata */
export const stratifiedResult = (asked: Stratifying): StratifiedResult | Refusal | null => {
  const { stratum } = asked.plan;
  const { definition } = asked.metric;
  if (stratum === undefined) return null;
  if (definition.type === 'ratio' && definition.covariate !== undefined) return { refused: 'RATIO_WITH_COVARIATE' };
  if (definition.type === 'quantile') return { refused: 'QUANTILE' };
  const strata = strataOf(asked);
  const composite =
    definition.covariates === undefined
      ? NO_COMPOSITE
      : compositeByCell(
          definition,
          strata.flatMap(({ byArm }) => [...byArm.values()]),
        );
  if (composite === undefined) return { refused: 'ZERO_COVARIATE_VARIANCE' };
  const comparisons: Comparison[] = [];
  let strataUsed = Number.POSITIVE_INFINITY;
  for (const plain of asked.plain) {
    const found = comparedByStrata({ ...asked, composite }, strata, plain);
    if ('refused' in found) return found;
    comparisons.push(found.comparison);
    strataUsed = Math.min(strataUsed, found.strataUsed);
  }
  return comparisons.length === 0 ? { refused: 'INSUFFICIENT_UNITS' } : { property: stratum.property, strataUsed, comparisons };
};

const strataOf = ({ plan, arms, query, sums, index }: Stratifying): readonly Armed[] =>
  [...(plan.stratum?.values ?? []).map(stratumOf), OTHER_STRATUM].map((name) => {
    const own = { ...sums, cells: sums.cells.filter(({ stratum }) => stratum === name) };
    const names = arms.map(({ arm }) => arm);
    return { stratum: name, byArm: new Map(armSums(names, query.cells, own, index).map((arm) => [arm.arm, arm])) };
  });

const comparedByStrata = (
  { metric, arms, plan, tuning, composite }: Stratifying & { readonly composite: Composite },
  strata: readonly Armed[],
  plain: Comparison,
): { readonly comparison: Comparison; readonly strataUsed: number } | Refusal => {
  const { definition, use } = metric;
  const sample = sampleOf({ metric: definition, composite }, strata, plain);
  if (sample.strata.length < 2) return { refused: 'FEWER_THAN_TWO_STRATA' };
  const alpha = 1 - plan.intervalLevel;
  const absolute = judged(sample, alpha, 'absolute');
  if (absolute.kind === 'refused') return refusal(absolute);
  if (!absolute.postStratificationApplied) return { refused: 'FEWER_THAN_TWO_STRATA' };
  const effects = { absolute: effectOf(absolute), relative: effectOf(judged(sample, alpha, 'relative')) };
  const comparison = {
    treatment: plain.treatment,
    control: plain.control,
    ...effects,
    anytime: tuning === null ? null : anytimeOf(metric, arms, plain, effects, tuning),
    normal: againstNormal(absolute, alpha),
    pooledProportion: null,
    bayesian: bayesianComparison(effects, { metric: definition, plan, controlMean: controlMeanOf(arms, plain) }),
    adjustedP: null,
    ...(use.margin === undefined ? {} : { nonInferiority: marginByStrata(definition, use.margin, sample, plan) }),
  };
  return { comparison, strataUsed: absolute.strataUsed };
};

/** Without strata that nobody is in. */
const sampleOf = (
  { metric, composite }: { readonly metric: MetricDefinition; readonly composite: Composite },
  strata: readonly Armed[],
  { control, treatment }: Comparison,
): StratifiedSample => {
  const pairsBy = <T extends { readonly n: number }>(of: (arm: ArmSums) => T): readonly Stratum<T>[] =>
    strata.flatMap(({ stratum: name, byArm }): Stratum<T>[] => {
      const [a, b] = [byArm.get(control), byArm.get(treatment)];
      if (a === undefined || b === undefined) return [];
      const stratum = { name, control: of(a), treatment: of(b) };
      return stratum.control.n + stratum.treatment.n === 0 ? [] : [stratum];
    });
  if (metric.type === 'ratio') return { kind: 'ratios', strata: pairsBy((arm): CoMoments => denominatorPair(metric, arm)) };
  if (metric.covariates !== undefined) return { kind: 'cuped', strata: pairsBy((arm): CoMoments => composite.get(arm) ?? emptyCoMoments) };
  if (metric.covariate !== undefined) return { kind: 'cuped', strata: pairsBy((arm): CoMoments => covariatePair(metric, arm)) };
  return { kind: 'means', strata: pairsBy((arm): Moments => momentsOf(metric, arm)) };
};

const momentsOf = (metric: MetricDefinition, sums: ArmSums): Moments => {
  const { moments } = armFigures(metric, sums);
  return 'kind' in moments ? { n: 0, mean: 0, m2: 0 } : moments;
};

const judged = (sample: StratifiedSample, alpha: number, difference: 'absolute' | 'relative'): PostStratified => {
  if (sample.kind === 'means') return postStratifiedMeans(sample.strata, { alpha, difference });
  return (sample.kind === 'cuped' ? postStratifiedCuped : postStratifiedRatios)(sample.strata, { alpha, difference });
};

const anytimeOf = (
  { definition: metric, use }: MetricInUse,
  arms: readonly ArmFigures[],
  { control, treatment }: Comparison,
  effects: Pick<Comparison, 'absolute' | 'relative'>,
  tuning: AnytimeTuning,
): Comparison['anytime'] => {
  const pair = [control, treatment].flatMap((name) => arms.filter(({ arm }) => arm === name));
  const counted = pair.map(({ sums, moments }) => countedArm(metric, sums, 'kind' in moments ? undefined : moments));
  const [a, b] = pair;
  const firstError = a === undefined || b === undefined ? null : firstErrors(metric, a.sums, b.sums, tuning);
  return anytimeComparison(effects, counted, { tuning, tau: use.tau, firstError });
};

const controlMeanOf = (arms: readonly ArmFigures[], { control }: Comparison): number => {
  const moments = arms.find(({ arm }) => arm === control)?.moments;
  return moments === undefined || 'kind' in moments ? 0 : moments.mean;
};

const marginByStrata = (
  metric: MetricDefinition,
  margin: NonNullable<MetricInUse['use']['margin']>,
  sample: StratifiedSample,
  plan: AnalysisPlan,
): NonNullable<Comparison['nonInferiority']> => {
  const contrast = postStratifiedContrast(sample, marginOf(metric, margin));
  if (contrast.kind === 'refused') return refusal(contrast);
  const { estimate, se, df } = contrast;
  const statistic = estimate / se;
  const [p, logP] = [studentT.sf(statistic, df), studentT.logSf(statistic, df)];
  return marginResult({ kind: 'tested', statistic, se, p, logP, isNonInferior: p <= plan.alpha }, margin);
};
