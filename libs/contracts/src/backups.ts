/** A backup: how its tables travel, one after another in one stream, and how they lie in a folder, each with the digest that it must have. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { canonicalJson } from './canonical-json.js';

const name = z.string().regex(/^[a-z][a-z0-9_]{0,62}$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Of PostgreSQL or of the feedback store; rows as their engine writes them in binary. */
const backedTable = z.strictObject({ schema: name, table: name, columns: z.array(name).min(1) });
export type BackedTable = z.infer<typeof backedTable>;

const position = z.strictObject({ topic: z.string(), partition: z.int(), generation: z.int(), offset: z.string().regex(/^\d+$/) });

/** A topic whose messages are a table of the schema `kafka`. Partitions in order: the first offset that is there, and the next to come. */
const copiedTopic = z.strictObject({
  topic: z.string(),
  table: name,
  compacted: z.boolean(),
  partitions: z.array(z.strictObject({ earliest: z.int(), end: z.int() })).min(1),
});

/** What the history's tables are of. */
const historyAbout = z.strictObject({
  log: z.enum(['postgres', 'kafka']),
  /** By which the tables were made: others would not take the rows. */
  versions: z.array(z.string()),
  /** Of the platform's secret: with another one no unit would be known again. */
  secretFingerprint: z.string(),
  /** Where each partition of the log ended, a moment before. */
  ends: z.array(position),
  /** Of a log on Kafka: what of it is in the backup. Nothing where it was left to Kafka, or is among the tables. */
  copied: z.array(copiedTopic),
});
/** What the store's tables are of: up to and including these messages, whatever else is in them. */
const storeAbout = z.strictObject({ engine: z.string(), progress: z.array(position.extend({ knownAtUs: z.int() })) });
export type HistoryAbout = z.infer<typeof historyAbout>;
export type StoreAbout = z.infer<typeof storeAbout>;

const header = z.discriminatedUnion('part', [
  z.strictObject({ part: z.literal('history'), about: historyAbout }),
  z.strictObject({ part: z.literal('store'), about: storeAbout }),
  z.strictObject({ part: z.literal('table'), ...backedTable.shape }),
  z.strictObject({ part: z.literal('end') }),
]);
export type BackupHeader = z.infer<typeof header>;

const manifestFields = z.strictObject({
  format: z.literal(1),
  takenAt: z.string(),
  history: historyAbout,
  store: storeAbout,
  tables: z.array(backedTable.extend({ of: z.enum(['history', 'store']), file: z.string() })),
  /** Everything in the folder but the manifest. */
  files: z.array(z.strictObject({ file: z.string().regex(/^[\w.-]+(\/[\w.-]+)?$/), bytes: z.int(), sha256 })),
});
export type BackupManifest = z.infer<typeof manifestFields>;
export type ManifestTable = BackupManifest['tables'][number];

/** What is in the folder is no backup, or not the one that was taken. */
export class BackupDamaged extends Error {
  override readonly name = 'BackupDamaged';
}

export const MANIFEST = 'manifest.json';

// A frame: one byte that says what it is, four for its length, its bytes.
const [HEADER, BYTES] = [0x48, 0x42];
const longestFrame = 64 * 2 ** 20;

const frame = (kind: number, bytes: Uint8Array): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt8(kind, 0);
  head.writeUInt32BE(bytes.byteLength, 1);
  return Buffer.concat([head, bytes]);
};

export const headerFrame = (one: BackupHeader): Buffer => frame(HEADER, Buffer.from(JSON.stringify(one)));
export const bytesFrame = (bytes: Uint8Array): Buffer => frame(BYTES, bytes);

/** @throws BackupDamaged where it is no stream of frames, or ends before its end */
export async function* readFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<BackupHeader | Uint8Array> {
  let held = Buffer.alloc(0);
  let isOver = false;
  for await (const chunk of source) {
    held = held.byteLength === 0 ? Buffer.from(chunk) : Buffer.concat([held, chunk]);
    while (held.byteLength >= 5) {
      const [kind, length] = [held.readUInt8(0), held.readUInt32BE(1)];
      if (isOver || (kind !== HEADER && kind !== BYTES) || length > longestFrame)
        throw new BackupDamaged('what was sent is no backup: another service answered, or another version');
      if (held.byteLength < 5 + length) break;
      const content = held.subarray(5, 5 + length);
      held = held.subarray(5 + length);
      if (kind === BYTES) yield content;
      else {
        const one = header.parse(JSON.parse(content.toString('utf8')));
        isOver = one.part === 'end';
        yield one;
      }
    }
  }
  if (!isOver || held.byteLength > 0) throw new BackupDamaged('it broke off before its end: the service or its engine went away');
}

const digestOf = (fields: unknown): string => createHash('sha256').update(canonicalJson(fields)).digest('hex');

export const manifestText = (fields: BackupManifest): string =>
  `${JSON.stringify({ ...fields, digest: digestOf(fields) }, undefined, 2)}\n`;

/** Of the platform's secret, to know it again without having it. */
export const secretFingerprint = (secret: string): string =>
  createHash('sha256').update(`rampart backup of ${secret}`).digest('hex').slice(0, 16);

/**
 * Reads every byte of it before anybody uses one.
 * @throws BackupDamaged with the file that is not what it was
 */
export const checkedBackup = async (folder: string): Promise<BackupManifest> => {
  const path = join(folder, MANIFEST);
  if (!existsSync(path)) throw new BackupDamaged(`${folder} is no whole backup: it has no ${MANIFEST}, which is written last.`);
  const manifest = manifestIn(readFileSync(path, 'utf8'), path);
  for (const { file, bytes, sha256: expected } of manifest.files) await checkFile(join(folder, file), file, bytes, expected);
  return manifest;
};

const manifestIn = (text: string, path: string): BackupManifest => {
  try {
    const { digest, ...fields } = JSON.parse(text) as Record<string, unknown>;
    if (digest === digestOf(fields)) return manifestFields.parse(fields);
  } catch (error) {
    throw new BackupDamaged(`${path} was altered, or is of another version: ${error instanceof Error ? error.message : String(error)}`);
  }
  throw new BackupDamaged(`${path} was altered: it does not have the digest that it names.`);
};

const checkFile = async (path: string, file: string, bytes: number, expected: string): Promise<void> => {
  if (!existsSync(path)) throw new BackupDamaged(`${file} of the backup is missing.`);
  const hash = createHash('sha256');
  let found = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    found += (chunk as Buffer).byteLength;
  }
  if (found !== bytes) throw new BackupDamaged(`${file} of the backup has ${found} bytes, not ${bytes}.`);
  const digest = hash.digest('hex');
  if (digest !== expected) throw new BackupDamaged(`${file} of the backup was altered: its SHA-256 is ${digest}, not ${expected}.`);
};

/** The rows of a table, as its engine wrote them. */
export const rowsOf = (folder: string, { file }: Pick<ManifestTable, 'file'>): Readable =>
  createReadStream(join(folder, file)).pipe(createGunzip());
