/** Asks for the sums of a group of queries: one statement for each population. */
import type { MetricDefinition } from '@rampart/contracts';
import type { QueryParameters } from '../clickhouse-connection.js';
import type { ClickhouseServers } from '../clickhouse-servers.js';
import { designEffectOf, ladderRanks, quantileRanks } from '../definition/quantile-ranks.js';
import { mostFrequent } from '../definition/sums-order.js';
import type { ArmQuantile, ComparisonQuery, ComparisonSums, StratumCount, TrackedCount } from '../feedback-store.js';
import { type ClusterRow, clustersOfRows, quantileGroups, quantileStatements } from '../statement/clickhouse-quantile-statements.js';
import type { QueryGroup } from '../statement/clickhouse-query-group.js';
import { maskfuls, type PlannedMetric } from '../statement/clickhouse-row-masks.js';
import { type PropertyTextRow, stratumCounts } from '../statement/clickhouse-strata.js';
import { strataStatement } from '../statement/clickhouse-strata-statement.js';
import type { Answer, StatementRow } from '../statement/clickhouse-sums-rows.js';
import { sumsStatement } from '../statement/clickhouse-sums-statement.js';
import { trackedStatement } from '../statement/clickhouse-tracked-statement.js';
import { everything, type Population, type Reading } from '../statement/clickhouse-units-statement.js';

export const answersTo = async (servers: ClickhouseServers, group: QueryGroup, reading: Reading): Promise<readonly Answer[]> => {
  const answers: Answer[] = [];
  for (const { population, metrics } of statementsFor(group)) {
    const { sql, parameters, columns } = sumsStatement(group, population, metrics, reading);
    answers.push({ metrics, columns, rows: addedRows(await ofEachShard<StatementRow>(servers, sql, parameters.all())) });
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
  const most = `SELECT kind, text, toString(total) AS units FROM (SELECT kind, text, sum(toUInt64(units)) AS total FROM ${from} GROUP BY kind, text)
ORDER BY total DESC, text LIMIT ${MOST_VALUES}`;
  return mostFrequent(stratumCounts(await whole.rows<PropertyTextRow>(most, parameters.all())), limit);
};

export const trackedOf = async (servers: ClickhouseServers, query: ComparisonQuery): Promise<readonly TrackedCount[]> => {
  const { sql, parameters } = trackedStatement(query, everything);
  const counts = new Map<string, TrackedCount>();
  for (const { cell, segment, units } of (await ofEachShard<Record<keyof TrackedCount, number>>(servers, sql, parameters.all())).flat()) {
    const known = counts.get(`${cell} ${segment}`)?.units ?? 0;
    counts.set(`${cell} ${segment}`, { cell, segment, units: known + Number(units) });
  }
  return [...counts.values()].sort((a, b) => a.cell - b.cell || a.segment - b.segment);
};

/** Of each quantile metric the order statistics of each arm, in the order of the metrics. */
export const quantilesOf = async (
  servers: ClickhouseServers,
  query: ComparisonQuery,
): Promise<NonNullable<ComparisonSums['quantiles']>> => {
  const found: { metric: number; arms: readonly ArmQuantile[] }[] = [];
  for (const [place, metric] of query.metrics.entries()) {
    if (metric.definition.type === 'quantile')
      found.push({ metric: place, arms: await armQuantiles(servers, { ...query, metrics: [metric] }, metric.definition) });
  }
  return found;
};

const armQuantiles = async (
  servers: ClickhouseServers,
  query: ComparisonQuery,
  { quantileLevel = 0.5, quantileOf = 'events' }: MetricDefinition,
): Promise<readonly ArmQuantile[]> => {
  const local = { ...everything, exposures: servers.local(everything.exposures), events: servers.local(everything.events) };
  const { parameters, histogram, clusters } = quantileStatements(query, local);
  const { cluster, whole } = servers;
  const ofAll = (sql: string) => (cluster === undefined ? `(${sql})` : `cluster('${cluster}', view(${sql}))`);
  const counts = await whole.rows<{ arm: number; total: string }>(
    `SELECT arm, toString(sum(weight)) AS total FROM ${ofAll(histogram)} GROUP BY arm`,
    parameters.all(),
  );
  const arms = quantileGroups(query);
  const totals = arms.map((_, at) => Number(counts.find(({ arm }) => arm === at)?.total ?? 0));
  // Only the values at which one of the ranks lies.
  const valuesOf = async (ranks: readonly (readonly number[])[]): Promise<readonly (readonly bigint[])[]> => {
    const rungs = await whole.rows<{ arm: number; rung: string; until: string }>(
      `SELECT arm, toString(value) AS rung, toString(upto) AS until
FROM (SELECT arm, value, weight, sum(weight) OVER (PARTITION BY arm ORDER BY value ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
  FROM (SELECT arm, value, sum(weight) AS weight FROM ${ofAll(histogram)} GROUP BY arm, value HAVING weight > 0))
WHERE arrayExists(rank -> rank <= upto AND rank > upto - weight, [${ranks.map((own) => `[${[0, ...own].join(', ')}]`).join(', ')}][arm + 1])
ORDER BY arm, toInt64(until)`,
      parameters.all(),
    );
    return ranks.map((own, at) =>
      valuesAt(
        own,
        rungs.filter(({ arm }) => arm === at),
      ),
    );
  };
  const band = totals.map((total) => quantileRanks(Math.max(1, total), quantileLevel));
  const isOfUnits = quantileOf === 'units';
  const isLadder = query.quantileLadder === true;
  // Of units one count gives all of them; of events the ladder's width depends on how alike those of a unit are.
  const ofUnits = totals.map((total) => (isLadder && isOfUnits ? ladderRanks(total, quantileLevel, 1) : []));
  const values = await valuesOf(band.map(({ quantile, lower, upper }, at) => [quantile, lower, upper, ...(ofUnits[at] ?? [])]));
  const rows = isOfUnits
    ? []
    : await whole.rows<ClusterRow>(`SELECT arm, numbers FROM ${ofAll(clusters(values.map(([value = 0n]) => value)))}`, parameters.all());
  const clustersAt = arms.map((_, at) => (isOfUnits ? null : clustersOfRows(rows.filter(({ arm }) => arm === at))));
  const ranks = totals.map((total, at) => {
    const own = clustersAt[at];
    return own == null ? (ofUnits[at] ?? []) : ladderRanks(total, quantileLevel, designEffectOf(own));
  });
  const rungs = isLadder && !isOfUnits ? await valuesOf(ranks) : values.map(([, , , ...rest]) => rest);
  return arms.map((arm, at) => {
    const [quantile = 0n, lower = 0n, upper = 0n] = values[at] ?? [];
    const ladder = (rungs[at] ?? []).map((value, place) => ({ rank: ranks[at]?.[place] ?? 0, value }));
    return {
      ...{ ...arm, observations: totals[at] ?? 0, quantile, lower, upper, clusters: clustersAt[at] ?? null },
      ...(isLadder ? { ladder } : {}),
    };
  });
};

/** @param rungs  of one arm, rising. @returns 0 without observations */
const valuesAt = (ranks: readonly number[], rungs: readonly { readonly rung: string; readonly until: string }[]): readonly bigint[] => {
  const found = rungs.map(({ rung, until }) => ({ value: BigInt(rung), until: Number(until) }));
  return ranks.map((rank) => found.find(({ until }) => until >= rank)?.value ?? 0n);
};

/**
 * A unit's rows are all on one shard: each counts its own. They are asked one by one, since a statement over a cluster is planned by the asked shard as a whole
 * and by each for its part: five times as long as this.
 */
const ofEachShard = <T>({ shards }: ClickhouseServers, sql: string, parameters: QueryParameters): Promise<readonly (readonly T[])[]> =>
  Promise.all(shards.map((shard) => shard.rows<T>(sql, parameters)));

/** The integers of all shards, place by place. */
const addedRows = ([first = [], ...others]: readonly (readonly StatementRow[])[]): readonly StatementRow[] => {
  if (others.length === 0) return first;
  const sums = new Map<string, StatementRow>();
  for (const row of [first, ...others].flat()) {
    const { numbers, ...place } = row;
    const key = Object.values(place).join();
    const known = sums.get(key);
    sums.set(
      key,
      known === undefined ? row : { ...known, numbers: known.numbers.map((number, at) => `${BigInt(number) + BigInt(numbers[at] ?? 0)}`) },
    );
  }
  return [...sums.values()];
};

/** One statement for each population, more where the metrics do not fit in one mask. Without metrics the exposed are counted. */
const statementsFor = ({ metrics }: QueryGroup): readonly { population: Population; metrics: readonly PlannedMetric[] }[] => {
  const statements = (['exposed', 'assigned'] as const).flatMap((population) =>
    maskfuls(metrics.filter(({ measured: { population: own } }) => own === population)).map((those) => ({ population, metrics: those })),
  );
  return statements.length === 0 ? [{ population: 'exposed', metrics: [] }] : statements;
};
