/** Old rows removed from ClickHouse: what goes is written down on every shard before anything does. */
import type { ClickhouseConnection } from '../clickhouse-connection.js';
import type { ClickhouseServers } from '../clickhouse-servers.js';
import { neededSinceUs } from '../definition/needed-rows.js';
import type { ComparisonQuery, Expiry } from '../feedback-store.js';
import { scopesRead } from '../look/clickhouse-changed-units.js';
import { spaceOf } from '../row-identity.js';

/** In one statement: each is a condition of it. */
const scopesAtOnce = 200;

interface Cut {
  readonly scope: bigint;
  /** Rows known before go. */
  readonly untilUs: number;
}

/** Where a table says when a row was known, or what is never later than that. */
const KNOWN: Readonly<Record<string, string>> = {
  feedback: 'known_at',
  exposure: 'known_at',
  exposure_by_unit: 'known_at',
  known_hour: '(hour + 1) * 3600000000',
};

export const expireRows = async (servers: ClickhouseServers, expiry: Expiry): Promise<void> => {
  const { countsBeforeUs, lettersBeforeUs } = expiry;
  for (const shard of servers.shards) {
    await removed(shard, 'ingest_count', `at < ${countsBeforeUs}`);
    await removed(shard, 'dead_letter', `received_at < ${lettersBeforeUs}`);
  }
  const cuts = await cutsOf(servers.whole, expiry);
  for (let at = 0; at < cuts.length; at += scopesAtOnce) await cut(servers, cuts.slice(at, at + scopesAtOnce));
};

export const expiredUntil = async (servers: ClickhouseServers, query: ComparisonQuery): Promise<number | null> => {
  const { exposures, events } = scopesRead([query]);
  const [row] = await servers.whole.rows<{ until: string; found: string }>(
    `SELECT toString(max(until_at)) AS until, toString(count()) AS found FROM expired WHERE scope IN (${[...exposures, ...events].join(', ')})`,
  );
  return Number(row?.found ?? 0) === 0 ? null : Number(row?.until);
};

/** Of each scope that has rows to lose. */
const cutsOf = async (whole: ClickhouseConnection, { environments, beforeUs, open }: Expiry): Promise<readonly Cut[]> => {
  if (beforeUs === null || environments.length === 0) return [];
  const spaces = environments.map(({ project, environment }) => spaceOf(project, environment)).join(', ');
  const oldest = (table: string) =>
    `SELECT scope, min(known_at) AS first FROM ${table} WHERE known_at < ${beforeUs} AND space IN (${spaces}) GROUP BY scope`;
  const rows = await whole.rows<{ scope: string; first: string }>(
    `SELECT toString(scope) AS scope, toString(min(first)) AS first FROM (${oldest('feedback')} UNION ALL ${oldest('exposure')}) GROUP BY scope ORDER BY scope`,
  );
  const needed = new Map<bigint, number>();
  for (const query of open) {
    const { exposures, events } = scopesRead([query]);
    for (const scope of [...exposures, ...events])
      needed.set(scope, Math.min(neededSinceUs(query), needed.get(scope) ?? Number.POSITIVE_INFINITY));
  }
  return rows.flatMap(({ scope, first }) => {
    const untilUs = Math.min(beforeUs, needed.get(BigInt(scope)) ?? beforeUs);
    return Number(first) < untilUs ? [{ scope: BigInt(scope), untilUs }] : [];
  });
};

const cut = async ({ shards, whole }: ClickhouseServers, cuts: readonly Cut[]): Promise<void> => {
  await whole.insertObjects(
    'expired',
    cuts.map(({ scope, untilUs }) => ({ scope: String(scope), until_at: untilUs })),
  );
  for (const shard of shards)
    for (const [table, known] of Object.entries(KNOWN))
      await removed(shard, table, cuts.map(({ scope, untilUs }) => `(scope = ${scope} AND ${known} < ${untilUs})`).join(' OR '));
};

/** Nothing is rewritten where nothing is to go. */
const removed = async (shard: ClickhouseConnection, table: string, where: string): Promise<void> => {
  const [row] = await shard.rows<{ found: string }>(
    `SELECT toString(count()) AS found FROM (SELECT 1 FROM ${table} WHERE ${where} LIMIT 1)`,
  );
  if (Number(row?.found ?? 0) > 0) await shard.command(`ALTER TABLE ${table} DELETE WHERE ${where}`);
};
