/** Why an event is not believed: a code for programs, a place for both, a sentence for people. */
import type { RejectionCode } from '@rampart/contracts';

export interface Rejection {
  readonly code: RejectionCode;
  /** JSON pointer into the event; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

export const rejected = (code: RejectionCode, path: string, message: string): Rejection => ({ code, path, message });

/** One segment of a JSON pointer (RFC 6901). */
export const segment = (name: string): string => (/[~/]/.test(name) ? name.replaceAll('~', '~0').replaceAll('/', '~1') : name);
