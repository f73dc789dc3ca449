/** The rows of erased units leave every table for good. What stays is which scopes lost how many to which erasure, and nothing that names the unit. */
import type { InstantUs } from '@rampart/contracts';
import type { ClickhouseConnection } from '../clickhouse-connection.js';
import type { ClickhouseServers } from '../clickhouse-servers.js';
import type { ErasureQuery, PlacedRow } from '../feedback-store.js';
import { comparedScopes, spaceOf } from '../row-identity.js';
import { StoreError } from '../store-error.js';

const PSEUDONYM = /^[0-9a-f]{32}$/;
/** In one statement: conditions are read for each row of the parts that have one of the units. */
const AT_ONCE = 50;

interface Lost {
  readonly lostScope: string;
  readonly lostUnit: string;
  readonly lostRows: string;
}

/**
 * Resolves when no table has a row of these units below their erasures' positions. Safe to repeat, also after half of it: what is counted goes last.
 * @param erasures  rows of kind `erasure`
 */
export const eraseUnits = async (servers: ClickhouseServers, erasures: readonly PlacedRow[]): Promise<void> => {
  const spaces = inSpaces(erasures);
  try {
    for await (const { scopes, some } of byScopes(servers, spaces)) await eraseSome(servers, scopes, some);
  } catch (error) {
    // Whatever the engine says: an erasure is no row that could be left out.
    if (error instanceof StoreError) throw new StoreError(error.message, { retriable: true, code: error.code });
    throw error;
  }
};

/** @returns those of which a table has rows, which were inserted after the erasure then */
export const outlivedErasures = async (servers: ClickhouseServers, erasures: readonly PlacedRow[]): Promise<readonly PlacedRow[]> => {
  const outlived: PlacedRow[] = [];
  for await (const { scopes, some } of byScopes(servers, inSpaces(erasures))) {
    const lowestIn = (table: string) =>
      `SELECT unit, min(position) AS lowest FROM ${table} WHERE scope IN (${scopes}) AND (${before(some)}) GROUP BY unit`;
    const found = await servers.whole.rows<{ foundUnit: string; position: string }>(
      `SELECT ${named('unit')} AS foundUnit, toString(min(lowest)) AS position FROM (${lowestIn('exposure')} UNION ALL ${lowestIn('feedback')}) GROUP BY unit`,
    );
    const lowest = new Map(found.map(({ foundUnit, position }) => [foundUnit, BigInt(position)]));
    outlived.push(...some.filter(({ row, position }) => (lowest.get(row.unit) ?? position) < position));
  }
  return outlived;
};

type InSpaces = ReadonlyMap<bigint, readonly PlacedRow[]>;

const inSpaces = (erasures: readonly PlacedRow[]): InSpaces => {
  const bySpace = new Map<bigint, PlacedRow[]>();
  for (const erasure of erasures) {
    if (!PSEUDONYM.test(erasure.row.unit)) throw new StoreError('an erasure names no unit', { retriable: false });
    const space = spaceOf(erasure.row.project, erasure.row.environment);
    bySpace.set(space, [...(bySpace.get(space) ?? []), erasure]);
  }
  return bySpace;
};

/** So many as go into one statement, with all scopes of their environment: there is nothing to do where it has none. */
async function* byScopes(
  servers: ClickhouseServers,
  bySpace: InSpaces,
): AsyncGenerator<{ readonly scopes: string; readonly some: readonly PlacedRow[] }> {
  for (const [space, all] of bySpace) {
    const found = await servers.whole.rows<{ scope: string }>(`SELECT DISTINCT toString(scope) AS scope FROM scope WHERE space = ${space}`);
    const scopes = found.map(({ scope }) => scope).join(', ');
    for (let at = 0; at < all.length && scopes !== ''; at += AT_ONCE) yield { scopes, some: all.slice(at, at + AT_ONCE) };
  }
}

const eraseSome = async (servers: ClickhouseServers, scopes: string, erasures: readonly PlacedRow[]): Promise<void> => {
  const taken = `scope IN (${scopes}) AND (${before(erasures)})`;
  const units = erasures.map(({ row }) => literal(row.unit)).join(', ');
  await Promise.all(
    servers.shards.map(async (shard) => {
      const lostFrom = (table: string) =>
        shard.rows<Lost>(`SELECT toString(scope) AS lostScope, ${named('unit')} AS lostUnit, toString(uniqExact(id_hash)) AS lostRows
  FROM ${table} WHERE ${taken} GROUP BY scope, unit`);
      const [exposures, events] = await Promise.all([lostFrom('exposure'), lostFrom('feedback')]);
      await note(servers, [...exposures, ...events], erasures);
      if (exposures.length > 0) {
        await remove(shard, 'exposure_by_unit', taken);
        // It knows no positions. A row that came after an erasure is not there yet, or, where the log is read again, comes again.
        await remove(shard, 'exposure_time', `scope IN (${scopes}) AND unit IN (${units})`);
        await remove(shard, 'exposure', taken);
      }
      if (events.length > 0) await remove(shard, 'feedback', taken);
    }),
  );
};

/** Before anything is removed: afterwards nobody could count it. */
const note = async ({ whole }: ClickhouseServers, lost: readonly Lost[], erasures: readonly PlacedRow[]): Promise<void> => {
  const rows = lost.flatMap(({ lostScope: scope, lostUnit, lostRows: count }) => {
    // The last of several at once: it covers what the others do.
    const erasure = erasures.findLast(({ row }) => row.unit === lostUnit);
    if (erasure === undefined) return [];
    const { position, partition = 0, knownAtUs } = erasure;
    return [{ scope, partition, position: String(position), known_at: String(knownAtUs), rows: count }];
  });
  await whole.insertObjects('erased', rows);
};

/** Waits until the parts are written anew: a look that begins afterwards sees none of it. */
const remove = (shard: ClickhouseConnection, table: string, where: string): Promise<void> =>
  shard.command(`ALTER TABLE ${table} DELETE WHERE ${where} SETTINGS mutations_sync = 1`);

const before = (erasures: readonly PlacedRow[]): string =>
  erasures.map(({ row, position }) => `(unit = ${literal(row.unit)} AND position < ${position})`).join(' OR ');

const literal = (unit: string): string => `reinterpretAsUInt128(unhex('${unit}'))`;
/** As pseudonyms are written. */
const named = (unit: string): string => `lower(hex(reinterpretAsFixedString(${unit})))`;

export const erasedUnits = async ({ whole }: ClickhouseServers, query: ErasureQuery, sinceUs: InstantUs): Promise<number> => {
  const [row] = await whole.rows<{ erasures: string }>(
    `SELECT toString(uniqExact(partition, position)) AS erasures FROM erased WHERE scope IN (${comparedScopes(query).join(', ')}) AND known_at > {since:Int64}`,
    { since: sinceUs },
  );
  return Number(row?.erasures ?? 0);
};

export const lastErasureUs = async ({ whole }: ClickhouseServers): Promise<InstantUs | null> => {
  const [row] = await whole.rows<{ erasures: string; last: string }>(
    'SELECT toString(count()) AS erasures, toString(max(known_at)) AS last FROM erased',
  );
  return row === undefined || row.erasures === '0' ? null : Number(row.last);
};
