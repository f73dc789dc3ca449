/** The key that may do everything. Services read its file themselves, so that it can be replaced while they run. */
import { randomBytes, randomInt } from 'node:crypto';
import { join } from 'node:path';
import { keptSecret } from './data-folder.js';

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** Like every API key: rk_<12 characters that name it>_<32 random bytes>. */
export const newKey = (): string => {
  const id = Array.from({ length: 12 }, () => alphabet[randomInt(alphabet.length)]).join('');
  return `rk_${id}_${randomBytes(32).toString('base64url')}`;
};

/** The path of the key's file, which is made when missing. */
export const adminKeyFile = (folder: string): string => {
  const path = join(folder, 'admin-key');
  keptSecret(path, newKey);
  return path;
};
