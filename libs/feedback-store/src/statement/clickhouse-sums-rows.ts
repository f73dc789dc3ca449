/** From the statement's rows of text to the sums of the port. */

import { boundTo, jointSize, type MeasuredMetric } from '../definition/measures.js';
import { byCell, byPopulation } from '../definition/sums-order.js';
import {
  type CellSums,
  type ComparisonQuery,
  type ComparisonSums,
  type JointSums,
  type MetricSums,
  OTHER_STRATUM,
  type PopulationCount,
  strataValues,
  stratumOf,
} from '../feedback-store.js';
import type { QueryGroup } from './clickhouse-query-group.js';
import type { PlannedMetric } from './clickhouse-row-masks.js';
import type { Statement } from './clickhouse-sums-statement.js';
import { UNKNOWN_CELL, whys } from './clickhouse-units-statement.js';

export interface StatementRow {
  /** Place of its query in the group. */
  readonly which: number;
  readonly part: 'units' | 'sums';
  /** 1: as of the earlier of two instants. */
  readonly earlier: number;
  readonly cell: number;
  readonly segment: number;
  /** Place among the values of the query's strata, from 1; 0: none of them. */
  readonly stratum: number;
  readonly why: number;
  readonly numbers: readonly string[];
}

/** What one statement answered about its metrics. */
export interface Answer {
  readonly metrics: readonly PlannedMetric[];
  readonly columns: Statement['columns'];
  readonly rows: readonly StatementRow[];
}

type Numbers = (name: string) => bigint;

const named = (names: readonly string[], numbers: readonly string[]): Numbers => {
  const byName = new Map(names.map((name, at) => [name, numbers[at]]));
  return (name) => BigInt(byName.get(name) ?? 0);
};

const none: Numbers = () => 0n;

/** @returns the sums of each query of the group */
export const comparisonSums = ({ queries, uses }: QueryGroup, answers: readonly Answer[]): readonly ComparisonSums[] =>
  queries.map((query, at) => {
    const own = answers.map((answer) => ({ ...answer, rows: answer.rows.filter(({ which }) => which === at) }));
    return sumsOfOne(query, uses[at] ?? [], own);
  });

const sumsOfOne = (query: ComparisonQuery, uses: readonly number[], answers: readonly Answer[]): ComparisonSums => {
  // The first answer counts the population: of the exposed, where any metric is about them.
  const [{ columns, rows } = { columns: { units: [], sums: [] }, rows: [] }] = answers;
  const groups = rows.filter(({ part }) => part === 'units').map((row) => ({ row, number: named(columns.units, row.numbers) }));
  const total = (name: string) => groups.reduce((sum, { number }) => sum + Number(number(name)), 0);
  return {
    cells: cellSums(query, answers, uses),
    population: groups.flatMap(({ row, number }) => populationCounts(query, row, number)).sort(byPopulation),
    lateExposures: total('lateExposures'),
    crossedLate: total('crossedLate'),
  };
};

const stratumName = ({ strata }: ComparisonQuery, place: number): string => {
  if (strata === undefined) return '';
  const value = strataValues(strata)[place - 1];
  return value === undefined ? OTHER_STRATUM : stratumOf(value);
};

const kindOfWhy = {
  OVERRIDE: 'override',
  USER_CHANNEL: 'own-choice',
  'not-randomised': 'not-randomised',
  unknown: 'reason-unknown',
} as const;

const populationCounts = (
  query: ComparisonQuery,
  { cell, segment, stratum, why: code }: StatementRow,
  number: Numbers,
): readonly PopulationCount[] => {
  const units = Number(number('units'));
  const told = query.strata === undefined ? {} : { stratum: stratumName(query, stratum) };
  const place = { cell: cell === UNKNOWN_CELL ? -1 : cell, segment, ...told };
  const why = whys[code] ?? 'unknown';
  if (why !== 'SPLIT') return present([{ ...place, kind: kindOfWhy[why], units }]);
  if (cell === UNKNOWN_CELL) return present([{ ...place, kind: 'unknown-variant', units }]);
  const twoArms = query.multipleExposure === 'exclude' ? Number(number('crossed')) : 0;
  return present([
    { ...place, kind: 'counted', units: units - twoArms },
    { ...place, kind: 'two-arms', units: twoArms },
  ]);
};

const present = (counts: readonly PopulationCount[]): readonly PopulationCount[] => counts.filter(({ units }) => units > 0);

type Place = Pick<StatementRow, 'cell' | 'segment' | 'stratum'>;

const cellSums = (query: ComparisonQuery, answers: readonly Answer[], uses: readonly number[]): readonly CellSums[] => {
  const places = new Map(
    answers
      .flatMap(({ rows }) => rows)
      .filter(({ part, why, cell }) => part === 'units' && why === 0 && cell !== UNKNOWN_CELL)
      .map(({ cell, segment, stratum }) => [`${cell} ${segment} ${stratum}`, { cell, segment, stratum }]),
  );
  return [...places.values()]
    .map((place): CellSums => {
      const byIndex = new Map(answers.flatMap((answer) => sumsAt(answer, place)));
      return { ...place, stratum: stratumName(query, place.stratum), metrics: uses.flatMap((index) => byIndex.get(index) ?? []) };
    })
    .filter(({ metrics }) => metrics.some(({ units, openUnits }) => units + openUnits > 0))
    .sort(byCell);
};

const sumsAt = ({ metrics, columns, rows }: Answer, place: Place) => {
  const isHere = ({ why, ...row }: StatementRow) =>
    why === 0 && row.cell === place.cell && row.segment === place.segment && row.stratum === place.stratum;
  const numbers = (part: 'units' | 'sums') => {
    const row = rows.find((one) => one.part === part && isHere(one));
    return row === undefined ? none : named(columns[part], row.numbers);
  };
  const [units, sums] = [numbers('units'), numbers('sums')];
  return metrics.map((metric) => [metric.index, metricSums(metric, units, sums)] as const);
};

const metricSums = ({ index, measured, counting }: PlannedMetric, unitNumbers: Numbers, sums: Numbers): MetricSums => {
  const of = (name: string) => sums(`${name}${index}`);
  const units = unitNumbers(`n${counting}`);
  // Units without any row are not among the sums: each counts as nothing within the caps.
  const zero = boundTo(measured, 0n);
  const without = units - of('rows');
  const sum = of('sx') + without * zero;
  const sumSquares = of('sxx') + without * zero * zero;
  const isEverybody = measured.required.length === 0;
  const adjusted = Number(isEverybody ? units : of('nc'));
  return {
    units: Number(units),
    openUnits: Number(unitNumbers(`open${counting}`)),
    sum,
    sumSquares,
    denominatorSum: of('sy'),
    denominatorSumSquares: of('syy'),
    crossSum: of('sxy'),
    covariate:
      measured.covariates.length !== 1
        ? null
        : {
            units: adjusted,
            sum: isEverybody ? sum : of('cx'),
            sumSquares: isEverybody ? sumSquares : of('cxx'),
            covariateSum: of('sc'),
            covariateSumSquares: of('scc'),
            covariateCrossSum: of('sxc'),
          },
    ...(measured.covariates.length > 1
      ? { joint: { units: adjusted, ...jointNumbers(measured, of, isEverybody ? without * zero : 0n) } }
      : {}),
    lateEvents: Number(of('late')),
    unconverted: Number(of('unconverted')),
  };
};

/** @param missing  what units without any row bring to the sum of the numerator */
const jointNumbers = (measured: MeasuredMetric, of: Numbers, missing: bigint): Pick<JointSums, 'sums' | 'products'> => {
  const zero = boundTo(measured, 0n);
  const places = [...Array(jointSize(measured)).keys()];
  return {
    sums: places.map((i) => of(`j${i}_`) + (i === 0 ? missing : 0n)),
    products: places.flatMap((i) => places.slice(i).map((j) => of(`j${i}_${j}_`) + (i + j === 0 ? missing * zero : 0n))),
  };
};
