/** One flag or all flags for a unit, as text: the hot path, from attributes to answer. */
import { type Decision, evaluate, evaluateAll, unitOf } from '@rampart/assignment';
import type { ExposureScope, Exposures } from './exposures.js';
import { answerText } from './flag-answer.js';
import type { Attributes } from './ofrep-request.js';
import { answerOf, type CountedExposure, type ServedRuleset } from './served-ruleset.js';

export interface Evaluation {
  readonly served: ServedRuleset;
  readonly attributes: Attributes;
  readonly staleSeconds: number | null;
  /** Undefined: nobody wants it counted. */
  readonly counting: { readonly exposures: Exposures; readonly scope: ExposureScope } | undefined;
}

export interface Answered {
  readonly text: string;
  readonly isFailure: boolean;
  /** Exposures or assignments that it tells and that count, repeats included. */
  readonly told: number;
  /** What to wait for before the text may be sent: whether what it tells will be counted. */
  readonly kept: Promise<boolean> | undefined;
}

/** @returns undefined for a flag that nobody defined */
export const evaluateFlag = (key: string, { attributes, counting, served, staleSeconds }: Evaluation): Answered | undefined => {
  const unit = unitOf({ attributes });
  const answer = answerOf(served, evaluate(served.ruleset, key, unit));
  if (answer === undefined) return undefined;
  const { exposures, isFailure } = answer;
  const told = counting === undefined ? 0 : exposures.length;
  const kept = counting === undefined || told === 0 ? undefined : counting.exposures.keep(exposures, 'exposure', unit, counting.scope);
  return { text: answerText(answer, { bucket: unit.bucket, staleSeconds }), isFailure, told, kept };
};

const MORE = ',';

/** All flags were told, none was used yet: assignments, not exposures. */
export const evaluateFlags = ({ attributes, counting, served, staleSeconds }: Evaluation): Answered => {
  const unit = unitOf({ attributes });
  const decisions: readonly Decision[] = evaluateAll(served.ruleset, unit, served.decisions, served.buckets);
  const told: CountedExposure[] = [];
  let text = '{"flags":[';
  for (let at = 0; at < decisions.length; at += 1) {
    const decision = decisions[at];
    const answer = decision === undefined ? undefined : answerOf(served, decision);
    if (answer === undefined) continue;
    if (at > 0) text += MORE;
    text += answerText(answer, { bucket: served.buckets[at] ?? -1, staleSeconds });
    if (answer.exposures.length > 0) told.push(...answer.exposures);
  }
  const stale = staleSeconds === null ? '' : `,"stale":true,"ageSeconds":${staleSeconds}`;
  text += `],"metadata":{"version":"${served.version}"${stale}}}`;
  const kept = counting === undefined || told.length === 0 ? undefined : counting.exposures.keep(told, 'assignment', unit, counting.scope);
  return { text, isFailure: false, told: counting === undefined ? 0 : told.length, kept };
};
