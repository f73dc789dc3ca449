/** What a metric was like in an experiment that has run, as the expectation of the next one. */
import { BINARY_TYPES, type HistoryQuestion, type MetricResult, type PowerPlanFromHistory, type Results } from '@rampart/contracts';
import { DomainError } from '@rampart/domain';
import { QUANTILE_SEQUENCE_WIDENING } from '@rampart/statistics';
import { type ExpectedMetric, expectedMetric } from './expected-metric.js';
import { planRefused } from './plan-refused.js';

/** @throws DomainError invalid-request for a metric that the experiment does not have or an effect that it can't have, no-history where control has too little */
export const expectedFromHistory = (
  question: HistoryQuestion,
  results: Results,
): { readonly expected: ExpectedMetric } & Pick<PowerPlanFromHistory, 'history'> => {
  const result = metricOf(question.metric, results);
  const history = controlOf(result, question, results);
  return { expected: expectedOf(question, result, history), history };
};

const metricOf = (key: string, { metrics, experiment }: Results): MetricResult => {
  const found = metrics.find(({ metric }) => metric === key);
  if (found !== undefined) return found;
  const message = `${experiment} has no metric ${key}: it has ${metrics.map(({ metric }) => metric).join(', ')}`;
  throw planRefused('/metric', message);
};

const controlOf = (
  result: MetricResult,
  { adjusted }: HistoryQuestion,
  { asOf, watermark, control }: Results,
): PowerPlanFromHistory['history'] => {
  const arm = result.arms.find(({ isControl }) => isControl);
  if (arm?.mean == null || arm.variance === null || !(arm.variance > 0)) {
    const message = `${result.metric} has ${arm?.n ?? 0} closed units in ${control}, and no spread between them yet: plan from a mean and a spread`;
    throw new DomainError('no-history', message, { metric: result.metric, units: arm?.n ?? 0 });
  }
  const reduction =
    adjusted && result.cuped !== null && !('refused' in result.cuped)
      ? (result.cuped.arms.find(({ arm: name }) => name === arm.arm)?.varianceReduction ?? null)
      : null;
  return {
    ...{ metric: result.metric, type: result.type, asOf: asOf ?? watermark, units: arm.n, mean: arm.mean, sd: Math.sqrt(arm.variance) },
    // A covariate that takes nothing out adds nothing either, up to noise.
    correlation: reduction === null ? null : Math.sqrt(Math.max(0, reduction)),
  };
};

const expectedOf = (
  { minimumEffect }: HistoryQuestion,
  { type }: MetricResult,
  { mean, sd, correlation }: PowerPlanFromHistory['history'],
): ExpectedMetric => {
  const asked = { minimumEffect, correlation: Math.min(correlation ?? 0, 0.999_999) };
  // Of a rate the spread follows from its height, also under the effect.
  const isRate = BINARY_TYPES.has(type) && mean > 0 && mean < 1;
  const expected = expectedMetric({ ...asked, metric: isRate ? { rate: mean } : { mean, sd } });
  return type === 'quantile' ? { ...expected, sequenceWidening: QUANTILE_SEQUENCE_WIDENING } : expected;
};
