/**
 * What has changed since an instant, for many queries at once. The rows of the changed units are read once, into tables in memory; the statement that counts
 * everything then counts them as of both instants, for as many queries together as it can. Where too much has changed, it reads the tables themselves.
 */
import { randomBytes } from 'node:crypto';
import type { CommandOptions } from '../clickhouse-connection.js';
import type { ClickhouseServers } from '../clickhouse-servers.js';
import { subtractSums } from '../definition/sums-arithmetic.js';
import type { ComparisonQuery, ComparisonSums } from '../feedback-store.js';
import { grouped } from '../statement/clickhouse-query-group.js';
import { comparisonSums } from '../statement/clickhouse-sums-rows.js';
import { everything, type Reading } from '../statement/clickhouse-units-statement.js';
import { lookTables } from '../writing/clickhouse-schema.js';
import { answersTo } from './clickhouse-answers.js';
import { changedUnitsStatement, countedFor, mapsRead, scopesRead } from './clickhouse-changed-units.js';

export interface DeltaOptions {
  /** Beyond it their rows would take too much memory: everything is recounted. Default 100,000. */
  readonly mostChangedUnits?: number;
}

/** One statement keeps one core busy while it is planned. */
const statementsAtOnce = 2;

export const deltaOf = async (
  servers: ClickhouseServers,
  queries: readonly ComparisonQuery[],
  { sinceUs, mostChangedUnits = 100_000 }: DeltaOptions & { readonly sinceUs: number },
): Promise<readonly ComparisonSums[]> => {
  const look = lookTables(randomBytes(6).toString('hex'));
  const { shards } = servers;
  // All of them, also where one fails: nothing is made any more when what was made is dropped.
  const settled = (statement: string, options?: CommandOptions) =>
    Promise.allSettled(shards.map((shard) => shard.command(statement, options)));
  const each = async (statement: string, options?: CommandOptions) => {
    for (const one of await settled(statement, options)) if (one.status === 'rejected') throw one.reason;
  };
  try {
    await each(look.createUnits);
    const { sql, parameters } = changedUnitsStatement(queries, sinceUs);
    await each(`INSERT INTO ${look.units} ${sql} LIMIT ${mostChangedUnits + 1}`, { parameters: parameters.all() });
    const counts = await Promise.all(
      shards.map((shard) => shard.rows<{ units: string }>(`SELECT toString(count()) AS units FROM ${look.units}`)),
    );
    const units = counts.flat().reduce((sum, count) => sum + Number(count.units), 0);
    if (units > mostChangedUnits) return await counted(servers, apart(queries), { ...everything, sinceUs });
    const { exposures } = scopesRead(queries);
    const isStratified = queries.some(({ strata }) => strata !== undefined);
    await each(look.createExposures(exposures, isStratified));
    // Afterwards, since only events of exposed units count, and of units whose windows were not over: of one experiment among many, long after its start, those
    // are few of the changed units.
    await each(look.createEvents(countedFor(queries), mapsRead(queries)));
    return await counted(servers, grouped(queries), { exposures: look.exposures, events: look.events, sinceUs });
  } finally {
    // Whatever a shard that is away keeps is dropped as abandoned.
    await Promise.all([look.units, look.exposures, look.events].map((table) => settled(`DROP TABLE IF EXISTS ${table}`)));
  }
};

/** Over all rows one query at a time: together they would take too much memory. */
const apart = (queries: readonly ComparisonQuery[]): ReturnType<typeof grouped> => grouped(queries, 1);

const counted = async (
  servers: ClickhouseServers,
  groups: ReturnType<typeof grouped>,
  reading: Reading,
): Promise<readonly ComparisonSums[]> => {
  const deltas: ComparisonSums[] = [];
  const waiting = groups.values();
  const count = async () => {
    for (const { group, places } of waiting) {
      const answers = await answersTo(servers, group, reading);
      const asOf = (earlier: number) =>
        comparisonSums(
          group,
          answers.map((answer) => ({ ...answer, rows: answer.rows.filter((row) => row.earlier === earlier) })),
        );
      const [later, before] = [asOf(0), asOf(1)];
      for (const [at, place] of places.entries()) deltas[place] = subtractSums(sumsAt(later, at), sumsAt(before, at));
    }
  };
  await Promise.all(Array.from({ length: statementsAtOnce }, count));
  return deltas;
};

const sumsAt = (all: readonly ComparisonSums[], at: number): ComparisonSums => {
  const sums = all[at];
  if (sums === undefined) throw new RangeError(`a statement for ${all.length} queries, asked for the sums of query ${at}`);
  return sums;
};
