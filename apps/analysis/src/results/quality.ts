/** Where units get lost, and whether the arms were alike before: what to look at when a ratio or an effect is hard to believe. Shown; only `srm` and two arms decide. */
import type { BalanceCheck, HopRatio, MetricDefinition, MetricResult, QualityResult, Refusal, SegmentRatio } from '@rampart/contracts';
import { MULTIPLE_EXPOSURE_ALARM } from '@rampart/domain';
import type { ComparisonQuery, ComparisonSums, TrackedCount } from '@rampart/feedback-store';
import {
  burnIn,
  compareMeans,
  fromLogE,
  logNormalMixture,
  type Moments,
  momentsOfX,
  normalMixture,
  srmChiSquare,
  srmSequential,
  unequalArmsWidening,
} from '@rampart/statistics';
import { armsOf, type DefinitionInForce } from '../definitions/definition-in-force.js';
import { type AnytimeTuning, anytimeTuning } from '../figures/anytime.js';
import { type ArmSums, armSums } from '../figures/arm-sums.js';
import { covariateMoments, covariatePair } from '../figures/cuped-results.js';
import type { Figures } from '../figures/look-of-results.js';

/** Of one test; more where several are made. */
const ALARM = { alpha: 0.001, logE: Math.log(1_000) };

interface Counted {
  readonly definition: DefinitionInForce;
  readonly query: Pick<ComparisonQuery, 'cells'>;
  readonly sums: ComparisonSums;
  readonly figures: Figures;
  /** Null: not asked for. */
  readonly tracked: readonly TrackedCount[] | null;
}

export const qualityOf = (counted: Counted): QualityResult => {
  const { definition, figures } = counted;
  const tuning = anytimeTuning(definition);
  const hops = hopsOf(counted, tuning);
  const inTwoArms = figures.population.rows.reduce((sum, { excluded }) => sum + excluded['two-arms'], 0);
  const seen = figures.population.counted + inTwoArms;
  const { share, units } = MULTIPLE_EXPOSURE_ALARM;
  return {
    balance: balanceOf(counted, tuning),
    hops,
    brokenHop: brokenHop(hops),
    segments: segmentsOf(counted, tuning),
    multipleExposure: { units: inTwoArms, of: seen, failed: inTwoArms >= units && inTwoArms >= share * seen },
  };
};

/** Covariates were there before anybody was assigned: a difference between arms is chance, or not random. */
const balanceOf = ({ definition, query, sums }: Counted, tuning: AnytimeTuning | null): readonly BalanceCheck[] => {
  const arms = armsOf(definition.experiment);
  const pairs = definition.metrics.flatMap(({ definition: metric }, index) => {
    const [control, ...treatments] = armSums(arms, query.cells, sums, index);
    return control === undefined ? [] : treatments.flatMap((treatment) => covariatesOf(metric, control, treatment));
  });
  return pairs.map((pair) => balance(pair, { tests: pairs.length, tuning }));
};

interface CovariateInBoth extends Pick<BalanceCheck, 'metric' | 'treatment' | 'covariate'> {
  readonly control: Moments;
  readonly treated: Moments;
}

const covariatesOf = (metric: MetricDefinition, control: ArmSums, treatment: ArmSums): readonly CovariateInBoth[] => {
  const about = { metric: metric.key, treatment: treatment.arm };
  if (metric.covariates !== undefined)
    return metric.covariates.map(({ selector }, place) => {
      const [a, b] = [covariateMoments(metric, control, place), covariateMoments(metric, treatment, place)];
      return { ...about, covariate: selector.event, control: a, treated: b };
    });
  if (metric.covariate === undefined) return [];
  const [a, b] = [momentsOfX(covariatePair(metric, control)), momentsOfX(covariatePair(metric, treatment))];
  return [{ ...about, control: a, treated: b }];
};

const balance = (
  { control: a, treated: b, ...named }: CovariateInBoth,
  { tests, tuning }: { readonly tests: number; readonly tuning: AnytimeTuning | null },
): BalanceCheck => {
  const about = { ...named, means: { control: meanOf(a), treatment: meanOf(b) } };
  const effect = compareMeans({ control: a, treatment: b, alpha: 0.05, difference: 'absolute' });
  if (effect.kind === 'refused') return { ...about, test: { refused: effect.reason } };
  if (tuning === null) return { ...about, test: { p: effect.p, logP: effect.logP, logE: null, failed: effect.p < ALARM.alpha / tests } };
  const state = burnIn([a, b]);
  if (state.kind !== 'over') return { ...about, test: { refused: 'NOT_ENOUGH_DATA', have: state.have, needed: state.needed } };
  const n = a.n + b.n;
  const mixture = normalMixture({ vOpt: tuning.tightestAtUnits, alphaOpt: ALARM.alpha, sides: 'two-sided' });
  const logE = logNormalMixture(mixture, (effect.statistic / unequalArmsWidening(a, b)) * Math.sqrt(n), n);
  return { ...about, test: { ...fromLogE(logE), failed: logE >= ALARM.logE + Math.log(tests) } };
};

const meanOf = ({ n, mean }: Moments): number | null => (n > 0 ? mean : null);

const brokenHop = (hops: readonly HopRatio[]): QualityResult['brokenHop'] => {
  for (const { hop, test } of hops) if (hop !== 'tracked' && !('refused' in test) && test.failed) return hop;
  return null;
};

/**
 * Each hop by itself, so that the first one that is off shows where units are lost. Who is tracked may depend on the treatment as well: it is held against the
 * design like the others, and calls nothing broken.
 */
const hopsOf = ({ definition, query, figures, tracked }: Counted, tuning: AnytimeTuning | null): readonly HopRatio[] => {
  const arms = armsOf(definition.experiment);
  const weights = weightsOf(definition, arms);
  const hop = (name: HopRatio['hop'], observed: readonly number[]): HopRatio => ({
    hop: name,
    observed: Object.fromEntries(arms.map((arm, index) => [arm, observed[index] ?? 0])),
    test: weights === null ? { refused: 'NO_DESIGN_RATIO' } : ratioOf(observed, weights, { tests: 1, tuning }),
  });
  const assigned = figures.metrics.find(({ population }) => population === 'assigned');
  const exposed = arms.map((arm) =>
    figures.population.rows.filter((row) => row.arm === arm).reduce((sum, { counted }) => sum + counted, 0),
  );
  const seen = arms.map((name) =>
    (tracked ?? []).filter(({ cell }) => query.cells[cell]?.arm === name).reduce((sum, { units }) => sum + units, 0),
  );
  return [
    ...(assigned === undefined ? [] : [hop('assigned', unitsOf(assigned, arms))]),
    hop('exposed', exposed),
    ...(tracked === null ? [] : [hop('tracked', seen)]),
  ];
};

const unitsOf = ({ arms: results }: MetricResult, arms: readonly string[]): readonly number[] =>
  arms.map((name) => {
    const found = results.find(({ arm }) => arm === name);
    return found === undefined ? 0 : found.n + found.openUnits;
  });

const weightsOf = ({ experiment }: DefinitionInForce, arms: readonly string[]): readonly number[] | null => {
  if (experiment.variants.some(({ weight }) => weight === null)) return null;
  return arms.map((name) =>
    experiment.variants.filter(({ key, arm = key }) => arm === name).reduce((sum, { weight }) => sum + (weight ?? 0), 0),
  );
};

const ratioOf = (
  observed: readonly number[],
  weights: readonly number[],
  { tests, tuning }: { readonly tests: number; readonly tuning: AnytimeTuning | null },
): HopRatio['test'] => {
  const chi = srmChiSquare(observed, weights);
  if (chi.kind === 'not-testable') return { refused: chi.reason };
  if (tuning === null) return { p: chi.p, logP: chi.logP, logE: null, failed: chi.p < ALARM.alpha / tests };
  const { logE, p, logP } = srmSequential([{ observed, weights }]);
  return { logE, p, logP, failed: logE >= ALARM.logE + Math.log(tests) };
};

/** A stretch in which coverage or targeting was another: M of them alarm at M times the evidence. */
const segmentsOf = ({ definition, query, sums }: Counted, tuning: AnytimeTuning | null): readonly SegmentRatio[] => {
  const arms = armsOf(definition.experiment);
  const weights = weightsOf(definition, arms);
  const counted = sums.population.filter(({ kind, cell }) => kind === 'counted' && cell >= 0);
  const segments = [...new Set(counted.map(({ segment }) => segment))].sort((a, b) => a - b);
  return segments.map((segment) => {
    const observed = arms.map((arm) =>
      counted.filter((one) => one.segment === segment && query.cells[one.cell]?.arm === arm).reduce((sum, { units }) => sum + units, 0),
    );
    const test: HopRatio['test'] | Refusal =
      weights === null ? { refused: 'NO_DESIGN_RATIO' } : ratioOf(observed, weights, { tests: segments.length, tuning });
    return { segment, observed: Object.fromEntries(arms.map((arm, index) => [arm, observed[index] ?? 0])), test };
  });
};

/** What a reader should hear of it. */
export const qualityWarnings = ({ balance: checks, hops, brokenHop, segments }: QualityResult): readonly string[] => [
  ...checks.flatMap(({ metric, covariate, treatment, test }) =>
    !('refused' in test) && test.failed
      ? [
          `the covariate ${covariate === undefined ? '' : `${covariate} `}of ${metric} differed between control and ${treatment} before the experiment (p ${test.p.toPrecision(2)}): assignment was not random`,
        ]
      : [],
  ),
  ...(brokenHop === null || !hops.some(({ hop }) => hop === 'assigned') ? [] : [hopWarning(brokenHop)]),
  ...(segments.length < 2
    ? []
    : segments.flatMap(({ segment, test }) =>
        !('refused' in test) && test.failed
          ? [`segment ${segment} alone does not hold the designed ratio (p ${test.p.toPrecision(2)})`]
          : [],
      )),
];

const hopWarning = (hop: NonNullable<QualityResult['brokenHop']>): string =>
  hop === 'assigned'
    ? 'the ratio is off among the assigned already: look at assignment (bucketing, targeting, a seed that is used twice)'
    : 'the ratio holds among the assigned and is off among the exposed: exposures are lost or filtered by arm (a crash or redirect before the report, a bot filter)';
