/** Reads a message of `feedback.v1`: checked once here, believed by everything behind. */
import { type FeedbackRow, MAX_ROWS_PER_MESSAGE, type PropertyValue, type RowKind } from '@rampart/contracts';
import type { LogMessage } from '@rampart/event-log';
import type { PlacedRow } from '@rampart/feedback-store';

/** Why a message cannot be read; without its contents, which are personal data. */
export class UnreadableMessage extends Error {
  override readonly name = 'UnreadableMessage';
}

/**
 * The rows of a message with their places; none of a tick.
 * @throws UnreadableMessage
 */
export const placedRows = ({ value, position, knownAtUs }: LogMessage, partition: number): readonly PlacedRow[] => {
  if (value === null) return [];
  const rows = parsed(value);
  if (!Array.isArray(rows)) throw new UnreadableMessage('is no JSON array');
  if (rows.length > MAX_ROWS_PER_MESSAGE) throw new UnreadableMessage(`has ${rows.length} rows, more than ${MAX_ROWS_PER_MESSAGE}`);
  return rows.map((row: unknown, index) => {
    const wrong = wrongField(row);
    if (wrong !== undefined) throw new UnreadableMessage(`row ${index} has a wrong ${wrong}`);
    return { row: row as FeedbackRow, position: position + BigInt(index), knownAtUs, partition };
  });
};

const parsed = (value: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'));
  } catch {
    throw new UnreadableMessage('is no JSON');
  }
};

const kinds: ReadonlySet<unknown> = new Set<RowKind>(['metric', 'feedback', 'exposure', 'assignment', 'import', 'erasure']);
const pseudonym = /^[0-9a-f]{32}$/;
const digest = /^[0-9a-f]{16}$/;
const integer = /^-?\d{1,19}$/;
const texts = ['project', 'environment', 'name', 'unitType', 'source', 'id', 'key'] as const;

/** Ingestion wrote the rows, so this is short: what a later stage would stumble over. */
const wrongField = (value: unknown): string | undefined => {
  if (typeof value !== 'object' || value === null) return 'shape';
  const row = value as Record<keyof FeedbackRow, unknown>;
  for (const name of texts) if (typeof row[name] !== 'string') return name;
  if (!kinds.has(row.kind)) return 'kind';
  if (!Number.isSafeInteger(row.at)) return 'at';
  if (row.knownAt !== undefined && !Number.isSafeInteger(row.knownAt)) return 'knownAt';
  if (typeof row.digest !== 'string' || !digest.test(row.digest)) return 'digest';
  if (row.kind === 'import') return undefined;
  if (!pseudonym.test(row.unit as string)) return 'unit';
  if (row.value !== undefined && (typeof row.value !== 'string' || !integer.test(row.value))) return 'value';
  if (row.properties !== undefined && !areProperties(row.properties)) return 'properties';
  return row.kind === 'exposure' || row.kind === 'assignment' ? wrongOfExposure(row) : undefined;
};

const wrongOfExposure = ({ variant, segment, reason }: Record<keyof FeedbackRow, unknown>): string | undefined => {
  if (typeof variant !== 'string') return 'variant';
  if (segment !== undefined && !(Number.isInteger(segment) && (segment as number) >= 0 && (segment as number) <= 65_535)) return 'segment';
  return reason === undefined || typeof reason === 'string' ? undefined : 'reason';
};

const areProperties = (value: unknown): value is Record<string, PropertyValue> =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((one) => typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean');
