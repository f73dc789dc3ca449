/** Changes in how much is used: between arms with error control, in one stream as alarm charts. */
import { logGamma } from '../distributions.js';
import { type Probability, requireCount, requireFinite, requireLevel, requirePositive } from '../kernel/requirements.js';
import { fromLogE, type SequentialTest } from '../sequential/e-values.js';

/**
 * Gamma–Poisson e-process of counts against a known cumulative expectation: valid at every look while counts are Poisson.
 * @param dispersion  Pearson χ²/df of the training residuals; above 1 both counts are divided by it, and the test becomes approximate
 * @param concentration  prior counts: 100 expects rate ratios within some 10 % of 1
 */
export const rateChange = (input: {
  readonly observed: number;
  readonly expected: number;
  readonly concentration?: number;
  readonly dispersion?: number;
}): SequentialTest => {
  const { concentration: k = 100, dispersion = 1 } = input;
  const divisor = Math.max(1, requirePositive('dispersion', dispersion));
  const observed = requireCount('observed', input.observed) / divisor;
  const expected = requirePositive('expected', input.expected) / divisor;
  requirePositive('concentration', k);
  return fromLogE(k * Math.log(k) - logGamma(k) + logGamma(k + observed) - (k + observed) * Math.log(k + expected) + expected);
};

/** Alarm when no event came for a time in which so many were expected: P(none) = e^{−expected}. */
export const isSilenceAlarming = (expectedEvents: number, alpha: Probability): boolean =>
  requireFinite('expectedEvents', expectedEvents) > -Math.log(requireLevel('alpha', alpha));

export interface CusumChart {
  readonly upper: readonly number[];
  readonly lower: readonly number[];
  readonly alarm: readonly boolean[];
}

/**
 * Cumulative sums of standardised excess beyond an allowance k, alarm above h (Page 1954). With k = ½ and h = 5 a healthy stream alarms
 * about every 465 buckets: for notifications, never for rollbacks. `sides` says which sum raises the alarm.
 * Golden: cusum
 */
export const cusum = (
  values: readonly number[],
  chart: { readonly mu: number; readonly sigma: number; readonly k?: number; readonly h?: number; readonly sides?: 'both' | 'upper' },
): CusumChart => {
  const { mu, sigma, k = 0.5, h = 5, sides = 'both' } = chart;
  requirePositive('sigma', sigma);
  let [up, down] = [0, 0];
  const points = values.map((value) => {
    const z = (requireFinite('value', value) - mu) / sigma;
    up = Math.max(0, up + z - k);
    down = Math.max(0, down - z - k);
    return { up, down, alarm: up > h || (sides === 'both' && down > h) };
  });
  return { upper: points.map((p) => p.up), lower: points.map((p) => p.down), alarm: points.map((p) => p.alarm) };
};

export interface EwmaPoint {
  readonly value: number;
  readonly limit: number;
  readonly isAlarm: boolean;
}

/** Exponentially weighted moving average of deviations from mu with its growing limit L·σ√(λ/(2−λ)(1−(1−λ)^{2t})). A chart, not a test. */
export const ewma = (
  values: readonly number[],
  chart: { readonly mu: number; readonly sigma: number; readonly lambda?: number; readonly width?: number },
): readonly EwmaPoint[] => {
  const { mu, sigma, lambda = 0.25, width = 3 } = chart;
  requirePositive('sigma', sigma);
  if (!(lambda > 0 && lambda <= 1)) throw new RangeError(`lambda must be in (0, 1], got ${lambda}`);
  let level = 0;
  return values.map((value, i) => {
    level = lambda * (requireFinite('value', value) - mu) + (1 - lambda) * level;
    const limit = width * sigma * Math.sqrt((lambda / (2 - lambda)) * (1 - (1 - lambda) ** (2 * (i + 1))));
    return { value: level, limit, isAlarm: Math.abs(level) > limit };
  });
};
