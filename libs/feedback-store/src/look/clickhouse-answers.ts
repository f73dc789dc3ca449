/** Asks for the sums of a group of queries: one statement for each population. */
import type { ClickhouseServers } from '../clickhouse-servers.js';
import type { QueryGroup } from '../statement/clickhouse-query-group.js';
import { maskfuls, type PlannedMetric } from '../statement/clickhouse-row-masks.js';
import type { Answer, StatementRow } from '../statement/clickhouse-sums-rows.js';
import { sumsStatement } from '../statement/clickhouse-sums-statement.js';
import type { Population, Reading } from '../statement/clickhouse-units-statement.js';

export const answersTo = async (servers: ClickhouseServers, group: QueryGroup, reading: Reading): Promise<readonly Answer[]> => {
  const answers: Answer[] = [];
  const local = { ...reading, exposures: servers.local(reading.exposures), events: servers.local(reading.events) };
  for (const { population, metrics } of statementsFor(group)) {
    const { sql, parameters, columns } = sumsStatement(group, population, metrics, local);
    answers.push({ metrics, columns, rows: await servers.whole.rows<StatementRow>(overShards(sql, servers.cluster), parameters.all()) });
  }
  return answers;
};

/** A unit's rows are all on one shard: each counts its own, and the integers are added. */
const overShards = (sql: string, cluster: string | undefined): string =>
  cluster === undefined
    ? sql
    : `SELECT part, which, earlier, cell, segment, why, arrayMap(sum -> toString(sum), sumForEach(arrayMap(number -> toInt256(number), numbers))) AS numbers
FROM cluster('${cluster}', view(${sql})) GROUP BY part, which, earlier, cell, segment, why`;

/** One statement for each population, more where the metrics do not fit in one mask. Without metrics the exposed are counted. */
const statementsFor = ({ metrics }: QueryGroup): readonly { population: Population; metrics: readonly PlannedMetric[] }[] => {
  const statements = (['exposed', 'assigned'] as const).flatMap((population) =>
    maskfuls(metrics.filter(({ measured: { population: own } }) => own === population)).map((those) => ({ population, metrics: those })),
  );
  return statements.length === 0 ? [{ population: 'exposed', metrics: [] }] : statements;
};
