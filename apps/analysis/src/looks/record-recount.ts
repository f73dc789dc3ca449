/** A record counted again: the same rows and rules must say the same, or say what differs. */
import {
  type Crossing,
  canonicalJson,
  type DecisionRecord,
  type PopulationRow,
  type Replay,
  type ReplayedRecord,
  type SufficientStatistics,
  type SumDifference,
  type TakenLook,
} from '@rampart/contracts';
import type { ComparisonQuery, ComparisonSums } from '@rampart/feedback-store';
import { comparisonQuery, type DefinitionInForce } from '../definitions/definition-in-force.js';
import { type Conclusion, conclude, conclusionDigest } from '../figures/conclusion.js';
import { evidenceDigest } from '../figures/evidence-digest.js';
import { unitsErased } from '../results/erased-units.js';
import { ENGINE, ENGINE_WITHOUT_SEAL } from './engine.js';
import { lookTarget } from './look-target.js';
import { recordIdOf, sealOf } from './records.js';

export const recordedDefinition = ({
  project,
  definition,
}: DecisionRecord): DefinitionInForce & { state: NonNullable<DefinitionInForce['state']> } => ({
  project,
  ...definition,
});

/** @param completedAtUs  of a history, where the record does not say it itself: the newest completion that its look knew */
export const recordedQuery = (record: DecisionRecord, completedAtUs: number | null = null): ComparisonQuery =>
  comparisonQuery(recordedDefinition(record), record.knownUntilUs, record.completedAtUs ?? completedAtUs);

/**
 * Crossings that earlier looks saw and no record held yet: named by the record, so they are counted again as of their own moments.
 * @param recorded  those of the previous record
 */
export const rememberedCrossings = (record: DecisionRecord, recorded: DecisionRecord['latched']): DecisionRecord['latched'] =>
  record.latched.filter(
    (crossing) => crossing.knownUntilUs < record.knownUntilUs && !recorded.some((one) => isSameCrossing(one, crossing)),
  );

const isSameCrossing = (one: Crossing, other: Crossing): boolean => canonicalJson(one) === canonicalJson(other);

/** Whether the look of that moment crosses it. @param sums  of that moment; @param latchedBefore  all earlier ones */
export const isCrossedAgain = (
  record: DecisionRecord,
  crossing: Crossing,
  sums: ComparisonSums,
  latchedBefore: DecisionRecord['latched'],
  looksBefore: readonly TakenLook[] = [],
): boolean => {
  const { knownUntilUs, ramp } = crossing;
  const { definition } = record;
  // A go is one of the step at which it was seen.
  const state = ramp === undefined ? definition.state : { ...definition.state, ramp: { stageStartedAtUs: 0, ...ramp } };
  const then = { ...record, knownUntilUs, definition: { ...definition, state } };
  const takenBefore = looksBefore.filter((taken) => taken.knownUntilUs <= knownUntilUs);
  return recountedConclusion(then, sums, latchedBefore, takenBefore).latched.some((one) => isSameCrossing(one, crossing));
};

/** @param sums  as the store counts them today; @param latchedBefore  all earlier crossings; @param looksBefore  planned looks taken before it */
export const recountedConclusion = (
  record: DecisionRecord,
  sums: ComparisonSums,
  latchedBefore: DecisionRecord['latched'],
  looksBefore: readonly TakenLook[] = [],
): Conclusion => {
  const definition = recordedDefinition(record);
  return conclude({
    definition,
    query: recordedQuery(record),
    sums,
    plan: lookTarget(definition, record.knownUntilUs).plan,
    seenEvents: new Set(record.seenEvents),
    latchedBefore,
    looksBefore,
    knownUntilUs: record.knownUntilUs,
  });
};

/**
 * @param before  id of the record that was appended before it in its chain; null where it is the first
 * @param erasedUnits  of its comparison, since it or a crossing that it remembers
 */
export const replayOf = (record: DecisionRecord, now: Conclusion, before: string | null, erasedUnits = 0): Replay => {
  const differences = [
    ...sumDifferences(record.sums, now.statistics),
    ...populationDifferences(record.population, now.figures.population.rows),
  ];
  const evidence = {
    same: record.evidenceDigest === now.evidenceDigest,
    recorded: record.evidenceDigest,
    recounted: now.evidenceDigest,
    differences,
  };
  const conclusion = {
    same: record.conclusionDigest === now.conclusionDigest,
    recorded: record.conclusionDigest,
    recounted: now.conclusionDigest,
    differences: conclusionDifferences(record, now),
  };
  const engine = { recorded: record.engine, now: ENGINE };
  // Sentences may be worded anew by another engine; the same one says the same.
  const isSaidAnew = engine.recorded === engine.now && evidence.same && conclusion.same;
  const altered = alteredPart(record, before, isSaidAnew ? now : undefined);
  const intact = altered === undefined;
  const sentence = intact ? sentenceOf(evidence, conclusion, engine, erasedUnits) : `the record itself was altered: ${altered}`;
  return { id: record.id, evidence, conclusion, erasedUnits, intact, engine, sentence };
};

/**
 * An altered record that was not counted again: its rows may be gone, or nothing can be counted by what it holds.
 * @param why  what is altered, and why its rows say nothing about it
 */
export const uncountedReplay = (record: DecisionRecord, why: string): Replay => ({
  id: record.id,
  evidence: { same: false, recorded: record.evidenceDigest, recounted: null, differences: [] },
  conclusion: { same: false, recorded: record.conclusionDigest, recounted: null, differences: [] },
  erasedUnits: 0,
  intact: false,
  engine: { recorded: record.engine, now: ENGINE },
  sentence: `the record itself was altered: ${why}`,
});

/** The first differences are enough to know where to look. */
const differencesTold = 20;

/** A replay as one line of many. */
export const standingOf = ({
  evidence,
  conclusion,
  erasedUnits,
  intact,
  sentence,
}: Replay): Pick<ReplayedRecord, 'status' | 'sentence' | 'code' | 'differences'> => {
  // Not an alteration, and nobody's fault: what is missing was to go.
  if (intact && erasedUnits > 0 && !(evidence.same && conclusion.same))
    return { status: 'not-recountable', sentence, code: 'units-erased', differences: [] };
  const status = !intact ? 'altered' : evidence.same && conclusion.same ? 'same' : 'differs';
  return { status, sentence, code: null, differences: evidence.differences.slice(0, differencesTold) };
};

/**
 * What of a record is not as it was appended, as far as it tells without any of its rows.
 * @param before  id of the record that was appended before it in its chain; null where it is the first
 * @returns undefined where everything fits
 */
export const alterationOf = (record: DecisionRecord, before: string | null): string | undefined => {
  try {
    return alteredPart(record, before);
  } catch (error) {
    return unjudged(error);
  }
};

/** A record whose parts are not of their kinds, or fit each other in no way that rules know. */
export const unjudged = (error: unknown): string =>
  `what it holds can't be judged: ${error instanceof Error ? error.message : String(error)}`;

/** @param saidAnew  what the same rules say of the same sums today; absent where one of them differs, or nothing was counted */
const alteredPart = (
  record: DecisionRecord,
  before: string | null,
  saidAnew?: Pick<Conclusion, 'verdict' | 'actions'>,
): string | undefined => {
  if (record.previous !== before) return 'it does not continue the record before it';
  const digests =
    record.evidenceDigest === evidenceDigest(recordedDefinition(record), record.sums, record.population) &&
    record.conclusionDigest === conclusionDigest(record);
  if (!digests) return 'its digests do not fit its contents';
  if (record.id !== recordIdOf(record)) return 'its id is not that of its place, definition and time';
  if (saidAnew !== undefined) {
    if (canonicalJson(record.actions) !== canonicalJson(saidAnew.actions)) return 'its actions are not those of its verdict';
    if (canonicalJson(record.verdict) !== canonicalJson(saidAnew.verdict)) return 'its sentences or findings are not those of its sums';
  }
  const isSealed = record.seal === undefined ? record.engine === ENGINE_WITHOUT_SEAL : record.seal === sealOf(record);
  return isSealed ? undefined : 'its seal does not fit its contents';
};

const sentenceOf = (
  { same, differences }: Replay['evidence'],
  conclusion: Replay['conclusion'],
  engine: Replay['engine'],
  erasedUnits: number,
): string => {
  if (erasedUnits > 0 && !(same && conclusion.same))
    return `${unitsErased(erasedUnits)} since: the record keeps the sums that it was made of, and they can't be counted again from the rows that are left`;
  if (!same)
    return `the rows no longer give the recorded sums: ${differences.slice(0, 3).map(differenceText).join('; ') || 'the definition differs'}`;
  if (conclusion.same) return 'the same rows give the same sums, and the same rules the same verdict';
  const by = engine.recorded === engine.now ? 'though the engine is the same' : `by engine ${engine.now}, recorded by ${engine.recorded}`;
  return `the sums are the same, the conclusion differs ${by}: ${conclusion.differences.map(({ what }) => what).join(', ')}`;
};

const differenceText = ({ metric, arm, field, recorded, recounted }: SumDifference): string =>
  `${metric ?? 'population'} of ${arm}: ${field} was ${recorded ?? 'absent'}, is ${recounted ?? 'absent'}`;

type Fields = Readonly<Record<string, string>>;

const sumDifferences = (recorded: readonly SufficientStatistics[], recounted: readonly SufficientStatistics[]): readonly SumDifference[] =>
  differencesOf(
    recorded,
    recounted,
    (row) => [row.metric, row.variant, row.arm, row.segment, row.stratum].join('\0'),
    (row, field, was, is) => ({
      metric: row.metric,
      arm: row.arm,
      variant: row.variant,
      segment: row.segment,
      field,
      recorded: was,
      recounted: is,
    }),
  );

const populationDifferences = (recorded: readonly PopulationRow[], recounted: readonly PopulationRow[]): readonly SumDifference[] =>
  differencesOf(
    recorded,
    recounted,
    (row) => row.variant,
    (row, field, was, is) => ({
      metric: null,
      arm: row.arm,
      variant: row.variant,
      segment: null,
      field,
      recorded: was,
      recounted: is,
    }),
  );

const differencesOf = <Row extends object>(
  recorded: readonly Row[],
  recounted: readonly Row[],
  keyOf: (row: Row) => string,
  difference: (row: Row, field: string, recorded: string | null, recounted: string | null) => SumDifference,
): readonly SumDifference[] => {
  const [before, after] = [recorded, recounted].map((rows) => new Map(rows.map((row) => [keyOf(row), row])));
  const keys = [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])].sort();
  return keys.flatMap((key) => {
    const [was, is] = [before?.get(key), after?.get(key)];
    const row = was ?? is;
    if (row === undefined) return [];
    const [wasFields, isFields] = [was === undefined ? {} : fieldsOf(was), is === undefined ? {} : fieldsOf(is)];
    const fields = [...new Set([...Object.keys(wasFields), ...Object.keys(isFields)])];
    return fields.flatMap((field) => {
      const [left, right] = [wasFields[field] ?? null, isFields[field] ?? null];
      return left === right ? [] : [difference(row, field, left, right)];
    });
  });
};

/** Nested members as `covariate.units`. */
const fieldsOf = (value: object, prefix = ''): Fields =>
  Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      typeof member === 'object' && member !== null
        ? Object.entries(fieldsOf(member, `${prefix}${name}.`))
        : [[`${prefix}${name}`, String(member)]],
    ),
  );

const conclusionDifferences = (record: DecisionRecord, now: Conclusion): Replay['conclusion']['differences'] => {
  const [was, is] = [told(record), told(now)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].sort();
  return names.flatMap((what) => {
    const [recorded, recounted] = [was[what] ?? null, is[what] ?? null];
    return recorded === recounted ? [] : [{ what, recorded, recounted }];
  });
};

interface Told extends Pick<DecisionRecord, 'verdict' | 'latched' | 'numbers'> {
  readonly looks?: Conclusion['looks'];
}

const told = ({ verdict, latched, looks, numbers }: Told): Fields => ({
  verdict: verdict.verdict,
  rule: verdict.rule,
  latched: canonicalJson(latched),
  ...(looks == null ? {} : { looks: canonicalJson(looks) }),
  ...numbers,
});
