/** When a look becomes a decision record, and what the record holds. */
import { createHash } from 'node:crypto';
import {
  type ComparisonPlace,
  canonicalJson,
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
  extends Pick<DecisionRecord, 'id' | 'previous' | 'knownUntilUs' | 'cause' | 'policy' | 'verdict' | 'actions' | 'latched' | 'looks'> {
  readonly definitionHash: string;
  /** The step of a rollout that it was about; null without one. */
  readonly step: string | null;
}

const DAY_US = 86_400_000_000;

/** What goes back and forth is told once in this time. */
export const BACK_AND_FORTH_US = 60_000_000;

/**
 * @param recent  records of the chain that looks of the last `BACK_AND_FORTH_US` made
 * @returns undefined when the newest record says it all already
 */
export const causeOf = (
  newest: RecordHead | undefined,
  look: Pick<RecordHead, 'knownUntilUs' | 'verdict' | 'latched' | 'looks' | 'definitionHash' | 'step'> & { readonly isLast: boolean },
  recent: readonly Pick<RecordHead, 'knownUntilUs' | 'verdict'>[] = [],
): RecordCause | undefined => {
  if (newest === undefined) return 'first';
  const isNewer = look.knownUntilUs > newest.knownUntilUs;
  // The last word, also where looks had gone beyond the moment of closing before the decision was known.
  if (look.isLast) return isNewer || look.definitionHash !== newest.definitionHash ? 'closing' : undefined;
  if (!isNewer) return undefined;
  if ((look.looks?.length ?? 0) > (newest.looks?.length ?? 0)) return 'planned-look';
  if (look.step !== newest.step) return 'stage-action';
  if (look.latched.length > newest.latched.length) return 'crossing';
  if (saying(look.verdict) !== saying(newest.verdict) && !isBackAndForth(newest, look, recent)) return 'verdict';
  if (look.definitionHash !== newest.definitionHash) return 'definition';
  return dayOf(look.knownUntilUs) > dayOf(newest.knownUntilUs) ? 'daily' : undefined;
};

type Said = Pick<RecordHead, 'knownUntilUs' | 'verdict'>;

/**
 * Evidence at the edge of a boundary says one thing at one look and another at the next. What is new is told at once; what was told already is told
 * again a minute later, and a go is taken back when it is a minute old: whoever acts goes by the newest look besides. Harm never waits.
 */
const isBackAndForth = (newest: Said, look: Said, recent: readonly Said[]): boolean => {
  const { verdict } = look.verdict;
  if (look.knownUntilUs - newest.knownUntilUs >= BACK_AND_FORTH_US) return false;
  if (verdict === 'no-go' && newest.verdict.verdict !== 'invalid') return false;
  const takesBackAGo = newest.verdict.verdict === 'go' && (verdict === 'continue' || verdict === 'inconclusive');
  const sinceUs = look.knownUntilUs - BACK_AND_FORTH_US;
  return takesBackAGo || recent.some((one) => one.knownUntilUs > sinceUs && saying(one.verdict) === saying(look.verdict));
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
  readonly completedAtUs?: InstantUs;
  readonly definition: RecordedDefinition;
  readonly seenEvents: ReadonlySet<string>;
  readonly conclusion: Conclusion;
  readonly engine: string;
}

export const recordOf = (look: RecordedLook): DecisionRecord => {
  const { place, policy, cause, previous, knownUntilUs, definition, conclusion, engine } = look;
  const { figures, statistics, verdict, actions, latched, looks, numbers, evidenceDigest, conclusionDigest } = conclusion;
  const record: DecisionRecord = {
    id: recordIdOf({ ...place, policy, knownUntilUs, definition }),
    previous,
    ...place,
    cause,
    policy,
    knownUntilUs,
    ...(look.completedAtUs === undefined ? {} : { completedAtUs: look.completedAtUs }),
    definition,
    seenEvents: [...look.seenEvents].sort(),
    sums: statistics,
    population: figures.population.rows,
    verdict,
    actions,
    latched,
    ...(looks === null ? {} : { looks }),
    numbers,
    evidenceDigest,
    conclusionDigest,
    engine,
  };
  return { ...record, seal: sealOf(record) };
};

/** SHA-256 of everything in a record but the seal itself. */
export const sealOf = ({ seal: _, ...sealed }: DecisionRecord): string => sha256(canonicalJson(sealed));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
