/**
 * The tables. Truth is `feedback` and `exposure`, one row for each unit reference of an event; the lowest position of an id wins, whatever a retry says.
 * No time is part of a sorting key: a retry may carry another, corrected time.
 */
import { randomBytes } from 'node:crypto';
import type { ClickhouseConnection } from '../clickhouse-connection.js';

const propertyColumns = `
  strings Map(LowCardinality(String), String),
  numbers Map(LowCardinality(String), Float64),
  booleans Map(LowCardinality(String), Bool),
  millionths Map(LowCardinality(String), Int64)`;

const rowColumns = `
  scope UInt64,
  unit UInt128,
  id_hash UInt128,
  space UInt64 CODEC(ZSTD(1)),
  event_at Int64 CODEC(ZSTD(1)),
  known_at Int64 CODEC(ZSTD(1)),
  position UInt64 CODEC(ZSTD(1)),
  digest UInt64 CODEC(NONE),
  key LowCardinality(String)`;

const firstArrivalWins = 'version UInt64 MATERIALIZED 18446744073709551615 - position CODEC(ZSTD(1))';

// An acknowledged insert must survive a power cut: the log's offsets are committed after it.
const durable = 'fsync_after_insert = 1, fsync_part_directory = 1';

const tables: readonly string[] = [
  `feedback (${rowColumns},
  kind Enum8('metric' = 1, 'feedback' = 2),
  value Nullable(Int64) CODEC(ZSTD(1)),${propertyColumns},
  ${firstArrivalWins}
) ENGINE = ReplacingMergeTree(version) ORDER BY (scope, unit, id_hash) SETTINGS ${durable}`,

  `exposure (${rowColumns},
  segment Nullable(UInt16),
  variant LowCardinality(String),
  reason LowCardinality(String),${propertyColumns},
  ${firstArrivalWins}
) ENGINE = ReplacingMergeTree(version) ORDER BY (scope, unit, id_hash) SETTINGS ${durable}`,

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

  // One row; concurrent first starts may write two, of which the earlier counts.
  `filling (id String, made_at DateTime64(6) DEFAULT now64(6)) ENGINE = MergeTree ORDER BY (made_at, id) SETTINGS ${durable}`,

  `progress (topic LowCardinality(String), partition UInt16, position UInt64, known_at Int64)
  ENGINE = ReplacingMergeTree(position) ORDER BY (topic, partition) SETTINGS ${durable}`,

  `ingest_count (space UInt64, at Int64, partition UInt16, position UInt64, key LowCardinality(String), kind LowCardinality(String),
  name LowCardinality(String), accepted UInt64, rejected Map(LowCardinality(String), UInt64))
  ENGINE = ReplacingMergeTree ORDER BY (space, at, partition, position)`,

  `dead_letter (space UInt64, position UInt64, partition UInt16, key String, code LowCardinality(String), path String, message String, received_at Int64,
  event_id Nullable(String), source Nullable(String), raw Nullable(String) CODEC(ZSTD(3)), topic String, place String)
  ENGINE = ReplacingMergeTree ORDER BY (space, position, partition)`,
];

const identityOf = (table: string): string =>
  `identity_of_${table} TO identity AS SELECT space, id_hash, min(digest) AS lowest, max(digest) AS highest FROM ${table} GROUP BY space, id_hash`;

const views: readonly string[] = [identityOf('feedback'), identityOf('exposure')];

export const prepareSchema = async (connection: ClickhouseConnection): Promise<void> => {
  await connection.command(`CREATE DATABASE IF NOT EXISTS ${connection.database}`, false);
  for (const table of tables) await connection.command(`CREATE TABLE IF NOT EXISTS ${table}`);
  for (const view of views) await connection.command(`CREATE MATERIALIZED VIEW IF NOT EXISTS ${view}`);
};

/** Which filling of the tables this is: named at the first start and after each reset. */
export const fillingOf = async (connection: ClickhouseConnection): Promise<string> => {
  const read = async () => (await connection.rows<{ id: string }>('SELECT id FROM filling ORDER BY made_at, id LIMIT 1'))[0]?.id;
  const found = await read();
  if (found !== undefined) return found;
  await connection.insertObjects('filling', [{ id: randomBytes(4).toString('hex') }]);
  return (await read()) ?? fillingOf(connection);
};

/** Everything that a rebuild from the log makes again. */
export const dropSchema = (connection: ClickhouseConnection): Promise<void> =>
  connection.command(`DROP DATABASE IF EXISTS ${connection.database} SYNC`, false);
