/** The write key of a raw event travels inside of it, and must not be kept with it: not in the log, not in a dead letter, not in a sentence. */
import { withMaskedKeys } from '@rampart/service-kit';
import { withoutMember } from '../intake/request-items.js';

/** The CloudEvents extension attribute; as a Kafka header `ce_writekey`. */
export const WRITE_KEY = 'writekey';

/** In text that is not JSON; it may end in the middle of the key. */
const ANY_MEMBER = /("writekey"\s*:\s*")(?:[^"\\]|\\.)*/gi;
/** Shorter ones would cut up the words around them. */
const SHORTEST_KEY = 16;

/** @param json  the valid JSON text of an object */
export const withoutWriteKey = (json: string): string => withoutMember(json, WRITE_KEY);

/** The attribute in a text that could not be read. */
export const withMaskedMember = (text: string): string => text.replace(ANY_MEMBER, '$1…');

/** @param writeKey  the key that came with it, whatever it looks like */
export const withoutKey = (text: string, writeKey: unknown): string => {
  const masked = withMaskedKeys(text);
  return typeof writeKey === 'string' && writeKey.length >= SHORTEST_KEY ? masked.replaceAll(writeKey, '…') : masked;
};

/** The id in a key of the platform's form, for whoever looks for its sender. */
export const idOfKey = (writeKey: string): string | null => /^rk_([A-Za-z0-9]{1,40})_/.exec(writeKey)?.[1] ?? null;
