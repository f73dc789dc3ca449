/** The platform's admin key: from the environment, or from a file that may be replaced while we run. */

import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hashOfKey } from './api-keys.js';

const REREAD_AFTER_MS = 1_000;

export interface AdminKeySource {
  readonly key?: string | undefined;
  readonly file?: string | undefined;
}

export class AdminKey {
  private hash: Buffer | undefined;
  private readAtMs = Number.NEGATIVE_INFINITY;

  /** @param nowMs  a monotonic clock: how often the file is read must not depend on the wall clock */
  constructor(
    private readonly source: AdminKeySource,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    if (source.key !== undefined) this.hash = Buffer.from(hashOfKey(source.key), 'hex');
    else this.read();
  }

  /** @param hash  SHA-256 of the key presented, 64 hex digits */
  matches(hash: string): boolean {
    // Before the comparison: a new key needs no restart, and the one it replaced ends with it. At most once a second, or strangers could make us read.
    if (this.source.key === undefined && this.nowMs() - this.readAtMs >= REREAD_AFTER_MS) this.read();
    return this.hash !== undefined && timingSafeEqual(this.hash, Buffer.from(hash, 'hex'));
  }

  private read(): void {
    this.readAtMs = this.nowMs();
    if (this.source.file === undefined) return;
    try {
      const key = readFileSync(this.source.file, 'utf8').trim();
      this.hash = key === '' ? undefined : Buffer.from(hashOfKey(key), 'hex');
    } catch {
      // No file, no admin: the last key must not outlive its removal.
      this.hash = undefined;
    }
  }
}
