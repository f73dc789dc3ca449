/** What the ship policy needs to know, taken from the figures: one-sided tests, margins, quality. */
import type { Comparison, MetricResult, Population, SrmResult } from '@rampart/contracts';
import {
  type ArmTest,
  type Look,
  type MonitoredMetric,
  multipleExposureCheck,
  type PlanState,
  type QualityCheck,
  type SampleRatioTest,
  sampleRatioCheck,
} from '@rampart/domain';
import { compareMeans, type Moments, srmSequential, studentT } from '@rampart/statistics';
import { armsOf, type DefinitionInForce } from '../definitions/definition-in-force.js';
import { oneSided, type UsedMargin } from './effects.js';
import { decidingComparisons } from './metric-results.js';

export interface Figures {
  readonly metrics: readonly MetricResult[];
  readonly population: Population;
  readonly srm: SrmResult;
}

/** @param isSeen  whether events of this name arrive in the environment at all */
export const lookOf = (definition: DefinitionInForce, figures: Figures, plan: PlanState, isSeen: (event: string) => boolean): Look => {
  const { experiment } = definition;
  const treatments = armsOf(experiment).slice(1);
  return {
    alpha: experiment.plan.alpha,
    alphaMinus: experiment.plan.alphaMinus,
    multiplicity: experiment.plan.multiplicity,
    plan,
    treatments,
    quality: qualityOf(definition, figures, plan),
    metrics: definition.metrics.flatMap(({ use, definition: metric }, index): MonitoredMetric[] => {
      const result = figures.metrics[index];
      if (result === undefined || use.role === 'secondary') return [];
      const margin = use.role === 'guardrail' ? (use.margin ?? null) : null;
      const arms = treatments.map((arm) => armTest(result, arm, margin, experiment.plan.alpha, isSeen(metric.numerator.event)));
      return [{ metric: metric.key, role: use.role, margin, arms }];
    }),
  };
};

const qualityOf = ({ experiment }: DefinitionInForce, { srm, population }: Figures, plan: PlanState): readonly QualityCheck[] => {
  const { test } = srm;
  const whyNot = 'refused' in test ? WHY_NOT[test.refused] : undefined;
  const ratio = 'refused' in test ? undefined : ratioTest(experiment.variants, srm.observed, test.p, plan);
  const inTwoArms = population.rows.reduce((sum, row) => sum + row.excluded['two-arms'], 0);
  return [sampleRatioCheck(ratio, experiment.plan.srmAlpha, whyNot), multipleExposureCheck(population.counted + inTwoArms, inTwoArms)];
};

/** χ² at the one look; before it, whoever looks may look often: then the e-process, whose p is valid at any look. */
const ratioTest = (
  variants: DefinitionInForce['experiment']['variants'],
  counted: SrmResult['observed'],
  chiSquareP: number,
  plan: PlanState,
): SampleRatioTest => {
  const cells = variants.filter((variant) => variant.weight !== 0);
  const [observed, weights] = [cells.map(({ key }) => counted[key] ?? 0), cells.map(({ weight }) => weight ?? 0)];
  if (plan.waits.length === 0) return { observed, weights, p: chiSquareP };
  return { observed, weights, p: srmSequential([{ observed, weights }]).p, isAlwaysValid: true };
};

const WHY_NOT: Readonly<Record<string, string>> = {
  NO_DESIGN_RATIO: 'the design states no ratio',
  NO_UNITS: 'there are no units',
  TOO_FEW_UNITS: 'a cell expects fewer than 5 units',
  FEWER_THAN_TWO_ARMS: 'fewer than two cells have a weight above 0',
};

const armTest = (result: MetricResult, arm: string, margin: UsedMargin | null, alpha: number, isEventSeen: boolean): ArmTest => {
  const control = result.arms.find((one) => one.isControl)?.arm;
  const comparison = decidingComparisons(result).find((one) => one.treatment === arm && one.control === control);
  if (comparison === undefined) return { kind: 'no-result', arm, refused: 'NOT_COMPARED' };
  const { absolute } = comparison;
  if ('refused' in absolute)
    return areEqualConstants(result, arm)
      ? { kind: 'equal-constants', arm, isEventSeen }
      : { kind: 'no-result', arm, refused: absolute.refused };
  return {
    kind: 'tested',
    arm,
    gain: gainOf(comparison, result.direction),
    ...oneSided(absolute, result.direction),
    nonInferiority: margin === null ? null : nonInferiority(result, comparison, margin, alpha),
  };
};

const areEqualConstants = (result: MetricResult, arm: string): boolean => {
  const [control, treatment] = [result.arms.find((one) => one.isControl), result.arms.find((one) => one.arm === arm)];
  return control?.variance === 0 && treatment?.variance === 0 && control.mean === treatment.mean;
};

const gainOf = ({ absolute, relative }: Comparison, direction: MetricResult['direction']) => {
  const sign = direction === 'increase' ? 1 : -1;
  if (!('refused' in relative)) return { relative: sign * relative.estimate };
  return { absolute: 'refused' in absolute ? 0 : sign * absolute.estimate };
};

type NonInferiority = Extract<ArmTest, { kind: 'tested' }>['nonInferiority'];

const nonInferiority = (result: MetricResult, comparison: Comparison, margin: UsedMargin, alpha: number): NonInferiority => {
  const tested = comparison.nonInferiority;
  if (tested === undefined) return null;
  if ('refused' in tested) return { kind: 'no-result', refused: tested.refused };
  return { kind: 'tested', p: tested.p, couldLose: couldLose(result, comparison, margin, alpha) };
};

/** The largest loss that α does not exclude, on the margin's scale: the end of the one-sided interval on the bad side. */
const couldLose = (result: MetricResult, comparison: Comparison, margin: UsedMargin, alpha: number): number | null => {
  const sign = result.direction === 'increase' ? 1 : -1;
  const effect = 'relative' in margin ? comparison.relative : comparison.absolute;
  if ('refused' in effect || effect.df === null) return null;
  const arms = isAdjusted(result) || !('relative' in margin) ? undefined : momentsOf(result, comparison);
  if (arms === undefined) return studentT.isf(alpha, effect.df) * effect.se - sign * effect.estimate;
  // Fieller's limit inverts the very contrast that the test of a relative margin uses.
  const alternative = sign > 0 ? 'greater' : 'less';
  const bound = compareMeans({ ...arms, alpha, alternative, difference: 'relative', relativeInterval: 'fieller' });
  if (bound.kind === 'refused') return null;
  const end = sign > 0 ? bound.ciLower : bound.ciUpper;
  return end === null ? null : -sign * end;
};

const isAdjusted = (result: MetricResult): boolean => result.cuped !== null && !('refused' in result.cuped);

const momentsOf = (result: MetricResult, { control, treatment }: Comparison): { control: Moments; treatment: Moments } | undefined => {
  const of = (name: string): Moments | undefined => {
    const arm = result.arms.find((one) => one.arm === name);
    if (arm === undefined || arm.mean === null || arm.variance === null) return undefined;
    return { n: arm.n, mean: arm.mean, m2: arm.variance * (arm.n - 1) };
  };
  const [a, b] = [of(control), of(treatment)];
  return a === undefined || b === undefined ? undefined : { control: a, treatment: b };
};
