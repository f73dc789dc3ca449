/** What is looked at beside the plan is a family of its own: p-values that allow for how many they are. */
import type { Comparison, MetricResult } from '@rampart/contracts';
import { adjustPValues } from '@rampart/statistics';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';
import { decidingComparisons, withDeciding } from './corrected-for-many.js';

/** The plan's own correction is for its own family. */
export const uncorrected = (definition: DefinitionInForce): DefinitionInForce => ({
  ...definition,
  experiment: { ...definition.experiment, plan: { ...definition.experiment.plan, multiplicity: 'none' } },
});

/**
 * Benjamini–Hochberg over the deciding comparisons of all results. Where a plan is looked at continuously it takes p = 1/E, which makes it the e-BH procedure:
 * valid at every look and under any dependence. What has no evidence there that holds at every look, such as a quantile among the units of one value, is no part of it.
 * @returns what was given, in its order, with `adjustedP`
 */
export const asFamily = (
  results: readonly MetricResult[],
  { isWatched }: { readonly isWatched: boolean },
): { readonly tests: number; readonly results: readonly MetricResult[] } => {
  const pOf = (one: Comparison) => pIn(one, isWatched);
  const pValues = results.flatMap((result) => decidingComparisons(result).flatMap((one) => pOf(one) ?? []));
  const adjusted = adjustPValues(pValues, 'benjamini-hochberg').values();
  const own = <One extends Comparison>(one: One): One => (pOf(one) === null ? one : { ...one, adjustedP: adjusted.next().value ?? null });
  return { tests: pValues.length, results: results.map((result) => withDeciding(result, own)) };
};

const pIn = ({ absolute, anytime }: Comparison, isWatched: boolean): number | null => {
  if (anytime === null) return isWatched || 'refused' in absolute ? null : absolute.p;
  return 'refused' in anytime.absolute ? null : anytime.absolute.p;
};
