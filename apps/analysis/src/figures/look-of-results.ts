/** What a policy needs to know, taken from the figures: one-sided tests, margins, quality. */
import type { MetricResult, Population, SrmResult } from '@rampart/contracts';
import {
  type ArmTest,
  type AskedAtLook,
  budgetedTests,
  type ErrorBudget,
  isWatched,
  type Look,
  levelsOf,
  type MonitoredMetric,
  multipleExposureCheck,
  type PlanState,
  type QualityCheck,
  sampleRatioCheck,
  type TakenLook,
} from '@rampart/domain';
import { DEFAULT_TIGHTEST_AT_UNITS, srmSequential } from '@rampart/statistics';
import { armsOf, type DefinitionInForce, type MetricInUse, policyOf, promisedPlan } from '../definitions/definition-in-force.js';
import { anytimeTuning } from './anytime.js';
import { anyLookTest, askedAtLook, oneLookTest } from './arm-tests.js';
import { bayesianOf } from './bayesian.js';
import { decidingComparisons } from './corrected-for-many.js';
import { type QuantilesCounted, quantileTest } from './quantile-tests.js';

export interface Figures {
  readonly metrics: readonly MetricResult[];
  readonly population: Population;
  readonly srm: SrmResult;
}

export interface LookAt {
  readonly plan: PlanState;
  /** W. */
  readonly knownUntilUs: number;
  /** Whether events of this name arrive in the environment at all. */
  readonly isSeen: (event: string) => boolean;
  /** A plan of several looks: those that were taken by then. */
  readonly looks?: readonly TakenLook[];
  /** Order statistics of a quantile metric, by its place; absent where none is judged at several looks. */
  readonly quantiles?: QuantilesCounted;
}

type JudgedUse = MetricInUse['use'] & { readonly role: 'success' | 'guardrail' };
const isJudged = (use: MetricInUse['use']): use is JudgedUse => use.role !== 'secondary';

/** Levels of all tests: as they were promised at the start, or, in a run that an earlier program started, as they follow from the plan. */
export const budgetOf = (definition: DefinitionInForce): ErrorBudget =>
  promisedPlan(definition)?.levels ?? levelsOf(definition.experiment, runOf(definition));

const runOf = ({ state }: DefinitionInForce): number | null => state?.ramp?.run ?? null;

export const lookOf = (definition: DefinitionInForce, figures: Figures, at: LookAt): Look => {
  const { experiment } = definition;
  const { plan } = experiment;
  const { alpha, alphaMinus, ratioTests, treatments } = {
    ...budgetedTests(experiment, runOf(definition)),
    treatments: armsOf(experiment).slice(1),
  };
  const budget = budgetOf(definition);
  const ramp = definition.state?.ramp;
  return {
    policy: policyOf(definition),
    ramp: ramp === undefined ? null : { rollout: ramp.rollout, run: ramp.run, stage: ramp.stage },
    alpha,
    alphaMinus,
    multiplicity: plan.multiplicity,
    plan: at.plan,
    knownUntilUs: at.knownUntilUs,
    treatments,
    levels: budget,
    ratioTests,
    harmBound: plan.harmBound ?? null,
    quality: qualityOf(definition, figures, at.plan),
    metrics: definition.metrics.flatMap((metric, index): MonitoredMetric[] => {
      const { use } = metric;
      const result = figures.metrics[index];
      if (result === undefined || !isJudged(use)) return [];
      const margin = use.role === 'guardrail' ? (use.margin ?? null) : null;
      const quantiles = at.quantiles?.(index);
      const arms = treatments.map((arm) => armTest(definition, { metric, result, quantiles }, arm, { budget, ...at }));
      return [{ metric: use.metric, role: use.role, margin, onHarm: use.onHarm ?? 'roll-back', arms }];
    }),
  };
};

/** What a planned look asks, metric by metric and treatment by treatment. */
export const askedAtLooks = (definition: DefinitionInForce, figures: Figures): readonly AskedAtLook[] => {
  const budget = budgetOf(definition);
  return definition.metrics.flatMap((metric, index) => {
    const result = figures.metrics[index];
    if (result === undefined || !isJudged(metric.use)) return [];
    return armsOf(definition.experiment)
      .slice(1)
      .flatMap((arm) => {
        const tested = testedMetric(metric, result, arm, { budget, isSeen: () => true });
        return tested === undefined ? [] : askedAtLook(tested);
      });
  });
};

interface Tested {
  readonly budget: ErrorBudget;
  readonly isSeen: LookAt['isSeen'];
}

/** Undefined where the arms are not compared. */
const testedMetric = ({ use, definition: metric }: MetricInUse, result: MetricResult, arm: string, { budget, isSeen }: Tested) => {
  const control = result.arms.find((one) => one.isControl)?.arm;
  const comparison = decidingComparisons(result).find((one) => one.treatment === arm && one.control === control);
  const margin = use.role === 'guardrail' ? (use.margin ?? null) : null;
  return comparison === undefined ? undefined : { metric, result, comparison, margin, budget, isEventSeen: isSeen(metric.numerator.event) };
};

interface Counted {
  readonly metric: MetricInUse;
  readonly result: MetricResult;
  readonly quantiles: ReturnType<QuantilesCounted>;
}

const armTest = (definition: DefinitionInForce, { metric, result, quantiles }: Counted, arm: string, at: LookAt & Tested): ArmTest => {
  const tested = testedMetric(metric, result, arm, at);
  if (tested === undefined) return { kind: 'no-result', arm, refused: notCompared(result) };
  const { plan } = definition.experiment;
  if (at.plan.method === 'fixed-horizon') return oneLookTest(tested);
  // The other watched methods don't start with one.
  if (metric.definition.type === 'quantile') return quantileTest(tested, quantiles?.(arm) ?? { refused: 'NOT_COUNTED' });
  return anyLookTest(tested, {
    tightestAtUnits: anytimeTuning(definition)?.tightestAtUnits ?? DEFAULT_TIGHTEST_AT_UNITS,
    tau: plan.method === 'msprt' ? metric.use.tau : undefined,
    bayesian: plan.method === 'bayesian' ? bayesianOf(plan) : undefined,
    looks: plan.method === 'group-sequential' ? (at.looks ?? []) : undefined,
  });
};

const notCompared = ({ cuped }: MetricResult): string => (cuped !== null && 'refused' in cuped ? cuped.refused : 'NOT_COMPARED');

const qualityOf = (definition: DefinitionInForce, { srm, population }: Figures, plan: PlanState): readonly QualityCheck[] => {
  const inTwoArms = population.rows.reduce((sum, row) => sum + row.excluded['two-arms'], 0);
  return [ratioCheck(definition, srm, plan), multipleExposureCheck(population.counted + inTwoArms, inTwoArms)];
};

/** χ² at the one look of a fixed horizon; else whoever looks may look often: then the e-process, which holds at any look. */
const ratioCheck = ({ experiment }: DefinitionInForce, { test, anytime, observed: counted }: SrmResult, plan: PlanState): QualityCheck => {
  const { srmAlpha } = experiment.plan;
  const cells = experiment.variants.filter((variant) => variant.weight !== 0);
  const [observed, weights] = [cells.map(({ key }) => counted[key] ?? 0), cells.map(({ weight }) => weight ?? 0)];
  if (isWatched(plan.method) && anytime !== null) return sampleRatioCheck({ observed, weights, p: anytime.p, anytime }, srmAlpha);
  if ('refused' in test) return sampleRatioCheck(undefined, srmAlpha, WHY_NOT[test.refused]);
  if (plan.isDue) return sampleRatioCheck({ observed, weights, p: test.p }, srmAlpha);
  const { p, logE } = srmSequential([{ observed, weights }]);
  return sampleRatioCheck({ observed, weights, p, anytime: { logE, alarmAtE: 1 / srmAlpha } }, srmAlpha);
};

const WHY_NOT: Readonly<Record<string, string>> = {
  NO_DESIGN_RATIO: 'the design states no ratio',
  NO_UNITS: 'there are no units',
  TOO_FEW_UNITS: 'a cell expects fewer than 5 units',
  FEWER_THAN_TWO_ARMS: 'fewer than two cells have a weight above 0',
};
