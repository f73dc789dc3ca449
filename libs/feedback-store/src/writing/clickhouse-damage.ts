/**
 * Parts that a full disk left damaged. A merge that runs out of room may still become a part, with empty files (seen with ClickHouse 26.7), and whatever reads it
 * fails (CORRUPTED_DATA). What it was merged from stays for eight minutes: a table that is loaded anew sets the damaged part aside and takes those. Later they
 * are gone, and so are the rows: nobody may then take the smaller sums for the sums.
 */
import type { ClickhouseConnection } from '../clickhouse-connection.js';
import { CORRUPTED_DATA } from '../store-error.js';

/** An error of before is no news to a process that starts. */
const RECENT_SECONDS = 600;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

interface Part {
  readonly table: string;
  readonly name: string;
  readonly partition: string;
  readonly first: string;
  readonly last: string;
}

export class ClickhouseDamage {
  /** How often each shard has said that data is corrupted, as far as it was seen to. */
  private readonly seen = new Map<ClickhouseConnection, number>();
  private inHand: Promise<readonly string[]> | undefined;

  constructor(private readonly shards: readonly ClickhouseConnection[]) {}

  /** @returns what could not be mended, a sentence each. @throws StoreError */
  mend(): Promise<readonly string[]> {
    this.inHand ??= Promise.all(this.shards.map((shard) => this.mendShard(shard)))
      .then((all) => all.flat())
      .finally(() => {
        this.inHand = undefined;
      });
    return this.inHand;
  }

  private async mendShard(shard: ClickhouseConnection): Promise<readonly string[]> {
    await attachLeft(shard);
    const table = await this.damagedTable(shard);
    if (table !== undefined) {
      await shard.command(`DETACH TABLE IF EXISTS ${table} SYNC`);
      await shard.command(`ATTACH TABLE IF NOT EXISTS ${table}`);
    }
    return judgeSetAside(shard);
  }

  private async damagedTable(shard: ClickhouseConnection): Promise<string | undefined> {
    const [found] = await shard.rows<{ times: string; message: string; ageSeconds: string }>(
      `SELECT toString(value) AS times, last_error_message AS message, toString(dateDiff('second', last_error_time, now())) AS ageSeconds FROM system.errors
  WHERE code = ${CORRUPTED_DATA} AND NOT remote ORDER BY value DESC LIMIT 1`,
    );
    const times = Number(found?.times ?? 0);
    const before = this.seen.get(shard);
    this.seen.set(shard, times);
    const isNews = before === undefined ? Number(found?.ageSeconds ?? Number.POSITIVE_INFINITY) <= RECENT_SECONDS : times !== before;
    const uuid = UUID.exec(found?.message ?? '')?.[0];
    if (times === 0 || !isNews || uuid === undefined) return undefined;
    const [table] = await shard.rows<{ name: string }>(
      'SELECT name FROM system.tables WHERE database = currentDatabase() AND uuid = {uuid:UUID}',
      {
        uuid,
      },
    );
    return table?.name;
  }
}

/** Of a process that died between the two. */
export const attachLeft = async (shard: ClickhouseConnection): Promise<void> => {
  const left = await shard.rows<{ table: string }>(
    'SELECT table FROM system.detached_tables WHERE database = currentDatabase() AND NOT is_permanently',
  );
  for (const { table } of left) await shard.command(`ATTACH TABLE IF NOT EXISTS ${table}`);
};

/** A damaged part whose sources are all there again is thrown away; one whose are not is told. */
const judgeSetAside = async (shard: ClickhouseConnection): Promise<readonly string[]> => {
  const columns = 'table, name, partition_id AS partition, toString(min_block_number) AS first, toString(max_block_number) AS last';
  const aside = await shard.rows<Part>(
    `SELECT ${columns} FROM system.detached_parts WHERE database = currentDatabase() AND startsWith(reason, 'broken')`,
  );
  if (aside.length === 0) return [];
  const active = await shard.rows<Part>(
    `SELECT ${columns} FROM system.parts WHERE database = currentDatabase() AND active AND table IN ({tables:Array(String)}) ORDER BY min_block_number`,
    { tables: [...new Set(aside.map(({ table }) => table))] },
  );
  const missing: string[] = [];
  for (const part of aside) {
    if (isCovered(part, active))
      await shard.command(`ALTER TABLE ${part.table} DROP DETACHED PART '${part.name}' SETTINGS allow_drop_detached = 1`);
    else missing.push(sentenceOf(part, shard));
  }
  return missing;
};

/** Whether parts that lie side by side, none missing in between, reach from its first block to its last. */
export const isCovered = ({ table, partition, first, last }: Part, active: readonly Part[]): boolean => {
  let next = BigInt(first);
  for (const part of active) {
    if (part.table !== table || part.partition !== partition || BigInt(part.last) < next) continue;
    if (BigInt(part.first) > next) return false;
    next = BigInt(part.last) + 1n;
    if (next > BigInt(last)) return true;
  }
  return false;
};

const sentenceOf = ({ table, name }: Part, { database }: ClickhouseConnection): string =>
  `ClickHouse set a damaged part of ${database}.${table} aside (${name}), and rows of it may be missing: \`npm run rampart -- rebuild\` fills the store anew from the log`;
