/** What a plan expects of its metric, whatever its type: a mean, and how far units spread around it in either arm. */
import type { PowerQuestion } from '@rampart/contracts';
import { liftedRateVariance, plannedQuantileVariance, plannedRatioVariance, QUANTILE_SEQUENCE_WIDENING } from '@rampart/statistics';
import { planRefused } from './plan-refused.js';

export interface ExpectedMetric {
  /** In the metric's unit. */
  readonly effect: number;
  readonly mean: number;
  /** Variance per unit under the effect, less what a covariate takes out. */
  readonly control: number;
  readonly treatment: number;
  /** Of control and treatment; null where values are not 0 or 1. */
  readonly rates: readonly [number, number] | null;
  /** By how much its sequence is wider than that of a mean. */
  readonly sequenceWidening: number;
}

type Asked = Pick<PowerQuestion, 'metric' | 'minimumEffect' | 'correlation'>;

/** @throws DomainError invalid-request for an effect that such a metric can't have */
export const expectedMetric = ({ metric, minimumEffect, correlation }: Asked): ExpectedMetric => {
  const kept = 1 - correlation ** 2;
  const mean = meanOf(metric);
  if ('relative' in minimumEffect && mean === 0)
    throw planRefused('/minimumEffect/relative', 'is a share of control’s mean, which is 0: name an absolute effect');
  const effect = 'relative' in minimumEffect ? Math.abs(mean) * minimumEffect.relative : minimumEffect.absolute;
  if (!('rate' in metric)) {
    const variance = varianceOf(metric) * kept;
    const sequenceWidening = 'quantile' in metric ? QUANTILE_SEQUENCE_WIDENING : 1;
    return { effect, mean, control: variance, treatment: variance, rates: null, sequenceWidening };
  }
  const treated = mean + effect;
  if (!(treated > 0 && treated < 1))
    throw planRefused('/minimumEffect', `takes the rate from ${mean} to ${treated}, which is none: name a smaller one`);
  const [control, treatment] = [mean * (1 - mean) * kept, liftedRateVariance(mean, effect / mean) * kept];
  return { effect, mean, control, treatment, rates: [mean, treated], sequenceWidening: 1 };
};

const meanOf = (metric: PowerQuestion['metric']): number => {
  if ('rate' in metric) return metric.rate;
  if ('quantile' in metric) return metric.quantile.value;
  if (!('ratio' in metric)) return metric.mean;
  const { numerator, denominator } = metric.ratio;
  if (denominator.mean === 0) throw planRefused('/metric/ratio/denominator/mean', 'is what is divided by: it must not be 0');
  return numerator.mean / denominator.mean;
};

const varianceOf = (metric: Exclude<PowerQuestion['metric'], { readonly rate: number }>): number => {
  if ('ratio' in metric) return plannedRatioVariance(metric.ratio.numerator, metric.ratio.denominator, metric.ratio.correlation);
  if (!('quantile' in metric)) return metric.sd ** 2;
  const { nearby, ...at } = metric.quantile;
  if (!((nearby.level - at.level) * (nearby.value - at.value) > 0))
    throw planRefused(
      '/metric/quantile/nearby',
      `must lie above both in level and in value, or below in both, than ${at.level} → ${at.value}`,
    );
  return plannedQuantileVariance(at, nearby);
};
