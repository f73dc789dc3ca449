/** The decision records of one comparison: a chain in which each names the one before it. */
import type { Crossing } from '../verdict/latching.js';
import type { TakenLook } from '../verdict/planned-looks.js';

/** What the chain goes by. A record holds more (definition, sums, verdict), which is kept unread: it is evidence, not a rule. */
export interface ChainedRecord {
  readonly id: string;
  /** Of the same comparison; null for its first. */
  readonly previous: string | null;
  /** W: rows known later are not in it. */
  readonly knownUntilUs: number;
  /** Why it was made: `closing` is the last word on a comparison. */
  readonly cause: string;
  /** All of the comparison up to and with this look. */
  readonly latched: readonly Crossing[];
  /** Of a plan of several looks, all that were taken; absent in other plans. */
  readonly looks?: readonly TakenLook[];
}

export type DecisionEvent = {
  readonly type: 'DecisionRecorded';
  /** Whole, with all that it takes to recount it. */
  readonly record: ChainedRecord;
  readonly atUs: number;
};

/** Without a newest record there is none yet. */
export interface DecisionChain {
  readonly ids: readonly string[];
  readonly newest: ChainedRecord | null;
}

export const initialDecisionChain: DecisionChain = { ids: [], newest: null };

export const evolveDecisionChain = ({ ids }: DecisionChain, { record }: DecisionEvent): DecisionChain => {
  const { id, previous, knownUntilUs, cause, latched, looks } = record;
  return { ids: [...ids, id], newest: { id, previous, knownUntilUs, cause, latched, ...(looks === undefined ? {} : { looks }) } };
};
