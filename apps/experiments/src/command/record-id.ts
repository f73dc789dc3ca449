/** The id that a record must have: the hash of the look that it tells. */
import { createHash } from 'node:crypto';
import { type DecisionRecord, definitionIdentity, recordIdentity } from '@rampart/contracts';

export const recordIdOf = (record: Omit<DecisionRecord, 'id'>): string =>
  sha256(recordIdentity(record, sha256(definitionIdentity(record.definition))));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
