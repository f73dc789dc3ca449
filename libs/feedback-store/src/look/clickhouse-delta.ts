/**
 * What has changed since an instant, for many queries at once. The rows of the changed units are read once, into tables in memory; each query then counts
 * them as of both instants by the same statement that counts everything. Where too much has changed, that statement reads the tables themselves.
 */
import { randomBytes } from 'node:crypto';
import type { ClickhouseConnection } from '../clickhouse-connection.js';
import { subtractSums } from '../definition/sums-arithmetic.js';
import type { ComparisonQuery, ComparisonSums } from '../feedback-store.js';
import { comparisonSums } from '../statement/clickhouse-sums-rows.js';
import { everything, type Reading } from '../statement/clickhouse-units-statement.js';
import { keepsTouchedSeconds, lookTables } from '../writing/clickhouse-schema.js';
import { answersTo } from './clickhouse-answers.js';
import { changedUnitsStatement, scopesRead } from './clickhouse-changed-units.js';

export interface DeltaOptions {
  /** Beyond it their rows would take too much memory: everything is recounted. Default 100,000. */
  readonly mostChangedUnits?: number;
}

/** One statement keeps one core busy while it is planned. */
const statementsAtOnce = 2;
const HOUR_SECONDS = 3600;

export const deltaOf = async (
  connection: ClickhouseConnection,
  queries: readonly ComparisonQuery[],
  { sinceUs, mostChangedUnits = 100_000 }: DeltaOptions & { readonly sinceUs: number },
): Promise<readonly ComparisonSums[]> => {
  const isHistorical = queries.some(({ historical }) => historical);
  if (isHistorical || sinceUs < (await rememberedSinceUs(connection))) return counted(connection, queries, { ...everything, sinceUs });
  const look = lookTables(randomBytes(6).toString('hex'));
  try {
    await connection.command(look.createUnits);
    const { sql, parameters } = changedUnitsStatement(queries, sinceUs);
    await connection.command(`INSERT INTO ${look.units} ${sql} LIMIT ${mostChangedUnits + 1}`, { parameters: parameters.all() });
    const [{ units } = { units: '0' }] = await connection.rows<{ units: string }>(`SELECT toString(count()) AS units FROM ${look.units}`);
    if (Number(units) > mostChangedUnits) return await counted(connection, queries, { ...everything, sinceUs });
    const { exposures, events } = scopesRead(queries);
    await Promise.all([connection.command(look.createExposures(exposures)), connection.command(look.createEvents(events))]);
    return await counted(connection, queries, { exposures: look.exposures, events: look.events, sinceUs });
  } finally {
    for (const table of [look.units, look.exposures, look.events]) await connection.command(`DROP TABLE IF EXISTS ${table}`);
  }
};

/** Since when every row that came has left its mark in `touched`, with an hour to spare for the rows to come in. */
const rememberedSinceUs = async (connection: ClickhouseConnection): Promise<number> => {
  const [{ now } = { now: 0 }] = await connection.rows<{ now: number }>('SELECT toUnixTimestamp(now()) AS now');
  return (now - keepsTouchedSeconds + HOUR_SECONDS) * 1_000_000;
};

const counted = async (
  connection: ClickhouseConnection,
  queries: readonly ComparisonQuery[],
  reading: Reading,
): Promise<readonly ComparisonSums[]> => {
  const deltas: ComparisonSums[] = [];
  const waiting = queries.entries();
  const count = async () => {
    for (const [index, query] of waiting) {
      const answers = await answersTo(connection, query, reading);
      const asOf = (earlier: number) =>
        answers.map((answer) => ({ ...answer, rows: answer.rows.filter((row) => row.earlier === earlier) }));
      deltas[index] = subtractSums(comparisonSums(query, asOf(0)), comparisonSums(query, asOf(1)));
    }
  };
  await Promise.all(Array.from({ length: statementsAtOnce }, count));
  return deltas;
};
