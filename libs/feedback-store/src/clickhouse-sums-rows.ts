/** From the statement's rows of text to the sums of the port. */
import type { PlannedMetric } from './clickhouse-sums-statement.js';
import { type Population, UNKNOWN_CELL, whys } from './clickhouse-units-statement.js';
import type { CellSums, ComparisonQuery, ComparisonSums, MetricSums, PopulationCount } from './feedback-store.js';

/** A group of units: by cell, segment and reason; the columns of metric i end in i. */
export type SumsRow = Readonly<Record<string, string>> & { readonly cell: number; readonly segment: number; readonly why: number };

export interface PopulationRows {
  readonly population: Population;
  readonly metrics: readonly PlannedMetric[];
  readonly rows: readonly SumsRow[];
}

export const comparisonSums = (query: ComparisonQuery, answers: readonly PopulationRows[]): ComparisonSums => {
  // The first answer counts the population: of the exposed, where any metric is about them.
  const rows = answers[0]?.rows ?? [];
  const total = (column: string) => rows.reduce((sum, row) => sum + Number(row[column]), 0);
  return {
    cells: cellSums(answers),
    population: rows.flatMap((row) => populationCounts(query, row)).sort(byCell),
    lateExposures: total('lateExposures'),
    crossedLate: total('crossedLate'),
  };
};

const byCell = (a: PopulationCount, b: PopulationCount): number =>
  a.cell - b.cell || a.segment - b.segment || (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0);

const kindOfWhy = {
  OVERRIDE: 'override',
  USER_CHANNEL: 'own-choice',
  'not-randomised': 'not-randomised',
  unknown: 'reason-unknown',
} as const;

const populationCounts = ({ multipleExposure }: ComparisonQuery, row: SumsRow): readonly PopulationCount[] => {
  const units = Number(row.units);
  const place = { cell: row.cell === UNKNOWN_CELL ? -1 : row.cell, segment: row.segment };
  const why = whys[row.why] ?? 'unknown';
  if (why !== 'SPLIT') return counted([{ ...place, kind: kindOfWhy[why], units }]);
  if (row.cell === UNKNOWN_CELL) return counted([{ ...place, kind: 'unknown-variant', units }]);
  const twoArms = multipleExposure === 'exclude' ? Number(row.crossed) : 0;
  return counted([
    { ...place, kind: 'counted', units: units - twoArms },
    { ...place, kind: 'two-arms', units: twoArms },
  ]);
};

const counted = (counts: readonly PopulationCount[]): readonly PopulationCount[] => counts.filter(({ units }) => units > 0);

const cellSums = (answers: readonly PopulationRows[]): readonly CellSums[] => {
  const found = new Map<string, { cell: number; segment: number; metrics: MetricSums[] }>();
  const none = answers
    .flatMap(({ metrics }) => metrics)
    .sort((a, b) => a.index - b.index)
    .map((metric) => metricSums(metric, {}));
  for (const { metrics, rows } of answers) {
    for (const row of rows.filter(({ cell, why }) => why === 0 && cell !== UNKNOWN_CELL)) {
      const key = `${row.cell} ${row.segment}`;
      const entry = found.get(key) ?? { cell: row.cell, segment: row.segment, metrics: [...none] };
      found.set(key, entry);
      for (const metric of metrics) entry.metrics[metric.index] = metricSums(metric, row);
    }
  }
  return [...found.values()]
    .filter(({ metrics }) => metrics.some(({ units, openUnits }) => units + openUnits > 0))
    .sort((a, b) => a.cell - b.cell || a.segment - b.segment)
    .map((entry) => ({ ...entry, stratum: '' }));
};

const metricSums = ({ index, measured }: PlannedMetric, row: Readonly<Record<string, unknown>>): MetricSums => {
  const integer = (name: string) => BigInt(String(row[`${name}${index}`] ?? 0));
  const count = (name: string) => Number(row[`${name}${index}`] ?? 0);
  return {
    units: count('n'),
    openUnits: count('open'),
    sum: integer('sx'),
    sumSquares: integer('sxx'),
    denominatorSum: integer('sy'),
    denominatorSumSquares: integer('syy'),
    crossSum: integer('sxy'),
    covariate:
      measured.covariate === null
        ? null
        : {
            units: count('nc'),
            sum: integer('cx'),
            sumSquares: integer('cxx'),
            covariateSum: integer('sc'),
            covariateSumSquares: integer('scc'),
            covariateCrossSum: integer('sxc'),
          },
    lateEvents: count('lateEvents'),
    unconverted: count('unconvertedRows'),
  };
};
