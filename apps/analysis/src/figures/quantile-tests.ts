/** The tests of a quantile in one treatment at any look of a watched plan: by ladders of order statistics. */
import type { Comparison, MetricDefinition, Refusal } from '@rampart/contracts';
import type { ArmTest, Evidence } from '@rampart/domain';
import type { ComparisonQuery, ComparisonSums } from '@rampart/feedback-store';
import { type Probability, quantileDifferenceBound, quantileDifferenceTest } from '@rampart/statistics';
import { armsOf, type DefinitionInForce } from '../definitions/definition-in-force.js';
import { anytimeTuning } from './anytime.js';
import { armSums } from './arm-sums.js';
import { gainOf, noResultOf, scaleOf, signOf, type TestedMetric } from './arm-tests.js';
import { type QuantilePair, quantilePair } from './quantile-sequence.js';

/** At any look of a watched plan: one-sided evidence at the level of each test, by the ladders alone. */
export const quantileTest = (tested: TestedMetric, pair: QuantilePair | Refusal): ArmTest => {
  const { result, comparison, margin, budget, isEventSeen } = tested;
  const arm = comparison.treatment;
  if ('refused' in pair) return { kind: 'no-result', arm, ...noResultOf(pair) };
  // Nothing happened anywhere, and nobody knows whether anything would have been told.
  if (!isEventSeen && isConstant(pair)) return { kind: 'equal-constants', arm, isEventSeen };
  const { anytime } = comparison;
  if (anytime !== null && 'refused' in anytime.absolute) return { kind: 'no-result', arm, ...noResultOf(anytime.absolute) };
  const isIncrease = result.direction === 'increase';
  const [good, bad] = isIncrease ? (['greater', 'less'] as const) : (['less', 'greater'] as const);
  const against = (
    alternative: 'greater' | 'less',
    alpha: Probability,
    bound: { readonly shift?: number; readonly scale?: number } = {},
  ): Exclude<Evidence, { kind: 'none' }> => ({ kind: 'e', logE: quantileDifferenceTest({ ...pair, alternative, alpha, ...bound }).logE });
  const loss = (difference: 'absolute' | 'relative'): number | null => {
    const end = quantileDifferenceBound({ ...pair, alternative: good, difference, alpha: budget.nonInferiority });
    return end === null ? null : 0 - signOf(result) * end;
  };
  const nonInferiority = (): Extract<ArmTest, { kind: 'tested' }>['nonInferiority'] => {
    if (margin === null) return null;
    const worst = 'absolute' in margin ? { shift: -signOf(result) * margin.absolute } : { scale: 1 - signOf(result) * margin.relative };
    // A share of what may be 0 or less is no margin.
    if ('relative' in margin && anytime !== null && 'refused' in anytime.relative)
      return { kind: 'no-result', ...noResultOf(anytime.relative) };
    return { kind: 'tested', evidence: against(good, budget.nonInferiority, worst), couldLose: loss(scaleOf(margin)) };
  };
  return {
    kind: 'tested',
    arm,
    gain: gainIn(comparison, result.direction),
    better: against(good, budget.superiority),
    worse: against(bad, budget.harm),
    firstError: null,
    nonInferiority: nonInferiority(),
    couldLose: loss('relative'),
  };
};

const gainIn = (comparison: Comparison, direction: MetricDefinition['direction']) =>
  'refused' in comparison.absolute ? null : gainOf(comparison, direction);

const isConstant = ({ control, treatment }: QuantilePair): boolean =>
  new Set([...control.ladder, ...treatment.ladder].map(({ value }) => value)).size <= 1;

/** Of the metric at this place, each treatment's with control's. */
export type QuantilesCounted = (metric: number) => ((treatment: string) => QuantilePair | Refusal) | undefined;

/** @returns undefined of metrics that are no quantiles */
export const quantilesCounted =
  (definition: DefinitionInForce, query: Pick<ComparisonQuery, 'cells'>, sums: ComparisonSums): QuantilesCounted =>
  (index) => {
    const metric = definition.metrics[index]?.definition;
    const tuning = anytimeTuning(definition);
    if (metric?.type !== 'quantile' || tuning === null) return undefined;
    const counted = sums.quantiles?.find((one) => one.metric === index)?.arms;
    const arms = armSums(armsOf(definition.experiment), query.cells, sums, index).map((own) => ({
      sums: own,
      quantile: counted?.find(({ arm }) => arm === own.arm),
    }));
    return (treatment) => {
      const [control, other] = [arms[0], arms.find(({ sums: { arm } }) => arm === treatment)];
      return control === undefined || other === undefined ? { refused: 'NOT_COUNTED' } : quantilePair(metric, control, other, tuning);
    };
  };
