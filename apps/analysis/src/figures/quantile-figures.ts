/** A quantile as moments per unit: its error is read off order statistics, and units are what was randomised. */
import type { ArmResult, MetricDefinition } from '@rampart/contracts';
import type { ArmQuantile } from '@rampart/feedback-store';
import { coMomentsFromIntegerSums, type Moments, quantileMoments, type Refused, refused, varianceOfMean } from '@rampart/statistics';
import { type ArmSums, unitsPerOne } from './arm-sums.js';

/** @param counted  undefined where the sums were taken without order statistics, as looks of a plan with several looks are */
export const quantileFigure = (metric: MetricDefinition, sums: ArmSums, counted: ArmQuantile | undefined): Moments | Refused => {
  if (counted === undefined) return refused('NOT_COUNTED');
  if (sums.units < 2) return refused('INSUFFICIENT_UNITS');
  const { observations: n, clusters } = counted;
  const perOne = Number(unitsPerOne(metric, 'numerator'));
  const sample = {
    n,
    nu: metric.quantileLevel ?? 0,
    quantile: Number(counted.quantile) / perOne,
    lower: Number(counted.lower) / perOne,
    upper: Number(counted.upper) / perOne,
  };
  // Events and those at or below are whole numbers, not millionths.
  const found = quantileMoments(sample, clusters === null ? undefined : coMomentsFromIntegerSums({ n: sums.units, ...clusters, scale: 1 }));
  if (found.kind === 'refused') return found;
  const { units } = sums;
  return { n: units, mean: found.moments.mean, m2: varianceOfMean(found.moments) * units * (units - 1) };
};

/** What the arm's row says of it. */
export const quantileOfArm = (metric: MetricDefinition, counted: ArmQuantile | undefined): ArmResult['quantile'] => {
  if (counted === undefined || counted.observations === 0) return undefined;
  const perOne = Number(unitsPerOne(metric, 'numerator'));
  return {
    level: metric.quantileLevel ?? 0,
    of: metric.quantileOf ?? 'events',
    observations: counted.observations,
    lower: Number(counted.lower) / perOne,
    upper: Number(counted.upper) / perOne,
  };
};
