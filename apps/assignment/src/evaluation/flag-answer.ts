/** A decision as OFREP tells it: its JSON text, made once per ruleset but for what hangs on the unit and the moment. */
import { type Decision, type Reason, wireReason } from '@rampart/assignment';

/** What an evaluation adds to the text. */
export interface AnswerMoment {
  /** The deciding bucket, of 10,000; -1 where none decided. */
  readonly bucket: number;
  /** Age of the newest word about definitions where that is too old, else null. */
  readonly staleSeconds: number | null;
}

export interface FlagAnswer {
  /** `{"key":…,"metadata":{…` without its end. */
  readonly head: string;
  /** Our own word for why, where OFREP's list has none. */
  readonly finer: Reason | null;
  /** A value that the protocol can't carry: an answer of its own, status 400 when asked alone. */
  readonly isFailure: boolean;
}

type Decided = Omit<Decision, 'encoded'>;

/** Nobody decided: the caller uses the default of its code. */
const leavesItToTheCaller = ({ reason }: Decided): boolean => reason === 'DEFAULT' || reason === 'PREREQUISITE' || reason === 'CYCLE';

const isTellable = (value: unknown): boolean =>
  typeof value === 'boolean' ||
  typeof value === 'string' ||
  typeof value === 'number' ||
  (typeof value === 'object' && value !== null && !Array.isArray(value));

const metadataOf = ({ note, variant }: Decided, version: string): object => {
  const base = { version };
  if (note === null) return base;
  const given = note.variant ?? variant;
  const named = given === null || given === undefined ? {} : { variant: given };
  if (note.kind === 'experiment')
    return {
      ...base,
      experiment: note.key,
      ...named,
      ...(note.segment === undefined ? {} : { segment: note.segment }),
      ...(note.layer === undefined ? {} : { layer: note.layer }),
    };
  if (note.kind === 'release') return { ...base, experiment: note.key, ...named };
  return { ...base, [note.kind]: note.key, ...named };
};

/** @param version  of the ruleset */
export const flagAnswer = (decision: Decided, version: string): FlagAnswer => {
  const { feature: key, value, variant } = decision;
  const { reason, finer = null } = wireReason(decision.reason);
  const isLeft = leavesItToTheCaller(decision);
  const metadata = metadataOf(decision, version);
  if (!isLeft && !isTellable(value)) {
    const errorDetails = `The value of ${key} is ${Array.isArray(value) ? 'an array' : 'null'}: OFREP carries booleans, texts, numbers and objects.`;
    return { head: open({ key, errorCode: 'GENERAL', errorDetails }, metadata), finer, isFailure: true };
  }
  const shown = { key, reason, ...(isLeft ? {} : { value, ...(variant === null ? {} : { variant }) }) };
  return { head: open(shown, metadata), finer, isFailure: false };
};

/** Without the two closing braces of the metadata and of the whole. */
const open = (shown: object, metadata: object): string => JSON.stringify({ ...shown, metadata }).slice(0, -2);

export const answerText = ({ finer, head }: FlagAnswer, { bucket, staleSeconds }: AnswerMoment): string => {
  let text = bucket < 0 ? head : `${head},"bucket":${bucket}`;
  if (staleSeconds === null) return finer === null ? `${text}}}` : `${text},"reason":"${finer}"}}`;
  if (finer !== null) text += `,"ruleReason":"${finer}"`;
  return `${text},"reason":"STALE","ageSeconds":${staleSeconds}}}`;
};
