/** From the store's cells to arms: integers are added, nothing is rounded. */
import { BINARY_TYPES, type MetricDefinition, type SufficientStatistics } from '@rampart/contracts';
import type { ArmQuantile, CellSums, ComparisonSums, DesignCell, JointSums, MetricCaps, MetricSums } from '@rampart/feedback-store';
import type { MetricInUse } from '../definitions/definition-in-force.js';

export interface ArmSums extends MetricSums {
  readonly arm: string;
}

const MILLIONTHS = 1_000_000n;

/**
 * How many of a sum's integers make one unit of the metric: its events carry value × scale, in millionths.
 * What is counted instead of taken from a value is never scaled.
 */
export const unitsPerOne = (metric: MetricDefinition, of: 'numerator' | 'denominator' | 'covariate'): bigint =>
  isCounted(metric, of) ? MILLIONTHS : MILLIONTHS * BigInt(metric.scale);

const isCounted = (metric: MetricDefinition, of: 'numerator' | 'denominator' | 'covariate'): boolean => {
  if (of === 'denominator') return metric.denominatorAggregate === 'count';
  // A covariate with a selector of its own takes that event's values, whatever the metric counts.
  if (of === 'covariate' && (metric.covariates ?? metric.covariate?.selector) !== undefined) return metric.aggregate === 'count';
  return BINARY_TYPES.has(metric.type) || metric.type === 'count' || metric.aggregate === 'count';
};

/** The sums of one metric per arm, over all cells, segments and strata; an arm without units has zeros. */
export const armSums = (arms: readonly string[], cells: readonly DesignCell[], sums: ComparisonSums, metric: number): readonly ArmSums[] =>
  arms.map((arm) => {
    const parts = sums.cells.filter((cell) => cells[cell.cell]?.arm === arm).flatMap((cell) => cell.metrics[metric] ?? []);
    return { arm, ...(parts.length === 0 ? NOTHING : parts.reduce(added)) };
  });

const NOTHING: MetricSums = {
  units: 0,
  openUnits: 0,
  sum: 0n,
  sumSquares: 0n,
  denominatorSum: 0n,
  denominatorSumSquares: 0n,
  crossSum: 0n,
  covariate: null,
  lateEvents: 0,
  unconverted: 0,
};

const added = (a: MetricSums, b: MetricSums): MetricSums => ({
  units: a.units + b.units,
  openUnits: a.openUnits + b.openUnits,
  sum: a.sum + b.sum,
  sumSquares: a.sumSquares + b.sumSquares,
  denominatorSum: a.denominatorSum + b.denominatorSum,
  denominatorSumSquares: a.denominatorSumSquares + b.denominatorSumSquares,
  crossSum: a.crossSum + b.crossSum,
  covariate: addedCovariates(a.covariate, b.covariate),
  ...(a.joint === undefined || b.joint === undefined ? {} : { joint: addedJoint(a.joint, b.joint) }),
  lateEvents: a.lateEvents + b.lateEvents,
  unconverted: a.unconverted + b.unconverted,
});

const addedCovariates = (a: MetricSums['covariate'], b: MetricSums['covariate']): MetricSums['covariate'] =>
  a === null || b === null
    ? (a ?? b)
    : {
        units: a.units + b.units,
        sum: a.sum + b.sum,
        sumSquares: a.sumSquares + b.sumSquares,
        covariateSum: a.covariateSum + b.covariateSum,
        covariateSumSquares: a.covariateSumSquares + b.covariateSumSquares,
        covariateCrossSum: a.covariateCrossSum + b.covariateCrossSum,
      };

const addedJoint = (a: JointSums, b: JointSums): JointSums => ({
  units: a.units + b.units,
  sums: a.sums.map((sum, place) => sum + (b.sums[place] ?? 0n)),
  products: a.products.map((product, place) => product + (b.products[place] ?? 0n)),
});

/** Every cell's integers, and the quantiles that are decided on, as decimal strings, in one order whatever order the store answered in. */
export const sufficientStatistics = (
  cells: readonly DesignCell[],
  metrics: readonly MetricInUse[],
  sums: ComparisonSums,
  withQuantiles = false,
): readonly SufficientStatistics[] =>
  [
    ...sums.cells.flatMap((cell) => metrics.flatMap((metric, index) => statisticsOf(cells, cell, metric, index))),
    ...(sums.caps ?? []).flatMap(({ metric, ...caps }) => capsRow(metrics[metric], caps)),
    ...(withQuantiles ? (sums.quantiles ?? []).flatMap(({ metric, arms }) => quantileRows(metrics[metric], arms)) : []),
  ].sort(byIdentity);

/** Order statistics are those of an arm: no cell has a part of them. */
const quantileRows = (metric: MetricInUse | undefined, arms: readonly ArmQuantile[]): readonly SufficientStatistics[] =>
  metric === undefined
    ? []
    : arms.map(({ arm, observations, quantile, lower, upper, ladder, clusters }) => ({
        metric: metric.definition.key,
        version: metric.version,
        variant: '*',
        arm,
        segment: 0,
        stratum: '',
        scale: String(unitsPerOne(metric.definition, 'numerator')),
        units: 0,
        sum: '0',
        sumSquares: '0',
        quantile: {
          observations,
          value: String(quantile),
          lower: String(lower),
          upper: String(upper),
          ...(ladder === undefined
            ? {}
            : { ladder: { ranks: ladder.map(({ rank }) => rank), values: ladder.map(({ value }) => String(value)) } }),
          ...(clusters === null ? {} : { clusters: textsOf(clusters) }),
        },
      }));

/** Every sum of the metric was counted with them. */
const capsRow = (metric: MetricInUse | undefined, { lower, upper, units }: MetricCaps): readonly SufficientStatistics[] =>
  metric === undefined
    ? []
    : [
        {
          ...{ metric: metric.definition.key, version: metric.version, variant: '*', arm: '*', segment: 0, stratum: '' },
          ...{ scale: String(unitsPerOne(metric.definition, 'numerator')), units: 0, sum: '0', sumSquares: '0' },
          caps: { lower: lower === null ? null : String(lower), upper: upper === null ? null : String(upper), units },
        },
      ];

const textsOf = ({ sumX, sumY, sumSquaresX, sumSquaresY, sumProducts }: NonNullable<ArmQuantile['clusters']>) => ({
  sumX: String(sumX),
  sumY: String(sumY),
  sumSquaresX: String(sumSquaresX),
  sumSquaresY: String(sumSquaresY),
  sumProducts: String(sumProducts),
});

const statisticsOf = (
  cells: readonly DesignCell[],
  cell: CellSums,
  { definition, version }: MetricInUse,
  index: number,
): readonly SufficientStatistics[] => {
  const [design, sums] = [cells[cell.cell], cell.metrics[index]];
  if (design === undefined || sums === undefined) return [];
  const { denominatorSum, denominatorSumSquares, crossSum, covariate, joint } = sums;
  return [
    {
      metric: definition.key,
      version,
      variant: design.variant,
      arm: design.arm,
      segment: cell.segment,
      stratum: cell.stratum,
      scale: String(unitsPerOne(definition, 'numerator')),
      units: sums.units,
      sum: String(sums.sum),
      sumSquares: String(sums.sumSquares),
      ...(definition.type === 'ratio'
        ? {
            denominatorSum: String(denominatorSum),
            denominatorSumSquares: String(denominatorSumSquares),
            crossSum: String(crossSum),
          }
        : {}),
      ...(covariate === null
        ? {}
        : {
            covariate: {
              units: covariate.units,
              sum: String(covariate.sum),
              sumSquares: String(covariate.sumSquares),
              covariateSum: String(covariate.covariateSum),
              covariateSumSquares: String(covariate.covariateSumSquares),
              covariateCrossSum: String(covariate.covariateCrossSum),
            },
          }),
      ...(joint === undefined ? {} : { joint: { units: joint.units, sums: joint.sums.map(String), products: joint.products.map(String) } }),
    },
  ];
};

const byIdentity = (a: SufficientStatistics, b: SufficientStatistics): number =>
  compareText(a.metric, b.metric) ||
  a.version - b.version ||
  compareText(a.variant, b.variant) ||
  a.segment - b.segment ||
  compareText(a.stratum, b.stratum) ||
  compareText(a.arm, b.arm);

// By code unit, not by locale: digests depend on it.
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
