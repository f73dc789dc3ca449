/** One-time codes for signing in on this machine: whoever can read the data folder or the terminal gets in, once for each code. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export type Redemption =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'too-many'; readonly retryAfterSeconds: number };

/** A code has 128 bits: so few guesses a minute find none, and many look like an attack. */
const WRONG_A_MINUTE = 5;
const MINUTE_MS = 60_000;

export class SignInCodes {
  private code = newCode();
  private wrongAtMs: readonly number[] = [];

  /** @param changed  called with each new code, so that it can be told to who may know it */
  constructor(private readonly changed: (code: string) => void = () => undefined) {}

  /** Good for one use. */
  current(): string {
    return this.code;
  }

  redeem(code: string, nowMs: number): Redemption {
    this.wrongAtMs = this.wrongAtMs.filter((atMs) => atMs > nowMs - MINUTE_MS);
    const [oldest] = this.wrongAtMs;
    if (oldest !== undefined && this.wrongAtMs.length >= WRONG_A_MINUTE)
      return { kind: 'too-many', retryAfterSeconds: Math.ceil((oldest + MINUTE_MS - nowMs) / 1000) };
    if (!isSame(code, this.code)) {
      this.wrongAtMs = [...this.wrongAtMs, nowMs];
      return { kind: 'wrong' };
    }
    this.code = newCode();
    this.changed(this.code);
    return { kind: 'accepted' };
  }
}

const newCode = (): string => randomBytes(16).toString('base64url');

/** In equal time whatever is given: both become 32 bytes first. */
const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other));
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
