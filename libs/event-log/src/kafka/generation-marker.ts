/**
 * A generation begins, in each partition, with a tick that names it: every reader passes it at the same offset.
 *
 * Who may write into a topic may write anything, so a record only claims to be a marker. It is one if it carries the token that the log's index has for this
 * generation: that topic is the log's own, and the token is there before the first marker is.
 */
import { TICK_HEADER } from '@rampart/contracts';
import { greatestGeneration } from '../positions.js';

const header = 'rampart-generation';

/** What the index knows of a generation. */
export interface GenerationStart {
  readonly generation: number;
  readonly token: string;
  /** The greatest known time of any partition before it, in microseconds. */
  readonly aboveUs: number;
}

export interface GenerationClaim {
  readonly generation: number;
  readonly token: string;
}

export const markerHeaders = ({ generation, token }: GenerationClaim): Readonly<Record<string, string>> => ({
  [TICK_HEADER]: '1',
  [header]: `${generation}:${token}`,
});

/** Cheap for what claims nothing, as nearly all records do. */
export const claimOf = (record: {
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | readonly Buffer[] | null | undefined>>;
}): GenerationClaim | undefined => {
  const told = record.value === null ? record.headers[header] : undefined;
  if (!Buffer.isBuffer(told) || told.length > 100) return undefined;
  const [, generation, token] = /^(\d{1,3}):([0-9a-f]{32})$/.exec(told.toString()) ?? [];
  if (generation === undefined || token === undefined || Number(generation) > greatestGeneration) return undefined;
  return { generation: Number(generation), token };
};
