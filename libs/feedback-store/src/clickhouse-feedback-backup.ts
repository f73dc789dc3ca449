/** The rows of the feedback store out of ClickHouse while it is written to, and back into an empty one, of as many shards as you like. */
import type { Readable } from 'node:stream';
import { type ClickhouseOptions, ClickhouseServers } from './clickhouse-servers.js';

import { StoreError } from './store-error.js';

export interface StoreTable {
  readonly table: string;
  readonly columns: readonly string[];
}

/** A table that may be large is read in pieces along its key: the first column as it is, the second in stretches. */
interface KeyedTable {
  readonly table: string;
  readonly by?: readonly [first: string, second: string];
}

/** What views fill (by unit, by time, by the hour) follows from these. */
const tables: readonly KeyedTable[] = [
  { table: 'scope' },
  { table: 'feedback', by: ['scope', 'unit'] },
  { table: 'exposure', by: ['scope', 'unit'] },
  // They outlive rows that merges dropped.
  { table: 'identity', by: ['space', 'id_hash'] },
  { table: 'arrival', by: ['scope', 'message'] },
  { table: 'import' },
  { table: 'expired' },
  { table: 'erased' },
  { table: 'ingest_count', by: ['space', 'at'] },
  { table: 'dead_letter', by: ['space', 'position'] },
];

/** In memory at once, some 25 MB. */
const ROWS_AT_ONCE = 250_000;

export class ClickhouseFeedbackBackup {
  private readonly servers: ClickhouseServers;

  constructor(
    options: ClickhouseOptions,
    private readonly rowsAtOnce = ROWS_AT_ONCE,
  ) {
    this.servers = new ClickhouseServers(options);
  }

  async engine(): Promise<string> {
    const [row] = await this.servers.whole.rows<{ version: string }>('SELECT version() AS version');
    return row?.version ?? '';
  }

  /** Table by table, a table in pieces that belong together in this order. Rows that come meanwhile may be in it. */
  async *read(): AsyncGenerator<StoreTable & { readonly rows: AsyncIterable<Buffer> }> {
    const columns = await this.servers.columnsOf(tables.map(({ table }) => table));
    for (const keyed of tables) {
      const { table } = keyed;
      const names = columns.get(table);
      if (names === undefined) throw new StoreError(`the store has no table ${table}: start analysis once`, { retriable: false });
      yield { table, columns: names, rows: this.pieces(keyed, names) };
    }
  }

  /** Whether nobody has stored anything yet. */
  async isEmpty(): Promise<boolean> {
    for (const { table } of [...tables, { table: 'progress' }]) {
      const [row] = await this.servers.whole.rows<{ rows: string }>(`SELECT toString(count()) AS rows FROM ${this.place(table)}`);
      if (Number(row?.rows ?? 0) > 0) return false;
    }
    return true;
  }

  async write({ table, columns }: StoreTable, rows: Readable): Promise<void> {
    if (!tables.some((one) => one.table === table)) throw new StoreError(`a backup has no table ${table}`, { retriable: false });
    await this.servers.whole.insertNative(table, columns, rows);
  }

  async close(): Promise<void> {
    await this.servers.close();
  }

  /** Progress lies on each shard; the first has it whenever another has. */
  private place(table: string): string {
    return table === 'progress' ? this.servers.local(table) : table;
  }

  private async *pieces({ table, by }: KeyedTable, columns: readonly string[]): AsyncGenerator<Buffer> {
    const { whole } = this.servers;
    const select = `SELECT ${columns.join(', ')} FROM ${table}`;
    if (by === undefined) {
      yield await whole.native(select);
      return;
    }
    const [first, second] = by;
    const groups = await whole.rows<{ key: string; found: string; least: string; greatest: string }>(
      `SELECT toString(${first}) AS key, toString(count()) AS found, toString(min(${second})) AS least, toString(max(${second})) AS greatest
FROM ${table} GROUP BY ${first} ORDER BY ${first}`,
    );
    for (const { key, found, least, greatest } of groups)
      for (const [from, to] of stretches(BigInt(least), BigInt(greatest), Math.ceil(Number(found) / this.rowsAtOnce)))
        yield await whole.native(`${select} WHERE ${first} = ${key} AND ${second} >= ${literal(from)} AND ${second} <= ${literal(to)}`);
  }
}

/** Of the type that the key has, so that it is used: only numbers of 128 bits need a name for theirs. */
const literal = (number: bigint): string => (number >> 64n > 0n ? `toUInt128('${number}')` : `${number}`);

/** Of about equal length, from the least to the greatest: what comes meanwhile is not asked for. */
const stretches = (least: bigint, greatest: bigint, count: number): readonly (readonly [bigint, bigint])[] => {
  const length = greatest - least + 1n;
  const edges = Array.from({ length: count + 1 }, (_, index) => least + (length * BigInt(index)) / BigInt(count));
  return edges.slice(0, -1).map((from, index) => [from, (edges[index + 1] ?? greatest + 1n) - 1n]);
};
