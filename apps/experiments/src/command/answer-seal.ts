/** Recorded answers may hold a new key, which is shown once and stored nowhere: they are kept encrypted, under a key derived from the platform's secret. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { DomainError } from '@rampart/domain';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class AnswerSeal {
  private readonly key: Buffer;

  constructor(platformSecret: string) {
    this.key = createHmac('sha256', platformSecret).update('rampart/recorded-answers').digest();
  }

  sealed(text: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.key, nonce);
    const content = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), content]).toString('base64');
  }

  opened(sealed: string): string {
    const bytes = Buffer.from(sealed, 'base64');
    try {
      const decipher = createDecipheriv(CIPHER, this.key, bytes.subarray(0, NONCE_BYTES));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
    } catch (error) {
      const message =
        'this request was carried out before, but RAMPART_SECRET has changed since and its answer can\u2019t be read: look the resource up';
      throw new DomainError('answer-lost', message, { cause: error instanceof Error ? error.message : String(error) });
    }
  }
}
