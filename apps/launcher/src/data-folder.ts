/** The folder that holds everything a platform remembers: it must take writes before anything starts, and its secrets are made once. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Refusal } from './refusal.js';

/** A new PostgreSQL cluster takes 40 MB, its log of changes and ClickHouse's first parts some more. */
const leastFreeBytes = 256 * 1024 * 1024;

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOENT: 'it cannot be made there',
  ENOTDIR: 'a part of this path is a file',
  EEXIST: 'a part of this path is a file',
};

const unusable = (folder: string, error: unknown): Refusal => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new Refusal(`The data folder ${folder} cannot be used: ${reasons[code] ?? message}. Choose another one with RAMPART_DATA.`);
};

const tryToWrite = (folder: string): void => {
  const probe = join(folder, `.probe-${process.pid}`);
  writeFileSync(probe, randomBytes(64 * 1024));
  rmSync(probe);
};

/** Not `recursive`: Node tries forever where the parent exists and still nothing can be made, as in /proc. */
const makeFolder = (folder: string): void => {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  mkdirSync(folder);
};

/** Makes the folder where it is missing. Returns its real path. */
export const prepareDataFolder = (folder: string): string => {
  try {
    makeFolder(folder);
    // As root, PostgreSQL runs as another user and must walk through; what is secret inside has its own mode.
    if (process.getuid?.() === 0 && readdirSync(folder).length === 0) chmodSync(folder, 0o711);
    tryToWrite(folder);
    if (!existsSync(join(folder, 'logs'))) mkdirSync(join(folder, 'logs'), { mode: 0o700 });
  } catch (error) {
    throw unusable(folder, error);
  }
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < leastFreeBytes) {
    const free = Math.floor((bavail * bsize) / 1024 / 1024);
    throw new Refusal(
      `The disk of the data folder ${folder} is full: ${free} MB are free, Rampart needs ${leastFreeBytes / 1024 / 1024} MB. Free some, or choose another folder with RAMPART_DATA.`,
    );
  }
  return realpathSync(folder);
};

/** The text of a file that is made once, whole, readable by its owner only. */
export const keptSecret = (path: string, make: () => string): string => {
  if (!existsSync(path)) {
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, `${make()}\n`, { mode: 0o600 });
    try {
      linkSync(unfinished, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // else somebody was faster
    } finally {
      rmSync(unfinished, { force: true });
    }
  }
  return readFileSync(path, 'utf8').trim();
};

/** From which every project's pseudonyms are derived: losing it means that new events no longer join old units. */
export const platformSecret = (folder: string): string => keptSecret(join(folder, 'secret'), () => randomBytes(32).toString('base64url'));
