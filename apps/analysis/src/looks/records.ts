/** When a look becomes a decision record, and what the record holds. */
import { createHash } from 'node:crypto';
import {
  type ComparisonPlace,
  type DecisionRecord,
  definitionIdentity,
  type ExperimentState,
  type InstantUs,
  type Policy,
  type RecordCause,
  type RecordedDefinition,
  recordIdentity,
} from '@rampart/contracts';
import type { Conclusion } from '../figures/conclusion.js';

/** What is kept of an appended record: enough to continue its chain. */
export interface RecordHead
  extends Pick<DecisionRecord, 'id' | 'previous' | 'knownUntilUs' | 'cause' | 'policy' | 'verdict' | 'actions' | 'latched'> {
  readonly definitionHash: string;
  /** The step of a rollout that it was about; null without one. */
  readonly step: string | null;
}

const DAY_US = 86_400_000_000;

/** @returns undefined when the newest record says it all already */
export const causeOf = (
  newest: RecordHead | undefined,
  look: Pick<RecordHead, 'knownUntilUs' | 'verdict' | 'latched' | 'definitionHash' | 'step'> & { readonly isLast: boolean },
): RecordCause | undefined => {
  if (newest === undefined) return 'first';
  const isNewer = look.knownUntilUs > newest.knownUntilUs;
  // The last word, also where looks had gone beyond the moment of closing before the decision was known.
  if (look.isLast) return isNewer || look.definitionHash !== newest.definitionHash ? 'closing' : undefined;
  if (!isNewer) return undefined;
  if (look.step !== newest.step) return 'stage-action';
  if (look.latched.length > newest.latched.length) return 'crossing';
  if (saying(look.verdict) !== saying(newest.verdict)) return 'verdict';
  if (look.definitionHash !== newest.definitionHash) return 'definition';
  return dayOf(look.knownUntilUs) > dayOf(newest.knownUntilUs) ? 'daily' : undefined;
};

const dayOf = (atUs: InstantUs): number => Math.floor(atUs / DAY_US);

/** Which rule speaks for which arm; the sentences' numbers move with every look. */
const saying = ({ verdict, rule, arms }: DecisionRecord['verdict']): string =>
  [verdict, rule, ...arms.map((arm) => `${arm.arm}:${arm.verdict}:${arm.rule}`)].join('|');

/** Each step of each run is looked at on its own; null for an experiment that no rollout moves. */
export const stepOf = ({ ramp }: Pick<ExperimentState, 'ramp'>): string | null =>
  ramp === undefined ? null : [ramp.rollout, ramp.run, ramp.stage, ramp.policy].join('/');

/** SHA-256 of everything about the definition that moves a number. */
export const definitionHash = (definition: RecordedDefinition): string => sha256(definitionIdentity(definition));

/** What its id must be. */
export const recordIdOf = (record: Parameters<typeof recordIdentity>[0] & { readonly definition: RecordedDefinition }): string =>
  sha256(recordIdentity(record, definitionHash(record.definition)));

export interface RecordedLook {
  readonly place: ComparisonPlace;
  readonly policy: Policy;
  readonly cause: RecordCause;
  readonly previous: string | null;
  readonly knownUntilUs: InstantUs;
  readonly definition: RecordedDefinition;
  readonly seenEvents: ReadonlySet<string>;
  readonly conclusion: Conclusion;
  readonly engine: string;
}

export const recordOf = (look: RecordedLook): DecisionRecord => {
  const { place, policy, cause, previous, knownUntilUs, definition, conclusion, engine } = look;
  const { figures, statistics, verdict, actions, latched, numbers, evidenceDigest, conclusionDigest } = conclusion;
  return {
    id: recordIdOf({ ...place, policy, knownUntilUs, definition }),
    previous,
    ...place,
    cause,
    policy,
    knownUntilUs,
    definition,
    seenEvents: [...look.seenEvents].sort(),
    sums: statistics,
    population: figures.population.rows,
    verdict,
    actions,
    latched,
    numbers,
    evidenceDigest,
    conclusionDigest,
    engine,
  };
};

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
