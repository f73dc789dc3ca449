/** Asks for the sums of one query: one statement for each population. */
import type { ClickhouseConnection } from '../clickhouse-connection.js';
import { measured } from '../definition/measures.js';
import type { ComparisonQuery } from '../feedback-store.js';
import { maskfuls, type PlannedMetric, plannedMetric } from '../statement/clickhouse-row-masks.js';
import type { Answer, StatementRow } from '../statement/clickhouse-sums-rows.js';
import { sumsStatement } from '../statement/clickhouse-sums-statement.js';
import type { Population, Reading } from '../statement/clickhouse-units-statement.js';

export const answersTo = async (connection: ClickhouseConnection, query: ComparisonQuery, reading: Reading): Promise<readonly Answer[]> => {
  const metrics = plannedMetrics(query);
  const closes = metrics.map(({ closesAfterUs }) => closesAfterUs);
  const lastCloseUs = closes.length === 0 || closes.includes(null) ? null : Math.max(...closes.map(Number));
  const answers: Answer[] = [];
  for (const { population, group } of groupsOf(metrics)) {
    const { sql, parameters, columns } = sumsStatement(query, population, group, { lastCloseUs, reading });
    answers.push({ metrics: group, columns, rows: await connection.rows<StatementRow>(sql, parameters.all()) });
  }
  return answers;
};

export const plannedMetrics = (query: ComparisonQuery): readonly PlannedMetric[] =>
  query.metrics.map(({ definition }, index) => plannedMetric(measured(definition), index, query));

/** One statement for each population, more where the metrics do not fit in one mask. Without metrics the exposed are counted. */
const groupsOf = (metrics: readonly PlannedMetric[]): readonly { population: Population; group: readonly PlannedMetric[] }[] => {
  const groups = (['exposed', 'assigned'] as const).flatMap((population) =>
    maskfuls(metrics.filter(({ measured: { population: own } }) => own === population)).map((group) => ({ population, group })),
  );
  return groups.length === 0 ? [{ population: 'exposed', group: [] }] : groups;
};
