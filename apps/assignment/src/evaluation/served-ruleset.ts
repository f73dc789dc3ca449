/** What one environment is answered from: the compiled rules, the texts of their answers, and which exposures each answer makes. */
import { compileDefinitions, type Decision, type Definitions, type Reason, type Ruleset } from '@rampart/assignment';
import type { AssignmentDefinitions, CountedExperiment } from '../ruleset/assignment-definitions.js';
import { type FlagAnswer, flagAnswer } from './flag-answer.js';

export type CountedReason = 'SPLIT' | 'OVERRIDE' | 'USER_CHANNEL' | 'HOLDOUT' | 'STATIC';

/** An exposure as far as it is known before the unit is. */
export interface CountedExposure {
  readonly experiment: string;
  readonly segment: number;
  readonly variant: string;
  readonly reason: CountedReason;
  readonly unitType: string;
  readonly unitAttribute: string;
}

export interface ServedAnswer extends FlagAnswer {
  readonly exposures: readonly CountedExposure[];
}

export interface ServedRuleset {
  readonly project: string;
  readonly environment: string;
  /** Equal for equal definitions, in whichever process. */
  readonly version: string;
  /** When the newest of what it is made of became known. */
  readonly changedAtUs: number;
  readonly definitions: Definitions;
  readonly ruleset: Ruleset;
  readonly answers: readonly ServedAnswer[];
  /** Scratch of the bulk evaluation. */
  readonly decisions: Decision[];
  readonly buckets: Int32Array;
}

const NONE: readonly CountedExposure[] = [];
const REASONS: Readonly<Partial<Record<Reason, CountedReason>>> = {
  SPLIT: 'SPLIT',
  OVERRIDE: 'OVERRIDE',
  HOLDOUT: 'HOLDOUT',
  USER_CHANNEL: 'USER_CHANNEL',
  STATIC: 'STATIC',
};

/**
 * An experiment's or a release's own exposure; for what takes a unit away from experiments, one in each that runs on the feature: a unit that was told
 * its variant by an override before it is randomised was never randomised.
 * A frozen experiment counts nobody: who is in has been counted, and nobody else may come in.
 */
const exposuresOf = (decision: Omit<Decision, 'encoded'>, counted: readonly CountedExperiment[]): readonly CountedExposure[] => {
  const { feature, note, variant: decided } = decision;
  const reason = REASONS[decision.reason];
  const variant = note?.variant ?? decided;
  if (reason === undefined || variant === null) return NONE;
  const concerned = counted.filter((one) => {
    if (one.feature !== feature) return false;
    if (note?.kind === 'experiment') return one.key === note.key && one.isRunning;
    if (note?.kind === 'release') return one.key === note.key;
    return reason !== 'STATIC' && one.isRunning;
  });
  return concerned.map(({ key, segment, unitAttribute, unitType }) => ({
    ...{ experiment: key, segment, variant, reason, unitType, unitAttribute },
  }));
};

export const servedRuleset = (
  scope: { readonly project: string; readonly environment: string },
  { counted, definitions }: AssignmentDefinitions,
  { changedAtUs, version }: Pick<ServedRuleset, 'version' | 'changedAtUs'>,
): ServedRuleset => {
  const answers: ServedAnswer[] = [];
  // The text that the engine keeps with a decision is the place of its answer.
  const encode = (decision: Omit<Decision, 'encoded'>): string =>
    String(answers.push({ ...flagAnswer(decision, version), exposures: exposuresOf(decision, counted) }) - 1);
  const ruleset = compileDefinitions(definitions, { encode });
  return { ...scope, version, changedAtUs, definitions, ruleset, answers, decisions: [], buckets: new Int32Array(ruleset.list.length) };
};

/** @returns undefined for a feature that nobody defined */
export const answerOf = ({ answers }: ServedRuleset, { encoded }: Decision): ServedAnswer | undefined =>
  encoded === '' ? undefined : answers[Number(encoded)];
