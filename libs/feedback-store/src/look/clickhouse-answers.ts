/** Asks for the sums of a group of queries: one statement for each population. */
import type { ClickhouseConnection } from '../clickhouse-connection.js';
import type { QueryGroup } from '../statement/clickhouse-query-group.js';
import { maskfuls, type PlannedMetric } from '../statement/clickhouse-row-masks.js';
import type { Answer, StatementRow } from '../statement/clickhouse-sums-rows.js';
import { sumsStatement } from '../statement/clickhouse-sums-statement.js';
import type { Population, Reading } from '../statement/clickhouse-units-statement.js';

export const answersTo = async (connection: ClickhouseConnection, group: QueryGroup, reading: Reading): Promise<readonly Answer[]> => {
  const answers: Answer[] = [];
  for (const { population, metrics } of statementsFor(group)) {
    const { sql, parameters, columns } = sumsStatement(group, population, metrics, reading);
    answers.push({ metrics, columns, rows: await connection.rows<StatementRow>(sql, parameters.all()) });
  }
  return answers;
};

/** One statement for each population, more where the metrics do not fit in one mask. Without metrics the exposed are counted. */
const statementsFor = ({ metrics }: QueryGroup): readonly { population: Population; metrics: readonly PlannedMetric[] }[] => {
  const statements = (['exposed', 'assigned'] as const).flatMap((population) =>
    maskfuls(metrics.filter(({ measured: { population: own } }) => own === population)).map((those) => ({ population, metrics: those })),
  );
  return statements.length === 0 ? [{ population: 'exposed', metrics: [] }] : statements;
};
