import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type BackupHeader,
  type BackupManifest,
  bytesFrame,
  checkedBackup,
  headerFrame,
  MANIFEST,
  manifestText,
  readFrames,
  secretFingerprint,
} from './backups.js';

const table: BackupHeader = { part: 'table', schema: 'control', table: 'event', columns: ['position', 'data'] };
const end: BackupHeader = { part: 'end' };

/** A stream cut anywhere: the network knows no frames. */
async function* pieces(bytes: Buffer, lengths: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const length of lengths) {
    if (at >= bytes.byteLength) return;
    yield bytes.subarray(at, at + length);
    at += length;
  }
  if (at < bytes.byteLength) yield bytes.subarray(at);
}

const read = async (bytes: Buffer, lengths: readonly number[] = []): Promise<readonly unknown[]> => {
  const found: unknown[] = [];
  for await (const frame of readFrames(pieces(bytes, lengths)))
    found.push(frame instanceof Uint8Array ? Buffer.from(frame).toString() : frame);
  return found;
};

describe('the frames of a backup', () => {
  const whole = Buffer.concat([headerFrame(table), bytesFrame(Buffer.from('rows')), bytesFrame(Buffer.from('more')), headerFrame(end)]);

  it('are read as they were written, wherever the stream is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 }), async (lengths) => {
        expect(await read(whole, lengths)).toEqual([table, 'rows', 'more', end]);
      }),
    );
  });

  it('that break off before their end are no backup', async () => {
    for (let length = 0; length < whole.byteLength; length++) await expect(read(whole.subarray(0, length))).rejects.toThrow('broke off');
  });

  it('are told from an answer that is something else', async () => {
    await expect(read(Buffer.from('{"title":"Not Found","status":404}'))).rejects.toThrow('is no backup');
    await expect(read(Buffer.concat([whole, headerFrame(end)]))).rejects.toThrow('is no backup');
  });
});

describe('the folder of a backup', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rampart-backup-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const sound: BackupManifest = {
    format: 1,
    takenAt: '2026-01-31T12:00:00.000Z',
    history: { log: 'postgres', versions: ['one'], secretFingerprint: secretFingerprint('a secret'), ends: [], copied: [] },
    store: { engine: '26.7', progress: [{ topic: 'feedback.v1', partition: 0, generation: 0, offset: '7', knownAtUs: 70 }] },
    tables: [],
    files: [{ file: 'rows', bytes: 4, sha256: createHash('sha256').update('rows').digest('hex') }],
  };
  const written = async (rows: string, text: string) => {
    writeFileSync(join(folder, 'rows'), rows);
    writeFileSync(join(folder, MANIFEST), text);
    return checkedBackup(folder);
  };

  it('is read where all of it is as it was', async () => {
    expect(await written('rows', manifestText(sound))).toEqual(sound);
  });

  it.each([
    ['rowz', 'rows of the backup was altered'],
    ['row', 'rows of the backup has 3 bytes, not 4'],
  ])('with %s in place of its rows is named', async (rows, sentence) => {
    await expect(written(rows, manifestText(sound))).rejects.toThrow(sentence);
  });

  it('whose manifest was altered anywhere is refused', async () => {
    const text = manifestText(sound);
    for (let at = 0; at < text.length; at += 7) {
      const other = text[at] === '0' ? '1' : '0';
      const altered = `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
      await expect(written('rows', altered)).rejects.toThrow(MANIFEST);
    }
  });

  it('without a manifest is none', async () => {
    rmSync(join(folder, MANIFEST));
    await expect(checkedBackup(folder)).rejects.toThrow('no whole backup');
    expect(readFileSync(join(folder, 'rows'), 'utf8')).toBe('rows');
  });
});
