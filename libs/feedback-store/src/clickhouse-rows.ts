/** Turns placed rows into the bytes of the tables that they belong to. */
import type { FeedbackRow, PropertyValue } from '@rampart/contracts';
import { RowBinaryWriter } from './clickhouse-row-binary.js';
import type { PlacedRow } from './feedback-store.js';
import { idHashOf, knownTimeOf, scopedName, scopeOf, spaceOf } from './row-identity.js';
import { millionthsOfProperty } from './selectors.js';

export interface EncodedTable {
  readonly table: string;
  readonly columns: readonly string[];
  readonly bytes: Uint8Array;
}

const commonColumns = ['scope', 'unit', 'id_hash', 'space', 'event_at', 'known_at', 'position', 'digest', 'key'];
const mapColumns = ['strings', 'numbers', 'booleans', 'millionths'];
const MESSAGE_BITS = 12n;
const mostScopesRemembered = 100_000;
const kinds = { metric: 1, feedback: 2 } as const;

export class RowEncoder {
  private readonly scopes = new Map<string, bigint>();
  private readonly spaces = new Map<string, bigint>();
  /** Scopes that the store was told of by this process. */
  private readonly announced = new Set<bigint>();

  /** Rows of the two large tables, and the small tables that go with them. */
  encode(rows: readonly PlacedRow[]): { readonly rows: readonly EncodedTable[]; readonly beside: readonly EncodedTable[] } {
    const feedback = new RowBinaryWriter(rows.length * 140 + 1024);
    const exposure = new RowBinaryWriter(1 << 16);
    const imports = new RowBinaryWriter(1024);
    const scopes = new RowBinaryWriter(1024);
    const arrivals = new Arrivals();
    for (const placed of rows) {
      const { row } = placed;
      const space = this.spaceOf(row);
      if (row.kind === 'import') writeImport(imports, space, placed);
      else {
        const scope = this.scopeOf(row, space, scopes);
        arrivals.count(scope, placed);
        if (row.kind === 'metric' || row.kind === 'feedback') writeFeedback(feedback, scope, space, placed);
        else writeExposure(exposure, scope, space, placed);
      }
    }
    const written = ({ bytes }: EncodedTable) => bytes.length > 0;
    return {
      rows: [
        { table: 'feedback', columns: [...commonColumns, 'kind', 'value', ...mapColumns], bytes: feedback.bytes() },
        { table: 'exposure', columns: [...commonColumns, 'segment', 'variant', 'reason', ...mapColumns], bytes: exposure.bytes() },
      ].filter(written),
      beside: [
        { table: 'scope', columns: ['space', 'scope', 'project', 'environment', 'name', 'unit_type'], bytes: scopes.bytes() },
        { table: 'import', columns: ['space', 'id_hash', 'until_at', 'logged_at', 'position'], bytes: imports.bytes() },
        { table: 'arrival', columns: ['scope', 'partition', 'message', 'rows'], bytes: arrivals.bytes() },
      ].filter(written),
    };
  }

  /** What was announced may be gone: after a failed insert, or when the tables were dropped. */
  forgetAnnounced(): void {
    this.announced.clear();
  }

  private spaceOf({ project, environment }: FeedbackRow): bigint {
    const text = `${project}\0${environment}`;
    const known = this.spaces.get(text);
    if (known !== undefined) return known;
    const space = spaceOf(project, environment);
    remember(this.spaces, text, space);
    return space;
  }

  private scopeOf(row: FeedbackRow, space: bigint, scopes: RowBinaryWriter): bigint {
    const name = scopedName(row.kind, row.name);
    const text = `${row.project}\0${row.environment}\0${name}\0${row.unitType}`;
    const known = this.scopes.get(text);
    const scope = known ?? scopeOf({ project: row.project, environment: row.environment, name, unitType: row.unitType });
    if (known === undefined) remember(this.scopes, text, scope);
    if (!this.announced.has(scope)) {
      if (this.announced.size >= mostScopesRemembered) this.announced.clear();
      this.announced.add(scope);
      scopes.uint64(space);
      scopes.uint64(scope);
      for (const part of [row.project, row.environment, name, row.unitType]) scopes.string(part);
    }
    return scope;
  }
}

const remember = (memory: Map<string, bigint>, text: string, value: bigint): void => {
  if (memory.size >= mostScopesRemembered) memory.clear();
  memory.set(text, value);
};

class Arrivals {
  private readonly counts = new Map<string, { scope: bigint; partition: number; message: bigint; rows: number }>();
  private last: { scope: bigint; partition: number; message: bigint; rows: number } | undefined;

  count(scope: bigint, { position, partition = 0 }: PlacedRow): void {
    const message = position >> MESSAGE_BITS;
    if (this.last?.message !== message || this.last.scope !== scope || this.last.partition !== partition) {
      const key = `${scope} ${partition} ${message}`;
      this.last = this.counts.get(key) ?? { scope, partition, message, rows: 0 };
      this.counts.set(key, this.last);
    }
    this.last.rows++;
  }

  bytes(): Uint8Array {
    const writer = new RowBinaryWriter(this.counts.size * 22 + 1);
    for (const { scope, partition, message, rows } of this.counts.values()) {
      writer.uint64(scope);
      writer.uint16(partition);
      writer.uint64(message);
      writer.uint32(rows);
    }
    return writer.bytes();
  }
}

const writeCommon = (to: RowBinaryWriter, scope: bigint, space: bigint, placed: PlacedRow): void => {
  const { row, position } = placed;
  to.uint64(scope);
  to.hex(row.unit, 16);
  to.latin1(idHashOf(row));
  to.uint64(space);
  to.safeInteger(row.at);
  to.safeInteger(knownTimeOf(placed));
  to.uint64(position);
  to.hex(row.digest, 8);
  to.string(row.key);
};

const writeFeedback = (to: RowBinaryWriter, scope: bigint, space: bigint, placed: PlacedRow): void => {
  const { row } = placed;
  writeCommon(to, scope, space, placed);
  to.uint8(row.kind === 'feedback' ? kinds.feedback : kinds.metric);
  to.uint8(row.value === undefined ? 1 : 0);
  if (row.value !== undefined) to.int64(BigInt(row.value));
  writeProperties(to, row.properties);
};

const writeExposure = (to: RowBinaryWriter, scope: bigint, space: bigint, placed: PlacedRow): void => {
  const { row } = placed;
  writeCommon(to, scope, space, placed);
  to.uint8(row.segment === undefined ? 1 : 0);
  if (row.segment !== undefined) to.uint16(row.segment);
  to.string(row.variant ?? '');
  to.string(row.reason ?? 'unknown');
  writeProperties(to, row.properties);
};

const writeImport = (to: RowBinaryWriter, space: bigint, { row, position, knownAtUs }: PlacedRow): void => {
  to.uint64(space);
  to.latin1(idHashOf(row));
  to.safeInteger(row.at);
  to.safeInteger(knownAtUs);
  to.uint64(position);
};

const writeProperties = (to: RowBinaryWriter, properties: FeedbackRow['properties']): void => {
  if (properties === undefined) {
    for (let map = 0; map < mapColumns.length; map++) to.varint(0);
    return;
  }
  const entries = Object.entries(properties);
  writeMap(to, entries, (value) => (typeof value === 'string' ? () => to.string(value) : undefined));
  writeMap(to, entries, (value) => (typeof value === 'number' ? () => to.float64(value) : undefined));
  writeMap(to, entries, (value) => (typeof value === 'boolean' ? () => to.uint8(value ? 1 : 0) : undefined));
  writeMap(to, entries, (value) => {
    const millionths = millionthsOfProperty(value);
    return millionths === undefined ? undefined : () => to.int64(millionths);
  });
};

const writeMap = (
  to: RowBinaryWriter,
  entries: readonly (readonly [string, PropertyValue])[],
  writerOf: (value: PropertyValue) => (() => void) | undefined,
): void => {
  const writers = entries.flatMap(([name, value]) => {
    const write = writerOf(value);
    return write === undefined ? [] : [{ name, write }];
  });
  to.varint(writers.length);
  for (const { name, write } of writers) {
    to.string(name);
    write();
  }
};
