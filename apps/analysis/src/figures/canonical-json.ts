/** The one text of a value, from which digests are made. */
import { createHash } from 'node:crypto';

/** RFC 8785: keys in order of their UTF-16 code units, numbers and strings as JavaScript writes them, no spaces; undefined is left out. */
export const canonicalJson = (value: unknown): string => {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`JSON has no ${value}`);
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
};

/** SHA-256 of it, as 64 hex digits. */
export const canonicalDigest = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');
