/** How bad it could still be: the end of a one-sided interval on the bad side. */
import type { Comparison, MetricResult } from '@rampart/contracts';
import { compareMeans, type Moments, studentT } from '@rampart/statistics';

/**
 * The largest loss that is not excluded, negative where a gain is certain.
 * @param scale    share of control's mean, or the metric's unit
 * @param alphaOf  one-sided level of Student's t with these degrees of freedom: where a boundary holds at every look, the level of its height
 * @returns null where it is unknown or has no bound
 */
export const possibleLoss = (
  result: MetricResult,
  comparison: Comparison,
  scale: 'relative' | 'absolute',
  alphaOf: (df: number) => number,
): number | null => {
  const sign = result.direction === 'increase' ? 1 : -1;
  const effect = comparison[scale];
  if ('refused' in effect || effect.df === null) return null;
  const alpha = alphaOf(effect.df);
  // So early in a plan of millions of units that the boundary's level is below every number: nothing is excluded yet.
  if (alpha === 0) return null;
  const arms = isAdjusted(result) || scale === 'absolute' ? undefined : momentsOf(result, comparison);
  if (arms === undefined) return studentT.isf(alpha, effect.df) * effect.se - sign * effect.estimate;
  // Fieller's limit inverts the very contrast that the test of a relative margin uses.
  const alternative = sign > 0 ? 'greater' : 'less';
  const bound = compareMeans({ ...arms, alpha, alternative, difference: 'relative', relativeInterval: 'fieller' });
  if (bound.kind === 'refused') return null;
  const end = sign > 0 ? bound.ciLower : bound.ciUpper;
  return end === null ? null : -sign * end;
};

const isAdjusted = ({ cuped, stratified }: MetricResult): boolean =>
  (cuped !== null && !('refused' in cuped)) || (stratified !== undefined && !('refused' in stratified));

const momentsOf = (result: MetricResult, { control, treatment }: Comparison): { control: Moments; treatment: Moments } | undefined => {
  const of = (name: string): Moments | undefined => {
    const arm = result.arms.find((one) => one.arm === name);
    if (arm === undefined || arm.mean === null || arm.variance === null) return undefined;
    return { n: arm.n, mean: arm.mean, m2: arm.variance * (arm.n - 1) };
  };
  const [a, b] = [of(control), of(treatment)];
  return a === undefined || b === undefined ? undefined : { control: a, treatment: b };
};
