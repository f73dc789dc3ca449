/** Sufficient statistics as a table, one row per metric and cell: for spreadsheets and other engines. */
import type { SufficientStatistics } from '@rampart/contracts';

const COLUMNS: readonly (readonly [name: string, of: (row: SufficientStatistics) => string | number | undefined])[] = [
  ['metric', (row) => row.metric],
  ['version', (row) => row.version],
  ['variant', (row) => row.variant],
  ['arm', (row) => row.arm],
  ['segment', (row) => row.segment],
  ['stratum', (row) => row.stratum],
  ['scale', (row) => row.scale],
  ['units', (row) => row.units],
  ['sum', (row) => row.sum],
  ['sum_squares', (row) => row.sumSquares],
  ['denominator_sum', (row) => row.denominatorSum],
  ['denominator_sum_squares', (row) => row.denominatorSumSquares],
  ['cross_sum', (row) => row.crossSum],
  ['covariate_units', (row) => row.covariate?.units],
  ['covariate_outcome_sum', (row) => row.covariate?.sum],
  ['covariate_outcome_sum_squares', (row) => row.covariate?.sumSquares],
  ['covariate_sum', (row) => row.covariate?.covariateSum],
  ['covariate_sum_squares', (row) => row.covariate?.covariateSumSquares],
  ['covariate_cross_sum', (row) => row.covariate?.covariateCrossSum],
  ['quantile_observations', (row) => row.quantile?.observations],
  ['quantile', (row) => row.quantile?.value],
  ['quantile_lower', (row) => row.quantile?.lower],
  ['quantile_upper', (row) => row.quantile?.upper],
  ['cap_lower', (row) => row.caps?.lower ?? undefined],
  ['cap_upper', (row) => row.caps?.upper ?? undefined],
  ['cap_units', (row) => row.caps?.units],
  ['joint_units', (row) => row.joint?.units],
  ['joint_sums', (row) => row.joint?.sums.join(' ')],
  ['joint_products', (row) => row.joint?.products.join(' ')],
];

/** RFC 4180, lines end in CR LF; what a metric does not have is empty. */
export const statisticsCsv = (rows: readonly SufficientStatistics[]): string =>
  [COLUMNS.map(([name]) => name), ...rows.map((row) => COLUMNS.map(([, of]) => cell(of(row))))]
    .map((cells) => `${cells.join(',')}\r\n`)
    .join('');

const cell = (value: string | number | undefined): string => {
  if (value === undefined) return '';
  if (typeof value === 'number' || /^-?\d+$/.test(value)) return String(value);
  // A spreadsheet runs what begins like a formula: names come from outside.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
