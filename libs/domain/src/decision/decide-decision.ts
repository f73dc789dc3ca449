/** When a proposed record continues its chain. Who computed it on an older state is refused, and sees the newer record where all see it. */
import type { Decider } from '../decider.js';
import { isEqual } from '../equality.js';
import { DomainError } from '../errors.js';
import type { Crossing } from '../verdict/latching.js';
import { type ChainedRecord, type DecisionChain, type DecisionEvent, evolveDecisionChain, initialDecisionChain } from './decision.js';

export type DecisionCommand = {
  readonly type: 'RecordDecision';
  readonly record: ChainedRecord;
  /** The hash of the record's parts, computed by who appends: a record can't be told under the id of another look. */
  readonly idOfParts: string;
  readonly atUs: number;
};

const decide = ({ record, idOfParts, atUs }: DecisionCommand, { ids, newest }: DecisionChain): readonly DecisionEvent[] => {
  if (record.id !== idOfParts) {
    const message = `the record calls itself ${record.id}, but its place, policy, definition and W make ${idOfParts}: its contents were changed after it was named, or were named by another program`;
    throw new DomainError('record-id-differs', message, { record: record.id, idOfParts });
  }
  // The proposer repeats what it saw no answer to.
  if (ids.includes(record.id)) return [];
  requireContinuation(record, newest);
  if (newest !== null) {
    requireNewer(record, newest);
    requireLatched(record, newest);
    requireSameLooks(record, newest);
  }
  return [{ type: 'DecisionRecorded', record, atUs }];
};

const requireContinuation = ({ id, previous }: ChainedRecord, newest: ChainedRecord | null): void => {
  if (previous === (newest?.id ?? null)) return;
  const continued = previous === null ? 'begins the chain' : `continues ${previous}`;
  const found = newest === null ? 'there is no record yet' : `the newest one is ${newest.id}`;
  const message = `record ${id} ${continued}, but ${found}: look again, and continue from there`;
  throw new DomainError('record-fork', message, { record: id, previous, newest: newest?.id ?? null });
};

const requireNewer = ({ id, knownUntilUs, cause }: ChainedRecord, newest: ChainedRecord): void => {
  if (knownUntilUs > newest.knownUntilUs) return;
  // The last word is as of the moment of closing: looks may have gone beyond it before the decision was known to them.
  if (cause === 'closing') return;
  const message = `record ${id} knows what was known until ${iso(knownUntilUs)}, the newest one, ${newest.id}, until ${iso(newest.knownUntilUs)}: only a later look can continue it`;
  throw new DomainError('record-older', message, { record: id, knownUntilUs, newest: newest.id, newestKnownUntilUs: newest.knownUntilUs });
};

/** Nothing is unlatched, nor told otherwise. */
const requireLatched = ({ id, latched }: ChainedRecord, newest: ChainedRecord): void => {
  const lost = newest.latched.filter((crossing) => !latched.some((kept) => isEqual(kept, crossing)));
  const [first] = lost;
  if (first === undefined) return;
  const message = `record ${id} leaves out ${lost.length} of the ${newest.latched.length} crossings that ${newest.id} holds, first ${crossingText(first)}: what is valid at any time is not taken back`;
  throw new DomainError('record-unlatches', message, { record: id, newest: newest.id, lost });
};

/** Bounds that were used are never computed anew: what a look said, and what it spent, stays. */
const requireSameLooks = ({ id, looks = [] }: ChainedRecord, newest: ChainedRecord): void => {
  const changed = newest.looks?.find((taken, index) => !isEqual(taken, looks[index]));
  if (changed === undefined) return;
  const message = `record ${id} leaves out, or tells otherwise, look ${changed.look} of ${changed.looks}, which ${newest.id} holds as taken at ${iso(changed.knownUntilUs)}: a look that was taken stays as it was`;
  throw new DomainError('record-rewrites-looks', message, { record: id, newest: newest.id, look: changed.look });
};

const crossingText = ({ test, metric, arm, knownUntilUs }: Crossing): string =>
  `${[test, metric, arm].filter((part) => part !== null).join(' of ')} at ${iso(knownUntilUs)}`;

const iso = (atUs: number): string => new Date(atUs / 1000).toISOString();

export const decisionDecider: Decider<DecisionChain, DecisionCommand, DecisionEvent> = {
  initialState: initialDecisionChain,
  decide,
  evolve: evolveDecisionChain,
};
