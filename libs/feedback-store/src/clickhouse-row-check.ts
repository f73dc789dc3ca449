/**
 * Whether the rows of the store are those that the log has: the log's go into tables of the same kind beside the store's, and the engine holds one against the
 * other, units by stretches, so that memory is bounded whatever there is. What is beside it takes the room of the rows that are checked, and goes at the end.
 */
import type { FeedbackRow, InstantUs } from '@rampart/contracts';
import type { ClickhouseConnection } from './clickhouse-connection.js';
import { type ClickhouseOptions, ClickhouseServers } from './clickhouse-servers.js';
import type { ComparisonQuery, FeedbackStore, PlacedRow } from './feedback-store.js';
import { scopesRead } from './look/clickhouse-changed-units.js';
import { scopedName, scopeOf } from './row-identity.js';

export interface RowFinding {
  /** What the store has of it: other content, nothing, or a row that the log does not have. */
  readonly kind: 'altered' | 'missing' | 'too-many';
  readonly unit: string;
  /** The first 128 bits of SHA-256(source NUL id), as hex digits. */
  readonly idHash: string;
  /** Of the row in the log; null where it has none. */
  readonly position: bigint | null;
  /** Of an altered row. */
  readonly columns: readonly { readonly column: string; readonly store: string; readonly log: string }[];
}

export interface CheckedRange {
  /** Rows known before are not judged: the log, or the store, has been cut. */
  readonly sinceUs: InstantUs;
  readonly untilUs: InstantUs;
  readonly most: number;
}

const TABLES = {
  exposure: ['segment', 'variant', 'reason'],
  feedback: ['kind', 'value'],
} as const;
const COMMON = ['event_at', 'known_at', 'logged_at', 'position', 'digest', 'key', 'space', 'strings', 'numbers', 'booleans', 'millionths'];
/** When the log knew it. */
const KNOWN = 'if(logged_at = 0, known_at, logged_at)';
/** Compared in one statement; some 100 MB. */
const ROWS_AT_ONCE = 400_000;
const DAY_MS = 86_400_000;
const BESIDE = '_check_';

const unitOf = 'lower(hex(reinterpretAsFixedString(unit)))';
const idOf = 'lower(hex(reinterpretAsFixedString(id_hash)))';

export class ClickhouseRowCheck {
  private readonly servers: ClickhouseServers;
  private readonly beside: ClickhouseServers;
  private readonly told: FeedbackStore;
  private readonly scopes: ReadonlySet<bigint>;
  private readonly known = new Map<string, boolean>();

  /**
   * @param query  whose rows are checked: every row that its sums could come from
   * @param open  a store of the same kind, in another database
   */
  constructor(
    options: ClickhouseOptions,
    private readonly query: ComparisonQuery,
    open: (beside: ClickhouseOptions) => FeedbackStore,
    private readonly rowsAtOnce = ROWS_AT_ONCE,
    nowMs = Date.now(),
  ) {
    this.servers = new ClickhouseServers(options);
    const database = `${this.servers.shards[0]?.database}${BESIDE}${nowMs}`;
    this.beside = new ClickhouseServers({ ...options, database });
    this.told = open({ ...options, database });
    const { exposures, events } = scopesRead([query]);
    this.scopes = new Set([...exposures, ...events]);
  }

  async prepare(): Promise<void> {
    await this.dropAbandoned();
    await this.told.prepare();
  }

  /** Whether it belongs to what is checked. Erasures do, of the whole environment. */
  wants(row: FeedbackRow): boolean {
    const { project, environment } = this.query;
    if (row.project !== project || row.environment !== environment) return false;
    if (row.kind === 'erasure') return true;
    const name = scopedName(row.kind, row.name);
    const key = `${row.unitType}\0${name}`;
    const found = this.known.get(key) ?? this.scopes.has(scopeOf({ project, environment, name, unitType: row.unitType }));
    this.known.set(key, found);
    return found;
  }

  /** As the log has them; those that are wanted. */
  async tell(rows: readonly PlacedRow[]): Promise<void> {
    await this.told.insert(rows, []);
  }

  /** The first of what differs, at most `most`. */
  async found({ most, ...range }: CheckedRange): Promise<readonly RowFinding[]> {
    const findings: RowFinding[] = [];
    for (const [index, shard] of this.servers.shards.entries()) {
      const beside = this.beside.shards[index]?.database ?? '';
      for (const table of ['exposure', 'feedback'] as const)
        findings.push(...(await this.differing(shard, beside, table, { ...range, most: most - findings.length })));
    }
    return findings;
  }

  async close(): Promise<void> {
    try {
      await this.beside.drop();
    } finally {
      await Promise.all([this.servers.close(), this.beside.close(), this.told.close()]);
    }
  }

  private async differing(
    shard: ClickhouseConnection,
    beside: string,
    table: keyof typeof TABLES,
    { sinceUs, untilUs, most }: CheckedRange,
  ): Promise<readonly RowFinding[]> {
    const within = `scope IN (${[...this.scopes].join(', ') || '0'})`;
    const [size] = await shard.rows<{ rows: string }>(
      `SELECT toString(sum(rows)) AS rows FROM (SELECT count() AS rows FROM ${table} WHERE ${within} UNION ALL SELECT count() FROM ${beside}.${table} WHERE ${within})`,
    );
    const stretches = Math.ceil(Number(size?.rows ?? 0) / this.rowsAtOnce);
    const columns = [...COMMON, ...TABLES[table]];
    const findings: RowFinding[] = [];
    for (let stretch = 0; stretch < stretches && findings.length < most; stretch += 1) {
      const side = (database: string, isTold: 0 | 1) =>
        `SELECT scope, unit, id_hash, position, ${KNOWN} AS known, SHA256(toString(tuple(${columns.join(', ')}))) AS said, ${isTold} AS isTold
  FROM ${database}.${table} FINAL WHERE ${within} AND cityHash64(unit) % ${stretches} = ${stretch}`;
      const rows = await shard.rows<Differing>(
        `SELECT toString(scope) AS inScope, ${unitOf} AS ofUnit, ${idOf} AS ofId, toString(countIf(isTold = 0)) AS kept, toString(countIf(isTold = 1)) AS told,
  toString(minIf(position, isTold = 1)) AS toldAt
  FROM (${side(shard.database, 0)} UNION ALL ${side(beside, 1)}) GROUP BY scope, unit, id_hash
  HAVING (countIf(isTold = 0) != 1 OR countIf(isTold = 1) != 1 OR uniqExact(said) > 1) AND min(known) >= ${sinceUs} AND min(known) <= ${untilUs}
  ORDER BY min(known), ofUnit, ofId LIMIT ${most - findings.length}`,
      );
      for (const row of rows) findings.push(await finding(shard, beside, table, columns, row));
    }
    return findings;
  }

  /** Of checks whose process died. */
  private async dropAbandoned(): Promise<void> {
    const prefix = `${this.servers.shards[0]?.database}${BESIDE}`;
    for (const shard of this.servers.shards) {
      const rows = await shard.rows<{ name: string }>(`SELECT name FROM system.databases WHERE startsWith(name, {prefix:String})`, {
        prefix,
      });
      for (const { name } of rows) {
        const [, startedAt] = /^(\d+)(?:_all)?$/.exec(name.slice(prefix.length)) ?? [];
        if (startedAt !== undefined && Number(startedAt) < Date.now() - DAY_MS)
          await shard.command(`DROP DATABASE IF EXISTS ${name} SYNC`, { inDatabase: false });
      }
    }
  }
}

interface Differing {
  readonly inScope: string;
  readonly ofUnit: string;
  readonly ofId: string;
  readonly kept: string;
  readonly told: string;
  readonly toldAt: string;
}

const finding = async (
  shard: ClickhouseConnection,
  beside: string,
  table: string,
  columns: readonly string[],
  { inScope, ofUnit, ofId, kept, told, toldAt }: Differing,
): Promise<RowFinding> => {
  const place = { unit: ofUnit, idHash: ofId };
  if (told === '0') return { kind: 'too-many', ...place, position: null, columns: [] };
  if (kept === '0') return { kind: 'missing', ...place, position: BigInt(toldAt), columns: [] };
  const [store, log] = await Promise.all(
    [shard.database, beside].map(async (database) => {
      const texts = columns.map((column) => `ifNull(toString(${column}), 'null')`).join(', ');
      const [row] = await shard.rows<{ texts: readonly string[] }>(
        `SELECT [${texts}] AS texts FROM ${database}.${table} FINAL WHERE scope = ${inScope}
  AND unit = reinterpretAsUInt128(unhex('${ofUnit}')) AND id_hash = reinterpretAsUInt128(unhex('${ofId}'))`,
      );
      return row?.texts ?? [];
    }),
  );
  const differing = columns.flatMap((column, index) => {
    const [inStore = '', inLog = ''] = [store?.[index], log?.[index]];
    return inStore === inLog ? [] : [{ column, store: inStore, log: inLog }];
  });
  return { kind: 'altered', ...place, position: BigInt(toldAt), columns: differing };
};
