/** Asks for the sums of a group of queries: one statement for each population. */
import type { ClickhouseServers } from '../clickhouse-servers.js';
import { mostFrequent } from '../definition/sums-order.js';
import type { ComparisonQuery, StratumCount } from '../feedback-store.js';
import type { QueryGroup } from '../statement/clickhouse-query-group.js';
import { maskfuls, type PlannedMetric } from '../statement/clickhouse-row-masks.js';
import { type PropertyTextRow, stratumCounts } from '../statement/clickhouse-strata.js';
import { strataStatement } from '../statement/clickhouse-strata-statement.js';
import type { Answer, StatementRow } from '../statement/clickhouse-sums-rows.js';
import { sumsStatement } from '../statement/clickhouse-sums-statement.js';
import { everything, type Population, type Reading } from '../statement/clickhouse-units-statement.js';

export const answersTo = async (servers: ClickhouseServers, group: QueryGroup, reading: Reading): Promise<readonly Answer[]> => {
  const answers: Answer[] = [];
  const local = { ...reading, exposures: servers.local(reading.exposures), events: servers.local(reading.events) };
  for (const { population, metrics } of statementsFor(group)) {
    const { sql, parameters, columns } = sumsStatement(group, population, metrics, local);
    answers.push({ metrics, columns, rows: await servers.whole.rows<StatementRow>(overShards(sql, servers.cluster), parameters.all()) });
  }
  return answers;
};

/** More than this are not looked at: a property of so many values tells single units apart. */
const MOST_VALUES = 10_000;

export const strataOf = async (
  servers: ClickhouseServers,
  query: ComparisonQuery,
  property: string,
  limit: number,
): Promise<readonly StratumCount[]> => {
  const local = { ...everything, exposures: servers.local(everything.exposures) };
  const { sql, parameters } = strataStatement(query, property, local);
  const { cluster, whole } = servers;
  const from = cluster === undefined ? `(${sql})` : `cluster('${cluster}', view(${sql}))`;
  const most = `SELECT kind, text, toString(sum(toUInt64(units))) AS units FROM ${from} GROUP BY kind, text ORDER BY sum(toUInt64(units)) DESC, text LIMIT ${MOST_VALUES}`;
  return mostFrequent(stratumCounts(await whole.rows<PropertyTextRow>(most, parameters.all())), limit);
};

/** A unit's rows are all on one shard: each counts its own, and the integers are added. */
const overShards = (sql: string, cluster: string | undefined): string =>
  cluster === undefined
    ? sql
    : `SELECT part, which, earlier, cell, segment, stratum, why, arrayMap(sum -> toString(sum), sumForEach(arrayMap(number -> toInt256(number), numbers))) AS numbers
FROM cluster('${cluster}', view(${sql})) GROUP BY part, which, earlier, cell, segment, stratum, why`;

/** One statement for each population, more where the metrics do not fit in one mask. Without metrics the exposed are counted. */
const statementsFor = ({ metrics }: QueryGroup): readonly { population: Population; metrics: readonly PlannedMetric[] }[] => {
  const statements = (['exposed', 'assigned'] as const).flatMap((population) =>
    maskfuls(metrics.filter(({ measured: { population: own } }) => own === population)).map((those) => ({ population, metrics: those })),
  );
  return statements.length === 0 ? [{ population: 'exposed', metrics: [] }] : statements;
};
