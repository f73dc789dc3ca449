/** Numbers of scopes and spaces, remembered; which scopes the store was told of; and how many rows of each a message brought. */
import type { FeedbackRow } from '@rampart/contracts';
import { scopedName, scopeOf, spaceOf } from '../row-identity.js';
import { RowBinaryWriter } from './clickhouse-row-binary.js';

export interface KnownScope {
  readonly space: bigint;
  readonly scope: bigint;
  readonly names: readonly [project: string, environment: string, name: string, unitType: string];
  isAnnounced: boolean;
  readonly arrivals: Map<bigint, Arrival>;
  last: Arrival | undefined;
}

interface Arrival {
  readonly message: bigint;
  readonly partition: number;
  rows: number;
}

type Tree<T> = Map<string, T>;

// Names come from senders: when there are too many, remembering starts anew.
const mostRemembered = 100_000;

export class ScopeMemory {
  private tree: Tree<Tree<Tree<Tree<Tree<KnownScope>>>>> = new Map();
  private spaces: Tree<bigint> = new Map();
  private all: KnownScope[] = [];

  of(row: FeedbackRow): KnownScope {
    const isExposure = row.kind === 'exposure' || row.kind === 'assignment';
    const byKind = branch(branch(branch(this.tree, row.project), row.environment), row.unitType);
    const byName = branch(byKind, isExposure ? row.kind : '');
    const found = byName.get(row.name);
    if (found !== undefined) return found;
    const name = scopedName(row.kind, row.name);
    const { project, environment, unitType } = row;
    const scope = scopeOf({ project, environment, name, unitType });
    const made: KnownScope = {
      space: this.spaceOf(project, environment),
      scope,
      names: [project, environment, name, unitType],
      isAnnounced: false,
      arrivals: new Map(),
      last: undefined,
    };
    byName.set(row.name, made);
    this.all.push(made);
    return made;
  }

  spaceOf(project: string, environment: string): bigint {
    const key = `${project}\0${environment}`;
    const found = this.spaces.get(key);
    if (found !== undefined) return found;
    const space = spaceOf(project, environment);
    this.spaces.set(key, space);
    return space;
  }

  /** Rows for the tables `scope` and `arrival` since the last time; forgets the arrivals. */
  taken(): { readonly scopes: RowBinaryWriter; readonly arrivals: RowBinaryWriter } {
    const scopes = new RowBinaryWriter(1024);
    const arrivals = new RowBinaryWriter(1024);
    for (const known of this.all) {
      if (!known.isAnnounced) writeScope(scopes, known);
      known.isAnnounced = true;
      for (const { message, partition, rows } of known.arrivals.values()) {
        arrivals.uint64(known.scope);
        arrivals.uint16(partition);
        arrivals.uint64(message);
        arrivals.uint32(rows);
      }
      known.arrivals.clear();
      known.last = undefined;
    }
    if (this.all.length > mostRemembered) this.forget();
    return { scopes, arrivals };
  }

  private forget(): void {
    this.tree = new Map();
    this.spaces = new Map();
    this.all = [];
  }
}

/** Rows of a message come together, so the last message is nearly always the right one. */
export const countArrival = (known: KnownScope, message: bigint, partition: number): void => {
  const { last } = known;
  if (last?.message === message && last.partition === partition) {
    last.rows++;
    return;
  }
  const key = (message << 16n) + BigInt(partition);
  const arrival = known.arrivals.get(key) ?? { message, partition, rows: 0 };
  arrival.rows++;
  known.arrivals.set(key, arrival);
  known.last = arrival;
};

const branch = <T>(tree: Tree<Tree<T>>, key: string): Tree<T> => {
  const found = tree.get(key);
  if (found !== undefined) return found;
  const made: Tree<T> = new Map();
  tree.set(key, made);
  return made;
};

const writeScope = (to: RowBinaryWriter, { space, scope, names }: KnownScope): void => {
  to.uint64(space);
  to.uint64(scope);
  for (const name of names) to.string(name);
};
