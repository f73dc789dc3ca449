/** The feedback store as plain TypeScript: slow, and short enough to be read as the definition of what a sum is. Keeps its rows in memory. */
import type { InstantUs } from '@rampart/contracts';
import { bruteForceStrata, bruteForceSums, bruteForceTracked } from './definition/brute-force-sums.js';
import { neededSinceUs } from './definition/needed-rows.js';
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
import { scopesRead } from './look/clickhouse-changed-units.js';
import { comparedScopes, idHashOf, knownTimeOf, scopedName, scopeOf } from './row-identity.js';

export class MemoryFeedbackStore extends FeedbackStore {
  private rows = new Map<string, PlacedRow>();
  private stored = new Map<string, Progress>();
  private erased: Erased[] = [];
  private expired = new Map<bigint, InstantUs>();
  private id = 'memory0';
  private fillings = 0;

  async prepare(): Promise<void> {}

  async insert(rows: readonly PlacedRow[], progress: readonly Progress[]): Promise<void> {
    for (const placed of rows) {
      if (placed.row.kind === 'erasure') {
        this.erase(placed);
        continue;
      }
      const key = identityOf(placed);
      const earlier = this.rows.get(key);
      // The first arrival wins, whatever the other says.
      if (earlier === undefined || placed.position < earlier.position) this.rows.set(key, placed);
    }
    for (const one of progress) {
      const key = `${one.topic} ${one.partition}`;
      const before = this.stored.get(key);
      if (before === undefined || isLater(one, before)) this.stored.set(key, one);
    }
  }

  gather(): Gathering {
    const rows: PlacedRow[] = [];
    return { add: (more) => void rows.push(...more), insert: () => this.insert(rows, []) };
  }

  async progress(topic: string): Promise<readonly Progress[]> {
    return [...this.stored.values()].filter((one) => one.topic === topic).sort((a, b) => a.partition - b.partition);
  }

  async sums(query: ComparisonQuery): Promise<ComparisonSums> {
    return bruteForceSums(query, [...this.rows.values()]);
  }

  async mend(): Promise<readonly string[]> {
    return [];
  }

  async quantiles(query: ComparisonQuery): Promise<NonNullable<ComparisonSums['quantiles']>> {
    return bruteForceSums({ ...query, quantiles: true }, [...this.rows.values()]).quantiles ?? [];
  }

  async delta(queries: readonly ComparisonQuery[], sinceUs: InstantUs): Promise<readonly ComparisonSums[]> {
    untilOf(queries, sinceUs);
    const rows = [...this.rows.values()];
    return queries.map((query) => subtractSums(bruteForceSums(query, rows), bruteForceSums({ ...query, knownUntilUs: sinceUs }, rows)));
  }

  async strata(query: ComparisonQuery, property: string, limit: number): Promise<readonly StratumCount[]> {
    return bruteForceStrata(query, [...this.rows.values()], property, limit);
  }

  async tracked(query: ComparisonQuery): Promise<readonly TrackedCount[]> {
    return bruteForceTracked(query, [...this.rows.values()]);
  }

  async erasedUnits(query: ErasureQuery, sinceUs: InstantUs): Promise<number> {
    const scopes = new Set(comparedScopes(query));
    return new Set(this.erased.filter(({ scope, knownAtUs }) => scopes.has(scope) && knownAtUs > sinceUs).map(({ place }) => place)).size;
  }

  async lastErasureUs(): Promise<InstantUs | null> {
    return this.erased.length === 0 ? null : Math.max(...this.erased.map(({ knownAtUs }) => knownAtUs));
  }

  async outlived(erasures: readonly PlacedRow[]): Promise<readonly PlacedRow[]> {
    return erasures.filter((erasure) => [...this.rows.values()].some((found) => isTakenBy(erasure, found)));
  }

  async identity(): Promise<string> {
    return this.id;
  }

  async reset(): Promise<void> {
    this.rows.clear();
    this.stored.clear();
    this.erased = [];
    this.expired.clear();
    this.id = this.nextFilling();
  }

  async expire({ environments, beforeUs, open }: Expiry): Promise<void> {
    if (beforeUs === null) return;
    for (const [key, placed] of this.rows) {
      const { project, environment } = placed.row;
      if (!environments.some((one) => one.project === project && one.environment === environment)) continue;
      const scope = scopeOfRow(placed);
      const needed = open.filter((query) => scopesOf(query).includes(scope)).map(neededSinceUs);
      const until = Math.min(beforeUs, ...needed);
      if (knownTimeOf(placed) >= until) continue;
      this.expired.set(scope, Math.max(until, this.expired.get(scope) ?? 0));
      this.rows.delete(key);
    }
  }

  async expiredUntil(query: ComparisonQuery): Promise<InstantUs | null> {
    const found = scopesOf(query).flatMap((scope) => this.expired.get(scope) ?? []);
    return found.length === 0 ? null : Math.max(...found);
  }

  async beside(): Promise<FeedbackStore> {
    const beside = new MemoryFeedbackStore();
    beside.id = this.nextFilling();
    return beside;
  }

  async takeOver(beside: FeedbackStore): Promise<void> {
    if (!(beside instanceof MemoryFeedbackStore)) throw new RangeError('what takes over was filled beside this store');
    this.rows = beside.rows;
    this.stored = beside.stored;
    this.erased = beside.erased;
    this.expired = beside.expired;
    this.id = beside.id;
  }

  async servers(): Promise<readonly StoreServer[]> {
    return [{ version: 'memory', nowUs: Date.now() * 1_000, disks: [] }];
  }

  async close(): Promise<void> {}

  private nextFilling(): string {
    this.fillings++;
    return `memory${this.fillings}`;
  }

  private erase(erasure: PlacedRow): void {
    const { position, knownAtUs, partition = 0 } = erasure;
    for (const [key, found] of this.rows) {
      if (!isTakenBy(erasure, found)) continue;
      const { project, environment, kind, name, unitType } = found.row;
      this.rows.delete(key);
      const scope = scopeOf({ project, environment, name: scopedName(kind, name), unitType });
      this.erased.push({ scope, place: `${partition}/${position}`, knownAtUs });
    }
  }
}

/** A row that an erasure took, by its scope and the erasure's place. */
interface Erased {
  readonly scope: bigint;
  readonly place: string;
  readonly knownAtUs: InstantUs;
}

const isTakenBy = ({ row, position }: PlacedRow, found: PlacedRow): boolean =>
  found.position < position &&
  found.row.unit === row.unit &&
  found.row.project === row.project &&
  found.row.environment === row.environment;

const scopeOfRow = ({ row }: PlacedRow): bigint => scopeOf({ ...row, name: scopedName(row.kind, row.name) });

const scopesOf = (query: ComparisonQuery): readonly bigint[] => {
  const { exposures, events } = scopesRead([query]);
  return [...exposures, ...events];
};

const identityOf = ({ row }: PlacedRow): string =>
  [
    row.kind === 'import' ? 'import' : '',
    row.kind === 'exposure' || row.kind === 'assignment' ? 'exposure' : '',
    scopeOf({ ...row, name: scopedName(row.kind, row.name) }),
    row.unit,
    idHashOf(row),
  ].join(' ');

const isLater = (a: Progress, b: Progress): boolean =>
  a.generation > b.generation || (a.generation === b.generation && a.offset > b.offset);
