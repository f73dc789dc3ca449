/**
 * The tables. Truth is `feedback` and `exposure`, one row for each unit reference of an event; the lowest position of an id wins, whatever a retry says.
 * No time is part of a sorting key: a retry may carry another, corrected time.
 */
import { randomBytes } from 'node:crypto';
import type { ClickhouseConnection } from '../clickhouse-connection.js';
import { attachLeft } from './clickhouse-damage.js';

const propertyColumns = `
  strings Map(LowCardinality(String), String),
  numbers Map(LowCardinality(String), Float64),
  booleans Map(LowCardinality(String), Bool),
  millionths Map(LowCardinality(String), Int64)`;

// When the log knew a row of a history, which says itself when it became known. 0 where `known_at` is that; and in rows of before there was this column.
const loggedColumn = 'logged_at Int64 DEFAULT 0 CODEC(ZSTD(1))';

const rowColumns = `
  scope UInt64,
  unit UInt128,
  id_hash UInt128,
  space UInt64 CODEC(ZSTD(1)),
  event_at Int64 CODEC(ZSTD(1)),
  known_at Int64 CODEC(ZSTD(1)),
  position UInt64 CODEC(ZSTD(1)),
  digest UInt64 CODEC(NONE),
  key LowCardinality(String),
  ${loggedColumn}`;

const firstArrivalWins = 'version UInt64 MATERIALIZED 18446744073709551615 - position CODEC(ZSTD(1))';

// An acknowledged insert must survive a power cut: the log's offsets are committed after it.
const durable = 'fsync_after_insert = 1, fsync_part_directory = 1';

// Letters hold raw ids: a part that was written anew without one is on the disk for a moment only, instead of eight minutes.
const soonGone = 'old_parts_lifetime = 10';

// Which rows became known in a stretch of time: those lie in young parts, and older parts are passed over whole.
const knownIndex = 'INDEX known known_at TYPE minmax GRANULARITY 1';

const byUnitColumns =
  'scope, unit, id_hash, event_at, known_at, position, segment, variant, reason, 18446744073709551615 - position AS version';
const timeColumns = 'scope, if(event_at < known_at, event_at, known_at) AS at, unit';

/** Those that grow with the rows and are merged. */
export const largeTables = ['feedback', 'exposure', 'exposure_by_unit', 'exposure_time', 'identity', 'arrival'] as const;

const tables: readonly string[] = [
  `feedback (${rowColumns},
  kind Enum8('metric' = 1, 'feedback' = 2),
  value Nullable(Int64) CODEC(ZSTD(1)),${propertyColumns},
  ${firstArrivalWins},
  ${knownIndex}
) ENGINE = ReplacingMergeTree(version) ORDER BY (scope, unit, id_hash) SETTINGS ${durable}`,

  `exposure (${rowColumns},
  segment Nullable(UInt16),
  variant LowCardinality(String),
  reason LowCardinality(String),${propertyColumns},
  ${firstArrivalWins},
  ${knownIndex}
) ENGINE = ReplacingMergeTree(version) ORDER BY (scope, unit, id_hash) SETTINGS ${durable}`,

  // The exposures once more, by unit: what a delta reads of a unit lies together, in few rows and small blocks, whatever the number of exposures.
  `exposure_by_unit (scope UInt64, unit UInt128, id_hash UInt128, event_at Int64 CODEC(ZSTD(1)), known_at Int64 CODEC(ZSTD(1)), position UInt64 CODEC(ZSTD(1)),
  segment Nullable(UInt16), variant LowCardinality(String), reason LowCardinality(String), version UInt64 CODEC(ZSTD(1)))
  ENGINE = ReplacingMergeTree(version) ORDER BY (unit, scope, id_hash) SETTINGS index_granularity = 128, min_compress_block_size = 2048, max_compress_block_size = 4096, ${durable}`,

  // When exposures happened: which windows close in a stretch of time.
  `exposure_time (scope UInt64, at Int64 CODEC(Delta, ZSTD(1)), unit UInt128) ENGINE = MergeTree ORDER BY (scope, at) SETTINGS ${durable}`,

  // What a scope's number stands for.
  `scope (space UInt64, scope UInt64, project String, environment String, name String, unit_type String)
  ENGINE = ReplacingMergeTree ORDER BY (space, scope) SETTINGS ${durable}`,

  // Which contents an id came with. It outlives the duplicates that merges drop from the two tables above.
  `identity (space UInt64, id_hash UInt128, lowest SimpleAggregateFunction(min, UInt64), highest SimpleAggregateFunction(max, UInt64))
  ENGINE = AggregatingMergeTree ORDER BY (space, id_hash) SETTINGS ${durable}`,

  // How many rows of a scope a message brought. A message that is delivered again replaces itself; of a message stored in parts the whole wins.
  `arrival (scope UInt64, partition UInt16, message UInt64 CODEC(Delta, ZSTD(1)), rows UInt32)
  ENGINE = ReplacingMergeTree(rows) ORDER BY (scope, partition, message) SETTINGS ${durable}`,

  `import (space UInt64, id_hash UInt128, until_at Int64, logged_at Int64, position UInt64, ${firstArrivalWins})
  ENGINE = ReplacingMergeTree(version) ORDER BY (space, id_hash) SETTINGS ${durable}`,

  // Which scopes lost rows to an erasure, and how many. Nothing of the unit; of an erasure that is done again the first time counts, which found more.
  `erased (scope UInt64, partition UInt16, position UInt64, known_at Int64, rows UInt64)
  ENGINE = ReplacingMergeTree(rows) ORDER BY (scope, partition, position) SETTINGS ${durable}`,

  // When rows of a name became known, by the hour.
  `known_hour (space UInt64, scope UInt64, hour Int64, first SimpleAggregateFunction(min, Int64), last SimpleAggregateFunction(max, Int64))
  ENGINE = AggregatingMergeTree ORDER BY (space, scope, hour) SETTINGS ${durable}`,

  // Of which scopes old rows were removed, and up to when.
  `expired (scope UInt64, until_at SimpleAggregateFunction(max, Int64)) ENGINE = AggregatingMergeTree ORDER BY scope SETTINGS ${durable}`,

  // What a later version of the tables has made of the rows that an earlier one had stored.
  `upgrade (step String, done_at DateTime64(6) DEFAULT now64(6)) ENGINE = MergeTree ORDER BY (step, done_at) SETTINGS ${durable}`,

  // One row; concurrent first starts may write two, of which the earlier counts.
  `filling (id String, made_at DateTime64(6) DEFAULT now64(6)) ENGINE = MergeTree ORDER BY (made_at, id) SETTINGS ${durable}`,

  `progress (topic LowCardinality(String), partition UInt16, position UInt64, known_at Int64)
  ENGINE = ReplacingMergeTree(position) ORDER BY (topic, partition) SETTINGS ${durable}`,

  `ingest_count (space UInt64, at Int64, partition UInt16, position UInt64, key LowCardinality(String), kind LowCardinality(String),
  name LowCardinality(String), accepted UInt64, rejected Map(LowCardinality(String), UInt64))
  ENGINE = ReplacingMergeTree ORDER BY (space, at, partition, position)`,

  `dead_letter (space UInt64, position UInt64, partition UInt16, key String, code LowCardinality(String), path String, message String, received_at Int64,
  event_id Nullable(String), source Nullable(String), raw Nullable(String) CODEC(ZSTD(3)), topic String, place String)
  ENGINE = ReplacingMergeTree ORDER BY (space, position, partition) SETTINGS ${soonGone}`,
];

const identityOf = (table: string): string =>
  `identity_of_${table} TO identity AS SELECT space, id_hash, min(digest) AS lowest, max(digest) AS highest FROM ${table} GROUP BY space, id_hash`;

const knownHours =
  'SELECT space, scope, intDiv(known_at, 3600000000) AS hour, min(known_at) AS first, max(known_at) AS last FROM feedback GROUP BY space, scope, hour';

const views: readonly string[] = [
  identityOf('feedback'),
  identityOf('exposure'),
  `exposure_by_unit_of_exposure TO exposure_by_unit AS SELECT ${byUnitColumns} FROM exposure`,
  `exposure_time_of_exposure TO exposure_time AS SELECT ${timeColumns} FROM exposure`,
  `known_hour_of_feedback TO known_hour AS ${knownHours}`,
];

const MADE = 'SELECT name FROM system.tables WHERE database = currentDatabase()';

export const prepareSchema = async (connection: ClickhouseConnection): Promise<void> => {
  await connection.command(`CREATE DATABASE IF NOT EXISTS ${connection.database}`, { inDatabase: false });
  await attachLeft(connection);
  // Whoever starts again finds everything made: twenty statements less on servers that may be busy.
  const made = new Set((await connection.rows<{ name: string }>(MADE)).map(({ name }) => name));
  const missing = (all: readonly string[]) => all.filter((one) => !made.has(one.split(' ')[0] ?? ''));
  for (const table of missing(tables)) await connection.command(`CREATE TABLE IF NOT EXISTS ${table}`);
  for (const view of missing(views)) await connection.command(`CREATE MATERIALIZED VIEW IF NOT EXISTS ${view}`);
  await upgrade(connection);
  await dropAbandonedLooks(connection);
};

/** In this order: a process that dies in the middle leaves the lower progress under the older filling's name, so that rows are read again. */
const exchanged = [...largeTables, ...['scope', 'import', 'known_hour', 'expired', 'erased', 'upgrade', 'progress', 'filling']] as const;

/** Puts the tables of another database in place of this one's, and those in its place. Views hang on names, so they go first; preparing makes them again. */
export const exchangeTables = async (connection: ClickhouseConnection, other: string): Promise<void> => {
  for (const view of views)
    for (const database of [connection.database, other])
      await connection.command(`DROP VIEW IF EXISTS ${database}.${view.split(' ')[0]} SYNC`);
  for (const table of exchanged) await connection.command(`EXCHANGE TABLES ${connection.database}.${table} AND ${other}.${table}`);
};

/** By what rows go to a shard. A unit's rows are together, and so is what replaces each other; what views fill lies where their rows are, and is not written. */
const shardedBy = {
  feedback: 'unit',
  exposure: 'unit',
  scope: 'scope',
  identity: 'id_hash',
  arrival: 'message',
  import: 'id_hash',
  erased: 'scope',
  known_hour: 'scope',
  expired: 'scope',
  ingest_count: 'position',
  dead_letter: 'position',
} as const;

/** The same names in another database, for the rows of all shards. Made anew where an upgrade has changed the tables below. */
export const prepareDistributed = async (shard: ClickhouseConnection, database: string, cluster: string): Promise<void> => {
  await shard.command(`CREATE DATABASE IF NOT EXISTS ${database}`, { inDatabase: false });
  const columns = `SELECT database, table, groupArray((name, type)) AS columns FROM (SELECT * FROM system.columns
  WHERE database IN ('${database}', '${shard.database}') ORDER BY name) GROUP BY database, table`;
  const found = new Map(
    (await shard.rows<{ database: string; table: string; columns: unknown }>(columns)).map((one) => [
      `${one.database}.${one.table}`,
      JSON.stringify(one.columns),
    ]),
  );
  for (const [table, key] of Object.entries(shardedBy)) {
    if (found.get(`${database}.${table}`) === found.get(`${shard.database}.${table}`)) continue;
    await shard.command(
      `CREATE OR REPLACE TABLE ${database}.${table} AS ${shard.database}.${table} ENGINE = Distributed('${cluster}', '${shard.database}', '${table}', cityHash64(${key}))`,
    );
  }
};

interface Upgrade {
  readonly step: string;
  run(connection: ClickhouseConnection): Promise<void>;
}

/**
 * Fills the tables that an earlier version did not have. The views are there by now, so that what comes meanwhile is in them too; what is in them twice does no
 * harm, so that several processes may do this at once, and one that died begins anew.
 */
const fillDeltaTables = async (connection: ClickhouseConnection): Promise<void> => {
  const scopes = await connection.rows<{ scope: string }>('SELECT toString(scope) AS scope FROM exposure GROUP BY scope ORDER BY scope');
  for (const { scope } of scopes) {
    await connection.command(`INSERT INTO exposure_by_unit SELECT ${byUnitColumns} FROM exposure WHERE scope = ${scope}`);
    await connection.command(`INSERT INTO exposure_time SELECT ${timeColumns} FROM exposure WHERE scope = ${scope}`);
  }
  await connection.command(`INSERT INTO known_hour ${knownHours}`);
};

/** Parts get the index by themselves, one after another; until then they are read whole. The table in its place goes. */
const indexKnownTimes = async (connection: ClickhouseConnection): Promise<void> => {
  for (const table of ['feedback', 'exposure']) {
    await connection.command(`ALTER TABLE ${table} ADD ${knownIndex.replace('INDEX', 'INDEX IF NOT EXISTS')}`);
    await connection.command(`ALTER TABLE ${table} MATERIALIZE INDEX known`);
  }
  for (const gone of ['touched_of_feedback', 'touched_of_exposure', 'touched']) await connection.command(`DROP TABLE IF EXISTS ${gone}`);
};

const addLoggedTimes = async (connection: ClickhouseConnection): Promise<void> => {
  for (const table of ['feedback', 'exposure']) await connection.command(`ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${loggedColumn}`);
};

const shortenLetters = (connection: ClickhouseConnection): Promise<void> =>
  connection.command(`ALTER TABLE dead_letter MODIFY SETTING ${soonGone}`);

const upgrades: readonly Upgrade[] = [
  { step: 'deltas', run: fillDeltaTables },
  { step: 'known-index', run: indexKnownTimes },
  { step: 'logged-times', run: addLoggedTimes },
  { step: 'letters-soon-gone', run: shortenLetters },
];

const upgrade = async (connection: ClickhouseConnection): Promise<void> => {
  const done = new Set((await connection.rows<{ step: string }>('SELECT step FROM upgrade')).map(({ step }) => step));
  for (const { step, run } of upgrades) {
    if (done.has(step)) continue;
    await run(connection);
    await connection.insertObjects('upgrade', [{ step }]);
  }
};

/** Of looks whose process died: their names say nothing to anybody, and they take memory. */
const dropAbandonedLooks = async (connection: ClickhouseConnection): Promise<void> => {
  const abandoned = await connection.rows<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, '${LOOK}') AND metadata_modification_time < now() - INTERVAL 1 HOUR`,
  );
  for (const { name } of abandoned) await connection.command(`DROP TABLE IF EXISTS ${name}`);
};

const LOOK = 'look_';

interface LookTables {
  readonly units: string;
  readonly exposures: string;
  readonly events: string;
  readonly createUnits: string;
  /** @param withProperties  where units are told apart by a property of their exposure */
  createExposures(scopes: readonly bigint[], withProperties: boolean): string;
  /**
   * Of the units that have an exposure among those, not longer ago than an event counts.
   * @param scopes  with how long after an exposure their events count, null: for ever
   * @param maps  of properties, those that are looked into
   */
  createEvents(scopes: ReadonlyMap<bigint, number | null>, maps: readonly string[]): string;
}

interface Copied {
  readonly columns: string;
  readonly from: string;
  readonly scopes: readonly bigint[];
  /** A statement that gives the units. */
  readonly of: string;
}

/** The changed units of one look and their rows, without duplicates, in memory: dropped when it ends. */
export const lookTables = (id: string): LookTables => {
  const [units, exposures, events] = [`${LOOK}${id}_unit`, `${LOOK}${id}_exposure`, `${LOOK}${id}_event`];
  // FINAL would merge whole parts for a few rows. The lowest position wins here as there; duplicates share scope, unit and id, so that all of them are here.
  const rowsOf = ({ columns, from, scopes, of }: Copied) =>
    `SELECT ${columns} FROM ${from} PREWHERE scope IN (${scopes.join(', ') || '0'}) AND unit IN (${of})
  ORDER BY position LIMIT 1 BY scope, unit, id_hash`;
  const copy = (table: string, ...parts: readonly Copied[]) =>
    `CREATE TABLE ${table} ENGINE = Memory AS ${parts.map((part) => `(${rowsOf(part)})`).join(' UNION ALL ')}`;
  const all = `SELECT unit FROM ${units}`;
  const openFor = (afterUs: number | null) =>
    afterUs === null
      ? `SELECT unit FROM ${exposures}`
      : `SELECT unit FROM ${exposures} INNER JOIN ${units} USING unit WHERE event_at > at - ${afterUs}`;
  return {
    units,
    exposures,
    events,
    createUnits: `CREATE TABLE ${units} (unit UInt128, at Int64) ENGINE = Memory`,
    createExposures: (scopes, withProperties) => {
      const columns = 'scope, unit, id_hash, event_at, known_at, position, segment, variant, reason';
      // Those by unit have no properties: they are few and small.
      if (withProperties) return copy(exposures, { columns: `${columns}, strings, numbers, booleans`, from: 'exposure', scopes, of: all });
      return copy(exposures, { columns, from: 'exposure_by_unit', scopes, of: all });
    },
    createEvents: (scopes, maps) => {
      const columns = ['scope', 'unit', 'id_hash', 'event_at', 'known_at', 'position', 'value', ...maps].join(', ');
      const parts = [...new Set(scopes.values())].map((afterUs): Copied => {
        const those = [...scopes.keys()].filter((scope) => scopes.get(scope) === afterUs);
        return { columns, from: 'feedback', scopes: those, of: openFor(afterUs) };
      });
      return copy(events, ...(parts.length > 0 ? parts : [{ columns, from: 'feedback', scopes: [], of: all }]));
    },
  };
};

/** Which filling of the tables this is: named at the first start and after each reset. */
export const fillingOf = async (connection: ClickhouseConnection): Promise<string> => {
  const read = async () => (await connection.rows<{ id: string }>('SELECT id FROM filling ORDER BY made_at, id LIMIT 1'))[0]?.id;
  const found = await read();
  if (found !== undefined) return found;
  await connection.insertObjects('filling', [{ id: randomBytes(4).toString('hex') }]);
  return (await read()) ?? fillingOf(connection);
};
