/** Payloads that arrive encrypted: `base64(iv) + "." + base64(AES-CBC)`. */
import { isObject } from '../conditions/predicates.js';
import type { Payload } from './payload.js';

/** The part of WebCrypto that is needed; browsers and Node have it as `crypto.subtle`. */
export type Subtle = Pick<typeof globalThis.crypto.subtle, 'importKey' | 'decrypt'>;

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

/**
 * @param key base64, 16 bytes
 * @returns null when it can't be read with this key
 */
export const decrypt = async (encrypted: string, key: string, subtle: Subtle = globalThis.crypto.subtle): Promise<string | null> => {
  try {
    const [iv = '', cipher = ''] = encrypted.split('.');
    const secret = await subtle.importKey('raw', bytesOf(key), { name: 'AES-CBC', length: 128 }, true, ['decrypt']);
    const plain = await subtle.decrypt({ name: 'AES-CBC', iv: bytesOf(iv) }, secret, bytesOf(cipher));
    return new TextDecoder().decode(plain);
  } catch {
    return null;
  }
};

export interface EncryptedPayload extends Payload {
  readonly encryptedFeatures?: string;
  readonly encryptedExperiments?: string;
  readonly encryptedSavedGroups?: string;
  readonly encryptedContextualBandits?: string;
}

const PARTS = [
  ['features', 'encryptedFeatures'],
  ['experiments', 'encryptedExperiments'],
  ['savedGroups', 'encryptedSavedGroups'],
  ['contextualBandits', 'encryptedContextualBandits'],
] as const;

const parsed = (text: string | null): unknown => {
  try {
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What can't be decrypted stays as it was: undecryptable features are no features, never an exception. */
export const decryptPayload = async (payload: EncryptedPayload, key: string, subtle?: Subtle): Promise<Payload> => {
  const plain: Record<string, unknown> = { ...payload };
  for (const [name, encryptedName] of PARTS) {
    const encrypted = payload[encryptedName];
    delete plain[encryptedName];
    const value = typeof encrypted === 'string' ? parsed(await decrypt(encrypted, key, subtle)) : undefined;
    if (isObject(value)) plain[name] = value;
  }
  return plain as Payload;
};
