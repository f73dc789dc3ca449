/**
 * The servers of a store: one, or a cluster over whose shards the rows are spread by unit. Tables lie in each server's own database; on a cluster a second
 * database has the same names for the rows of all shards together, so that one SQL serves both.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClickhouseConnection, type ConnectionOptions } from './clickhouse-connection.js';
import { StoreError } from './store-error.js';
import { exchangeTables, fillingOf, prepareDistributed, prepareSchema } from './writing/clickhouse-schema.js';

export interface ClickhouseOptions extends ConnectionOptions {
  /** `http://user:password@host:port`; of a cluster one for each shard, separated by commas. */
  readonly url: string;
  /** As the servers' configuration names it (`remote_servers`). Without it there is one server. */
  readonly cluster?: string | undefined;
}

const CLUSTER = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/;
const DEFAULT_DATABASE = 'rampart';
const ASKED_AGAIN_MS = 1_000;

export class ClickhouseServers {
  /** Each with its own rows. */
  readonly shards: readonly ClickhouseConnection[];
  /** Speaks for the rows of all shards. */
  readonly whole: ClickhouseConnection;
  readonly cluster: string | undefined;

  constructor({ url, cluster, database = DEFAULT_DATABASE, ...options }: ClickhouseOptions) {
    const urls = url.split(',').map((one) => one.trim());
    const [first = ''] = urls;
    if (cluster === undefined && urls.length > 1) throw new RangeError(`${urls.length} ClickHouse servers need the name of their cluster`);
    if (cluster !== undefined && !CLUSTER.test(cluster)) throw new RangeError(`cluster must match ${CLUSTER}, got "${cluster}"`);
    this.cluster = cluster;
    this.shards = urls.map((one) => new ClickhouseConnection({ ...options, url: one, database }));
    const [own] = this.shards;
    this.whole =
      cluster === undefined && own !== undefined
        ? own
        : new ClickhouseConnection({ ...options, url: first, database: `${database}_all`, ...sharedLimits });
  }

  /** The name of a table of each shard, wherever a statement runs. */
  local(table: string): string {
    return `${this.shards[0]?.database}.${table}`;
  }

  async prepare(): Promise<void> {
    const { cluster, shards } = this;
    await Promise.all(shards.map(prepareSchema));
    if (cluster === undefined) return;
    await Promise.all(shards.map((shard) => this.checkShards(shard, cluster)));
    await this.checkAddresses(cluster);
    await Promise.all(shards.map((shard) => prepareDistributed(shard, this.whole.database, cluster)));
  }

  /** Changes with that of any shard: one that lost its rows is to be filled again. */
  async filling(): Promise<string> {
    const fillings = await Promise.all(this.shards.map(fillingOf));
    const [only, ...others] = fillings;
    if (only !== undefined && others.length === 0) return only;
    if (new Set(fillings).size < fillings.length)
      throw new StoreError('two addresses of ClickHouse lead to the same server: give one for each shard', { retriable: false });
    return createHash('sha256').update(fillings.join()).digest('hex').slice(0, 8);
  }

  /** Where a store is filled beside this one. */
  get besideDatabase(): string {
    return `${this.shards[0]?.database}_beside`;
  }

  /** The tables of one name in `whole`, or of each shard, have these columns; computed ones left out. */
  async columnsOf(tables: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const [shard] = this.shards;
    const rows = await shard?.rows<{ table: string; columns: readonly string[] }>(
      `SELECT table, groupArray(name) AS columns FROM (SELECT * FROM system.columns WHERE database = currentDatabase() AND table IN ({tables:Array(String)})
  AND default_kind NOT IN ('MATERIALIZED', 'ALIAS') ORDER BY table, position) GROUP BY table`,
      { tables },
    );
    return new Map(rows?.map(({ table, columns }) => [table, columns]) ?? []);
  }

  /** The tables of both change places on every shard. */
  async exchange(other: ClickhouseServers): Promise<void> {
    await Promise.all(this.shards.map((shard, index) => exchangeTables(shard, other.shards[index]?.database ?? '')));
    await this.prepare();
  }

  /** Everything that a rebuild from the log makes again. */
  async drop(): Promise<void> {
    const databases = new Set([this.whole.database, ...this.shards.map(({ database }) => database)]);
    const drop = async (shard: ClickhouseConnection) => {
      for (const database of databases) await shard.command(`DROP DATABASE IF EXISTS ${database} SYNC`, { inDatabase: false });
    };
    await Promise.all(this.shards.map(drop));
  }

  async close(): Promise<void> {
    await Promise.all([...new Set([this.whole, ...this.shards])].map((connection) => connection.close()));
  }

  /** Rows go where the servers' configuration says and are counted at the addresses: other servers would have a part of the units, and sums nobody doubts. */
  private async checkAddresses(cluster: string): Promise<void> {
    if (await this.areOfCluster(cluster)) return;
    // A rebuild of another process may just be exchanging the tables.
    await sleep(ASKED_AGAIN_MS);
    if (await this.areOfCluster(cluster)) return;
    throw new StoreError(
      `the addresses of ClickHouse lead to other servers than the cluster "${cluster}" has (remote_servers): give the address of each of its shards`,
      { retriable: false },
    );
  }

  /** Servers are known by the table that each made for itself. */
  private async areOfCluster(cluster: string): Promise<boolean> {
    const tables = async (from: string) => {
      const statement = `SELECT toString(uuid) AS id FROM ${from} WHERE database = {database:String} AND name = 'filling' ORDER BY id SETTINGS skip_unavailable_shards = 0`;
      const asked = await Promise.all(this.shards.map((shard) => shard.rows<{ id: string }>(statement, { database: shard.database })));
      return asked.map((rows) => rows.map(({ id }) => id));
    };
    const [named, known] = await Promise.all([tables('system.tables'), tables(`cluster('${cluster}', system.tables)`)]);
    const own = named.flat().sort().join();
    return known.every((found) => found.join() === own);
  }

  /** A shard that nobody prepared would refuse rows for ever; a replica may lag behind what was acknowledged, and sums would move back. */
  private async checkShards(shard: ClickhouseConnection, cluster: string): Promise<void> {
    const [found] = await shard.rows<{ shards: string; servers: string }>(
      'SELECT toString(uniqExact(shard_num)) AS shards, toString(count()) AS servers FROM system.clusters WHERE cluster = {cluster:String}',
      { cluster },
    );
    const [shards, servers] = [Number(found?.shards ?? 0), Number(found?.servers ?? 0)];
    const refuse = (why: string) => new StoreError(`the ClickHouse cluster "${cluster}" ${why}`, { retriable: false });
    if (servers === 0) throw refuse('is not in the configuration of its servers (remote_servers)');
    if (servers > shards) throw refuse(`has ${servers} servers for ${shards} shards: replicas are not supported`);
    if (shards !== this.shards.length)
      throw refuse(`has ${shards} shards, and ${this.shards.length} addresses were given: give one for each`);
  }
}

/** What a part of the servers could answer is no answer, and what needs rows of two shards asks for them. */
const sharedLimits = { settings: { skip_unavailable_shards: 0, distributed_product_mode: 'global' } } as const;
