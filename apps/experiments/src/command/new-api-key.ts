/** Makes API keys: `rk_<id>_<secret>`. What is kept is the hash alone. */
import { randomBytes } from 'node:crypto';
import { hashOfKey } from '@rampart/service-kit';

// Thirty-two, so that each takes five random bits; no i, l, o or u, which are misread.
const LETTERS = '0123456789abcdefghjkmnpqrstvwxyz';
const ID_LENGTH = 12;
const SECRET_BYTES = 32;

export interface NewApiKey {
  readonly id: string;
  /** Shown once. */
  readonly key: string;
  readonly hash: string;
}

const newKeyId = (): string => [...randomBytes(ID_LENGTH)].map((byte) => LETTERS[byte % 32]).join('');

/** @param id  of the key that gets a new secret; a new one if absent */
export const newApiKey = (id = newKeyId()): NewApiKey => {
  const key = `rk_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  return { id, key, hash: hashOfKey(key) };
};
