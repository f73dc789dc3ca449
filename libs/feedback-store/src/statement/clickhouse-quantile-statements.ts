/** Order statistics of one metric by arm: a histogram of all values, of which each server counts its own, and what is read off it. */
import type { InstantUs } from '@rampart/contracts';
import { type ArmQuantile, armsOf, type ComparisonQuery, OTHER_STRATUM, strataValues, stratumOf } from '../feedback-store.js';
import type { Parameters } from './clickhouse-parameters.js';
import { groupOf } from './clickhouse-query-group.js';
import type { PlannedMetric } from './clickhouse-row-masks.js';
import { type CountedRows, countedRows } from './clickhouse-sums-statement.js';
import type { Reading } from './clickhouse-units-statement.js';

export interface QuantileStatements {
  readonly parameters: Parameters;
  /** Columns: arm, value, weight; of the rows of one server. */
  readonly histogram: string;
  /** Columns: arm and the sums of `clusters` as texts; of one server. @param quantiles  of each arm */
  clusters(quantiles: readonly bigint[]): string;
}

/** @param query  with one metric, a quantile */
export const quantileStatements = (query: ComparisonQuery, reading: Reading): QuantileStatements => {
  const group = groupOf([query]);
  const [metric] = group.metrics;
  if (metric === undefined) throw new RangeError('a quantile needs its metric');
  const rows = countedRows(group, metric.measured.population, [metric], reading);
  const isOfEvents = metric.measured.quantile?.of === 'events';
  return {
    parameters: rows.parameters,
    histogram: isOfEvents ? histogramOfEvents(query, metric, rows) : histogramOfUnits(query, metric, rows),
    clusters: (quantiles) => clustersOf(query, metric, rows, quantiles),
  };
};

/** Arms one after the other; of strata told apart, those of the first, then those of the next. */
export const quantileGroups = (query: ComparisonQuery): readonly Pick<ArmQuantile, 'arm' | 'stratum'>[] => {
  const arms = armsOf(query);
  if (query.quantilesByStratum !== true || query.strata === undefined) return arms.map((arm) => ({ arm }));
  return [OTHER_STRATUM, ...strataValues(query.strata).map(stratumOf)].flatMap((stratum) => arms.map((arm) => ({ arm, stratum })));
};

/** Place of a unit's group in `quantileGroups`. */
const armSql = (query: ComparisonQuery, cell: string, stratum: string): string => {
  const arms = armsOf(query);
  const arm = `toUInt16([${query.cells.map((one) => arms.indexOf(one.arm)).join(', ')}][${cell} + 1])`;
  return query.quantilesByStratum === true && query.strata !== undefined ? `toUInt16(${arm} + ${arms.length} * ${stratum})` : arm;
};

const STRATUM_OF_PLACE = 'intDiv(place, 281474976710656)';

const histogramOfEvents = (query: ComparisonQuery, metric: PlannedMetric, { joined, masks }: CountedRows): string =>
  `SELECT ${armSql(query, 'place % 256', STRATUM_OF_PLACE)} AS arm, toInt128(v0) AS value, toInt64(count()) AS weight
FROM (${joined}) WHERE ${masks.has(metric, 'numerator')} GROUP BY arm, value`;

/** Units without any row have the value 0: all closed units less those with rows. */
const histogramOfUnits = (query: ComparisonQuery, metric: PlannedMetric, { joined, units, perUnit, closedMember }: CountedRows): string =>
  `SELECT arm, value, toInt64(sum(weight)) AS weight FROM (
  SELECT ${armSql(query, 'place % 256', STRATUM_OF_PLACE)} AS arm, counted.1 AS value, toInt64(counted.2) AS weight
  FROM (SELECT any(place) AS place, ${perUnit.join(', ')} FROM (${joined}) GROUP BY rn) ARRAY JOIN [(x${metric.index}, 1), (toInt128(0), -1)] AS counted
  UNION ALL
  SELECT ${armSql(query, 'cell', 'stratum')} AS arm, toInt128(0) AS value, toInt64(count()) AS weight FROM (${units}) WHERE ${closedMember(metric)} GROUP BY arm
) GROUP BY arm, value`;

const clustersOf = (
  query: ComparisonQuery,
  metric: PlannedMetric,
  { joined, masks }: CountedRows,
  quantiles: readonly bigint[],
): string => {
  const has = masks.has(metric, 'numerator');
  const limits = `[${quantiles.map((value) => `toInt128('${value}')`).join(', ')}]`;
  return `SELECT arm, [toString(sum(x)), toString(sum(y)), toString(sum(x * x)), toString(sum(y * y)), toString(sum(x * y))] AS numbers
FROM (SELECT any(own) AS arm, toInt256(countIf(${has})) AS x, toInt256(countIf(${has} AND toInt128(v0) <= ${limits}[own + 1])) AS y
  FROM (SELECT rn, mask, v0, ${armSql(query, 'place % 256', STRATUM_OF_PLACE)} AS own FROM (${joined})) GROUP BY rn)
GROUP BY arm`;
};

export interface CapStatements {
  readonly parameters: Parameters;
  /** Columns: t0 and how many closed units of the server were first exposed then; the earliest, as far as `cohort` units can reach. */
  readonly closing: string;
  /** Columns: value and weight, of the totals of the server's closed units. */
  readonly totals: string;
}

/** @param query  with one metric, counted without the caps that are asked for; @param exposedUntilUs  only units that were exposed by then */
export const capStatements = (
  query: ComparisonQuery,
  { cohort, ...reading }: Reading & { readonly exposedUntilUs: InstantUs | null; readonly cohort: number },
): CapStatements => {
  const group = groupOf([query]);
  const [metric] = group.metrics;
  if (metric === undefined) throw new RangeError('caps need their metric');
  const rows = countedRows(group, metric.measured.population, [metric], reading);
  return {
    parameters: rows.parameters,
    closing: `SELECT t0, toInt64(count()) AS weight FROM (${rows.units}) WHERE ${rows.closedMember(metric)} GROUP BY t0 ORDER BY t0 LIMIT ${cohort}`,
    totals: `SELECT value, toInt64(sum(weight)) AS weight FROM (${histogramOfUnits(query, metric, rows)}) GROUP BY value`,
  };
};

export interface ClusterRow {
  readonly arm: number;
  readonly numbers: readonly string[];
}

/** Of all servers. */
export const clustersOfRows = (rows: readonly ClusterRow[]): NonNullable<ArmQuantile['clusters']> => {
  const sum = (at: number) => rows.reduce((total, { numbers }) => total + BigInt(numbers[at] ?? 0), 0n);
  return { sumX: sum(0), sumY: sum(1), sumSquaresX: sum(2), sumSquaresY: sum(3), sumProducts: sum(4) };
};
