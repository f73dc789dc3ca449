/** Effects by the values of a property that each unit had at its first exposure: to show, never to decide on. */
import type { DimensionBreakdown, DimensionHeterogeneity, DimensionValue, MetricResult, Population } from '@rampart/contracts';
import { isWatched } from '@rampart/domain';
import { type ComparisonQuery, type ComparisonSums, OTHER_STRATUM, type StratumCount, stratumOf } from '@rampart/feedback-store';
import { heterogeneity, type LevelEffect } from '@rampart/statistics';
import type { DefinitionInForce } from '../definitions/definition-in-force.js';
import { anytimeTuning } from './anytime.js';
import { decidingComparisons } from './corrected-for-many.js';
import { asFamily, uncorrected } from './exploratory-family.js';
import { budgetOf } from './look-of-results.js';
import { metricResults } from './metric-results.js';
import { populationOf, sampleRatio } from './population.js';

export interface BreakingDown {
  readonly definition: DefinitionInForce;
  readonly query: Pick<ComparisonQuery, 'cells'>;
  readonly property: string;
  /** Those that have a row of their own; everybody else is together. */
  readonly values: readonly StratumCount[];
  /** By these values. */
  readonly sums: ComparisonSums;
  /** Of all units together, metric by metric; absent where it is not asked whether values differ. */
  readonly total?: readonly MetricResult[];
}

export const breakdownOf = ({ definition, query, property, values, sums, total = [] }: BreakingDown): DimensionBreakdown => {
  const strata = [...values.map(({ value }) => ({ value, name: stratumOf(value) })), { value: null, name: OTHER_STRATUM }];
  const present = strata.filter(({ name }) => sums.population.some(({ stratum }) => stratum === name));
  const alone = uncorrected(withoutStrata(definition));
  const rows = present.map(({ value, name }): DimensionValue => {
    const own = ofStratum(sums, name);
    const population = populationOf(definition.experiment, own, NO_DUPLICATES);
    return {
      value,
      units: population.counted,
      srm: ratioAmong(definition, population, present.length),
      metrics: metricResults(alone, query, own),
    };
  });
  const { tests, results } = asFamily(
    rows.flatMap(({ metrics }) => metrics),
    { isWatched: anytimeTuning(definition) !== null },
  );
  const perValue = definition.metrics.length;
  const adjusted = rows.map((row, place) => ({ ...row, metrics: results.slice(place * perValue, (place + 1) * perValue) }));
  return {
    property,
    correction: 'bh',
    tests,
    values: adjusted,
    heterogeneity: heterogeneities(definition, adjusted, total),
  };
};

const NO_DUPLICATES = { accepted: 0, stored: 0, duplicates: 0, idsReused: 0 };

const ofStratum = (sums: ComparisonSums, name: string): ComparisonSums => ({
  ...sums,
  cells: sums.cells.filter(({ stratum }) => stratum === name),
  ...(sums.quantiles === undefined
    ? {}
    : { quantiles: sums.quantiles.map(({ metric, arms }) => ({ metric, arms: arms.filter(({ stratum }) => stratum === name) })) }),
  population: sums.population.filter(({ stratum }) => stratum === name),
});

/** Within a value of one property there are no strata of another. */
const withoutStrata = (definition: DefinitionInForce): DefinitionInForce => {
  const { stratum: _, ...plan } = definition.experiment.plan;
  return { ...definition, experiment: { ...definition.experiment, plan } };
};

/** M values are M tests: each has its share of the level. */
const ratioAmong = (definition: DefinitionInForce, population: Population, tests: number) => {
  const { experiment, environment } = definition;
  const isLooking = environment.kind === 'live' && isWatched(experiment.plan.method);
  const plan = { ...experiment.plan, srmAlpha: experiment.plan.srmAlpha / tests };
  return sampleRatio({ ...experiment, plan }, population, isLooking ? budgetOf(definition).ratioAlarmAtE * tests : null);
};

/** Whether effects differ between values: of one look, and of two values at least. */
const heterogeneities = (
  { metrics }: DefinitionInForce,
  rows: readonly DimensionValue[],
  total: readonly MetricResult[],
): readonly DimensionHeterogeneity[] =>
  metrics.flatMap(({ definition: { key } }, index) => {
    const comparisons = rows.map(({ metrics: results }) => decidingComparisons(results[index] as MetricResult));
    const ofAll = total[index] === undefined ? [] : decidingComparisons(total[index]);
    const [first = []] = comparisons;
    return first.flatMap(({ control, treatment }, place): DimensionHeterogeneity[] => {
      const effects = comparisons.flatMap((own): LevelEffect[] => {
        const effect = own[place]?.absolute;
        return effect === undefined || 'refused' in effect ? [] : [{ effect: effect.estimate, se: effect.se }];
      });
      if (effects.length < 2) return [];
      const overall = ofAll[place]?.absolute;
      const estimate = overall === undefined || 'refused' in overall ? undefined : overall.estimate;
      const { q, df, p, iSquared, isSimpson } = heterogeneity(effects, estimate);
      return [{ metric: key, treatment, control, values: effects.length, q, df, p, iSquared, isSimpson }];
    });
  });
