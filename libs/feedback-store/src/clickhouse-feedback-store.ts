/** The feedback store on ClickHouse, embedded, a server, or a cluster: the same SQL. */
import type { InstantUs } from '@rampart/contracts';
import type { ClickhouseConnection } from './clickhouse-connection.js';
import { type ClickhouseOptions, ClickhouseServers } from './clickhouse-servers.js';
import { subtractSums } from './definition/sums-arithmetic.js';
import {
  type ComparisonQuery,
  type ComparisonSums,
  type ErasureQuery,
  type Expiry,
  FeedbackStore,
  type Gathering,
  type PlacedRow,
  type Progress,
  type StoreServer,
  type StratumCount,
  type TrackedCount,
  untilOf,
} from './feedback-store.js';
import { answersTo, quantilesOf, strataOf, trackedOf } from './look/clickhouse-answers.js';
import { type CappedQuery, ClickhouseCaps, isSameCaps, withCaps } from './look/clickhouse-caps.js';
import { type DeltaOptions, deltaOf } from './look/clickhouse-delta.js';
import { groupOf } from './statement/clickhouse-query-group.js';
import { comparisonSums } from './statement/clickhouse-sums-rows.js';
import { everything } from './statement/clickhouse-units-statement.js';
import { StoreError } from './store-error.js';
import { ClickhouseDamage } from './writing/clickhouse-damage.js';
import { erasedUnits, eraseUnits, lastErasureUs, outlivedErasures } from './writing/clickhouse-erasure.js';
import { expiredUntil, expireRows } from './writing/clickhouse-expiry.js';
import { RowBinaryWriter } from './writing/clickhouse-row-binary.js';
import { type EncodedTable, RowEncoder } from './writing/clickhouse-rows.js';
import { largeTables } from './writing/clickhouse-schema.js';

const OFFSET_BITS = 44n;
/** That wait for their next insert: one is filled while two are underway. */
const MOST_ENCODERS = 3;
const nothing: ComparisonSums = { cells: [], population: [], lateExposures: 0, crossedLate: 0 };

export class ClickhouseFeedbackStore extends FeedbackStore {
  private readonly connections: ClickhouseServers;
  /**
   * Of inserts that have ended. Each knows which scopes it told the store of, and keeps megabytes that would else outlive their insert, and wait for V8 to
   * collect what is old.
   */
  private encoders: RowEncoder[] = [];
  private readonly caps: ClickhouseCaps;
  private readonly damage: ClickhouseDamage;

  constructor(
    private readonly options: ClickhouseOptions,
    private readonly deltas: DeltaOptions = {},
  ) {
    super();
    this.connections = new ClickhouseServers(options);
    this.caps = new ClickhouseCaps(this.connections);
    this.damage = new ClickhouseDamage(this.connections.shards);
  }

  async prepare(): Promise<void> {
    await this.connections.prepare();
  }

  async insert(rows: readonly PlacedRow[], progress: readonly Progress[]): Promise<void> {
    for (const part of inTurn(rows)) {
      if (part[0]?.row.kind === 'erasure') await eraseUnits(this.connections, part);
      else if (part.length > 0) await this.insertRows(part);
    }
    await this.insertProgress(progress);
  }

  gather(): Gathering {
    const { encoders } = this;
    const encoder = encoders.pop() ?? new RowEncoder();
    return {
      add: (rows) => addTo(encoder, rows),
      insert: async () => {
        // One whose insert failed is dropped: the store may not know what it was told.
        await allEnded(encoder.tables().map(({ table, columns, bytes }) => this.connections.whole.insert(table, columns, bytes)));
        encoder.clear();
        if (encoders.length < MOST_ENCODERS) encoders.push(encoder);
      },
    };
  }

  /** Of a cluster what every shard has: one that lost its rows holds everything back until it is filled again. */
  async progress(topic: string): Promise<readonly Progress[]> {
    const [first = [], ...others] = await Promise.all(this.connections.shards.map((shard) => progressOf(shard, topic)));
    return first.flatMap((progress) => {
      const elsewhere = others.map((all) => all.find(({ partition }) => partition === progress.partition));
      return elsewhere.some((one) => one === undefined) ? [] : [elsewhere.reduce<Progress>(lower, progress)];
    });
  }

  mend(): Promise<readonly string[]> {
    return this.damage.mend();
  }

  async sums(query: ComparisonQuery): Promise<ComparisonSums> {
    return this.capped(await this.caps.of(query));
  }

  async quantiles(query: ComparisonQuery): Promise<NonNullable<ComparisonSums['quantiles']>> {
    return quantilesOf(this.connections, query);
  }

  private async capped({ query, caps }: CappedQuery): Promise<ComparisonSums> {
    const group = groupOf([query]);
    const [counted = nothing] = comparisonSums(group, await answersTo(this.connections, group, everything));
    const sums = withCaps(counted, caps);
    return query.quantiles === true ? { ...sums, quantiles: await quantilesOf(this.connections, query) } : sums;
  }

  async delta(queries: readonly ComparisonQuery[], sinceUs: InstantUs): Promise<readonly ComparisonSums[]> {
    if (untilOf(queries, sinceUs) === sinceUs || queries.length === 0) return queries.map(() => nothing);
    const asked: { readonly later: CappedQuery; readonly before: CappedQuery }[] = [];
    for (const query of queries)
      asked.push({ before: await this.caps.of({ ...query, knownUntilUs: sinceUs }), later: await this.caps.of(query) });
    // Caps that moved move the totals of units of which nothing new is known: such a query is counted twice.
    const moving = asked.filter(({ before, later }) => isSameCaps(before.caps, later.caps));
    const moved = await deltaOf(
      this.connections,
      moving.map(({ later }) => later.query),
      { ...this.deltas, sinceUs },
    );
    const deltas = new Map(moving.map(({ later }, place) => [later, withCaps(moved[place] ?? nothing, later.caps)]));
    return Promise.all(
      asked.map(async ({ before, later }) => deltas.get(later) ?? subtractSums(await this.capped(later), await this.capped(before))),
    );
  }

  strata(query: ComparisonQuery, property: string, limit: number): Promise<readonly StratumCount[]> {
    return strataOf(this.connections, query, property, limit);
  }

  tracked(query: ComparisonQuery): Promise<readonly TrackedCount[]> {
    return query.metrics.length === 0 ? Promise.resolve([]) : trackedOf(this.connections, query);
  }

  erasedUnits(query: ErasureQuery, sinceUs: InstantUs): Promise<number> {
    return erasedUnits(this.connections, query, sinceUs);
  }

  lastErasureUs(): Promise<InstantUs | null> {
    return lastErasureUs(this.connections);
  }

  outlived(erasures: readonly PlacedRow[]): Promise<readonly PlacedRow[]> {
    return outlivedErasures(this.connections, erasures);
  }

  identity(): Promise<string> {
    return this.connections.filling();
  }

  async reset(): Promise<void> {
    await this.connections.drop();
    this.forgetScopes();
    this.caps.forget();
    await this.prepare();
  }

  expire(expiry: Expiry): Promise<void> {
    return expireRows(this.connections, expiry);
  }

  expiredUntil(query: ComparisonQuery): Promise<InstantUs | null> {
    return expiredUntil(this.connections, query);
  }

  async beside(): Promise<ClickhouseFeedbackStore> {
    const beside = new ClickhouseFeedbackStore({ ...this.options, database: this.connections.besideDatabase }, this.deltas);
    await beside.reset();
    return beside;
  }

  async takeOver(beside: FeedbackStore): Promise<void> {
    if (!(beside instanceof ClickhouseFeedbackStore)) throw new RangeError('what takes over was filled beside this store');
    await this.connections.exchange(beside.connections);
    this.forgetScopes();
    this.caps.forget();
    await beside.connections.drop();
  }

  /** Merges all parts now, as the engine does by itself in time: no sum changes. */
  async merge(): Promise<void> {
    for (const shard of this.connections.shards) for (const table of largeTables) await shard.command(`OPTIMIZE TABLE ${table} FINAL`);
  }

  servers(): Promise<readonly StoreServer[]> {
    return Promise.all(this.connections.shards.map(serverOf));
  }

  async close(): Promise<void> {
    await this.connections.close();
  }

  private async insertRows(rows: readonly PlacedRow[]): Promise<void> {
    const gathering = this.gather();
    gathering.add(rows);
    await gathering.insert();
  }

  private async insertProgress(progress: readonly Progress[]): Promise<void> {
    if (progress.length === 0) return;
    // Last, so that the watermark never runs ahead of the rows it speaks for.
    const { table, columns, bytes } = progressTable(progress);
    await Promise.all(this.connections.shards.map((shard) => shard.insert(table, columns, bytes)));
  }

  /** Those in use put themselves back into the old list. */
  private forgetScopes(): void {
    this.encoders = [];
  }
}

/** Whatever becomes of one, nothing is on its way any more: rows must not arrive behind the erasure that comes next. @throws what is final rather than what is not */
const allEnded = async (inserts: readonly Promise<void>[]): Promise<void> => {
  const ended = await Promise.allSettled(inserts);
  const reasons = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  const [first] = reasons;
  if (first !== undefined) throw reasons.find((reason) => reason instanceof StoreError && !reason.retriable) ?? first;
};

const addTo = (encoder: RowEncoder, rows: readonly PlacedRow[]): void => {
  try {
    encoder.add(rows);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof SyntaxError)) throw error;
    throw new StoreError(`a row cannot be stored: ${error instanceof RangeError ? error.message : 'a value is no integer'}`, {
      retriable: false,
    });
  }
};

/**
 * The rows in their order, cut where erasures begin and end: a row that comes after its unit's erasure must not meet the erased ones in one insert, where the
 * lowest position would win and be erased with the other.
 */
const inTurn = (rows: readonly PlacedRow[]): readonly (readonly PlacedRow[])[] => {
  if (!rows.some(({ row }) => row.kind === 'erasure')) return [rows];
  const parts: PlacedRow[][] = [];
  for (const row of rows) {
    const last = parts.at(-1);
    if (last !== undefined && (last[0]?.row.kind === 'erasure') === (row.row.kind === 'erasure')) last.push(row);
    else parts.push([row]);
  }
  return parts;
};

const serverOf = async (shard: ClickhouseConnection): Promise<StoreServer> => {
  const [[about], disks] = await Promise.all([
    shard.rows<{ version: string; now: string }>('SELECT version() AS version, toString(toUnixTimestamp64Micro(now64(6))) AS now'),
    shard.rows<{ path: string; free: string; total: string }>(
      'SELECT path, toString(unreserved_space) AS free, toString(total_space) AS total FROM system.disks',
    ),
  ]);
  return {
    version: about?.version ?? '',
    nowUs: Number(about?.now ?? 0),
    disks: disks.map(({ path, free, total }) => ({ path, freeBytes: Number(free), totalBytes: Number(total) })),
  };
};

const progressOf = async (shard: ClickhouseConnection, topic: string): Promise<readonly Progress[]> => {
  const rows = await shard.rows<{ partition: number; position: string; known_at: string }>(
    'SELECT partition, toString(position) AS position, toString(known_at) AS known_at FROM progress FINAL WHERE topic = {topic:String} ORDER BY partition',
    { topic },
  );
  return rows.map(({ partition, position, known_at }) => ({
    topic,
    partition,
    generation: Number(BigInt(position) >> OFFSET_BITS),
    offset: BigInt.asUintN(Number(OFFSET_BITS), BigInt(position)),
    knownAtUs: Number(known_at) as InstantUs,
  }));
};

const lower = (a: Progress, b: Progress | undefined): Progress =>
  b === undefined || a.generation < b.generation || (a.generation === b.generation && a.offset <= b.offset) ? a : b;

const progressTable = (progress: readonly Progress[]): EncodedTable => {
  const writer = new RowBinaryWriter(progress.length * 64);
  for (const { topic, partition, generation, offset, knownAtUs } of progress) {
    writer.string(topic);
    writer.uint16(partition);
    writer.uint64((BigInt(generation) << OFFSET_BITS) + offset);
    writer.safeInteger(knownAtUs);
  }
  return { table: 'progress', columns: ['topic', 'partition', 'position', 'known_at'], bytes: writer.bytes() };
};
