/** The platform's admin key: a file that only its owner can read, replaced whole. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Refusal } from '../refusal.js';
import { adminKeyFile, type Environment, given } from './places.js';

export interface AdminKey {
  readonly key: string;
  /** For people: the variable or the file. */
  readonly place: string;
}

/** @throws Refusal where there is none */
export const adminKey = (environment: Environment): AdminKey => {
  const fromEnvironment = given(environment.RAMPART_ADMIN_KEY);
  if (fromEnvironment !== undefined) return { key: fromEnvironment, place: 'RAMPART_ADMIN_KEY' };
  const file = adminKeyFile(environment);
  if (!existsSync(file))
    throw new Refusal(
      `There is no admin key: ${file} does not exist. Start the platform once (npm start), or set RAMPART_ADMIN_KEY or RAMPART_DATA.`,
    );
  try {
    return { key: readFileSync(file, 'utf8').trim(), place: file };
  } catch (error) {
    throw new Refusal(`The admin key in ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
};

/** Writes a new key in place of the old one, which is refused from then on. Services read the file again by themselves. */
export const rotateAdminKey = (environment: Environment): AdminKey => {
  if (given(environment.RAMPART_ADMIN_KEY) !== undefined)
    throw new Refusal('RAMPART_ADMIN_KEY is set and wins over the file: change that variable and restart the platform.');
  const file = adminKeyFile(environment);
  if (!existsSync(file))
    throw new Refusal(`There is no admin key to replace: ${file} does not exist. Start the platform once (npm start).`);
  const key = newKey();
  const draft = `${file}.${process.pid}.new`;
  writeFileSync(draft, `${key}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, file);
  return { key, place: file };
};

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const newKey = (): string => {
  const id = [...randomBytes(12)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return `rk_${id}_${randomBytes(32).toString('base64url')}`;
};
