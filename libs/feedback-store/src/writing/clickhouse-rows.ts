/** Turns placed rows into the bytes of the tables that they belong to. */
import type { FeedbackRow, PropertyValue } from '@rampart/contracts';
import { millionthsOfProperty } from '../definition/selectors.js';
import type { PlacedRow } from '../feedback-store.js';
import { idHashOf, knownTimeOf } from '../row-identity.js';
import { RowBinaryWriter } from './clickhouse-row-binary.js';
import { countArrival, type KnownScope, ScopeMemory } from './clickhouse-scopes.js';

export interface EncodedTable {
  readonly table: string;
  readonly columns: readonly string[];
  readonly bytes: Uint8Array;
}

const commonColumns = ['scope', 'unit', 'id_hash', 'space', 'event_at', 'known_at', 'position', 'digest', 'key', 'logged_at'];
const mapColumns = ['strings', 'numbers', 'booleans', 'millionths'];
const MESSAGE_BITS = 12n;
const kinds = { metric: 1, feedback: 2 } as const;

/** Writes the rows of one insert after another, over the bytes of the one before. */
export class RowEncoder {
  private readonly scopes = new ScopeMemory();
  private readonly feedback = new RowBinaryWriter();
  private readonly exposure = new RowBinaryWriter();
  private readonly imports = new RowBinaryWriter(1024);

  /** @throws RangeError, SyntaxError for a row that has no bytes: what was written until then is of no use */
  add(rows: readonly PlacedRow[]): void {
    for (const placed of rows) {
      const { row } = placed;
      if (row.kind === 'import') {
        writeImport(this.imports, this.scopes.spaceOf(row.project, row.environment), placed);
        continue;
      }
      const scope = this.scopes.of(row);
      countArrival(scope, placed.position >> MESSAGE_BITS, placed.partition ?? 0);
      if (row.kind === 'metric' || row.kind === 'feedback') writeFeedback(this.feedback, scope, placed);
      else writeExposure(this.exposure, scope, placed);
    }
  }

  /** Rows of the two large tables, and the small tables that go with them: all that was added since `clear`. Once. */
  tables(): readonly EncodedTable[] {
    const { scopes, arrivals } = this.scopes.taken();
    return [
      { table: 'feedback', columns: [...commonColumns, 'kind', 'value', ...mapColumns], bytes: this.feedback.bytes() },
      { table: 'exposure', columns: [...commonColumns, 'segment', 'variant', 'reason', ...mapColumns], bytes: this.exposure.bytes() },
      { table: 'scope', columns: ['space', 'scope', 'project', 'environment', 'name', 'unit_type'], bytes: scopes.bytes() },
      { table: 'import', columns: ['space', 'id_hash', 'until_at', 'logged_at', 'position'], bytes: this.imports.bytes() },
      { table: 'arrival', columns: ['scope', 'partition', 'message', 'rows'], bytes: arrivals.bytes() },
    ].filter(({ bytes }) => bytes.length > 0);
  }

  /** The store has what was written; its bytes are written over. Scopes that it was told of stay known. */
  clear(): void {
    for (const writer of [this.feedback, this.exposure, this.imports]) writer.clear();
  }
}

const writeCommon = (to: RowBinaryWriter, { scope, space }: KnownScope, placed: PlacedRow): void => {
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
  to.safeInteger(row.knownAt === undefined ? 0 : placed.knownAtUs);
};

const writeFeedback = (to: RowBinaryWriter, scope: KnownScope, placed: PlacedRow): void => {
  const { row } = placed;
  writeCommon(to, scope, placed);
  to.uint8(row.kind === 'feedback' ? kinds.feedback : kinds.metric);
  to.uint8(row.value === undefined ? 1 : 0);
  if (row.value !== undefined) to.int64(BigInt(row.value));
  writeProperties(to, row.properties);
};

const writeExposure = (to: RowBinaryWriter, scope: KnownScope, placed: PlacedRow): void => {
  const { row } = placed;
  writeCommon(to, scope, placed);
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

/** One map for each type, and one of the exact values. */
const writeProperties = (to: RowBinaryWriter, properties: FeedbackRow['properties']): void => {
  if (properties === undefined) {
    to.uint32(0); // four empty maps
    return;
  }
  const names = Object.keys(properties);
  writeMap(to, names, properties, writeIfString);
  writeMap(to, names, properties, writeIfNumber);
  writeMap(to, names, properties, writeIfBoolean);
  writeMap(to, names, properties, writeIfExact);
};

type WriteIf = (to: RowBinaryWriter, name: string, value: PropertyValue) => boolean;

const writeMap = (
  to: RowBinaryWriter,
  names: readonly string[],
  properties: Readonly<Record<string, PropertyValue>>,
  write: WriteIf,
): void => {
  const counter = to.counter();
  let entries = 0;
  for (const name of names) {
    const value = properties[name];
    if (value !== undefined && write(to, name, value)) entries++;
  }
  to.setCounter(counter, entries);
};

const writeIfString: WriteIf = (to, name, value) => {
  if (typeof value !== 'string') return false;
  to.string(name);
  to.string(value);
  return true;
};

const writeIfNumber: WriteIf = (to, name, value) => {
  if (typeof value !== 'number') return false;
  to.string(name);
  to.float64(value);
  return true;
};

const writeIfBoolean: WriteIf = (to, name, value) => {
  if (typeof value !== 'boolean') return false;
  to.string(name);
  to.uint8(value ? 1 : 0);
  return true;
};

const writeIfExact: WriteIf = (to, name, value) => {
  const millionths = millionthsOfProperty(value);
  if (millionths === undefined) return false;
  to.string(name);
  to.int64(millionths);
  return true;
};
