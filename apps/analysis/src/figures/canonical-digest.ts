/** The digest of a value: equal things have equal ones. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '@rampart/contracts';

/** SHA-256 of its RFC 8785 text, as 64 hex digits. */
export const canonicalDigest = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');
