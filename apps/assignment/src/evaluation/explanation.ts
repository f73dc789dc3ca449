/** Why a unit gets what it gets: every rule in its order, what it asked and what came of it, in sentences and in data. */
import { type CompiledFeature, explain, type Step, type Unit } from '@rampart/assignment';
import { answerText, type FlagAnswer } from './flag-answer.js';
import { answerOf, type ServedRuleset } from './served-ruleset.js';

const BUCKETS = 10_000;

export interface ExplainedRange {
  readonly variant: string;
  /** Buckets from … to, of 10,000; the end does not belong to it. */
  readonly from: number;
  readonly to: number;
}

export interface ExplainedRule {
  readonly rule: string;
  readonly kind: 'override' | 'holdout' | 'experiment' | 'release' | 'prerequisite';
  readonly key: string;
  readonly outcome: 'decided' | 'passed' | 'not-asked';
  readonly sentence: string;
  /** Of 10,000; null where none was looked up. */
  readonly bucket: number | null;
  readonly ranges: readonly ExplainedRange[];
  readonly layer: { readonly key: string; readonly bucket: number | null; readonly isIn: boolean } | null;
  readonly steps: readonly { readonly kind: Step['kind']; readonly passed: boolean; readonly bucket: number | null }[];
}

export interface FlagExplanation {
  readonly feature: string;
  readonly environment: string;
  readonly version: string;
  /** As OFREP would answer; nothing is counted. */
  readonly answer: Readonly<Record<string, unknown>>;
  readonly decidedBy: { readonly kind: string; readonly key: string } | null;
  readonly sentence: string;
  readonly rules: readonly ExplainedRule[];
}

type Rule = CompiledFeature['rules'][number];

const inBuckets = (share: number | undefined): number | null => (share === undefined ? null : Math.round(share * BUCKETS));
const rangeText = ({ from, to }: Pick<ExplainedRange, 'from' | 'to'>): string => `[${from}, ${to})`;

const rangesOf = ({ experiment, note, rollout }: Rule): readonly ExplainedRange[] => {
  const bounds = experiment?.bounds ?? rollout?.bounds;
  if (bounds === undefined) return [];
  return Array.from({ length: bounds.length / 2 }, (_, place) => ({
    variant: experiment?.assigned[place]?.variant ?? note?.variant ?? '',
    from: bounds[2 * place] ?? 0,
    to: bounds[2 * place + 1] ?? 0,
  }));
};

const attributeOf = ({ experiment, rollout }: Rule): string => experiment?.attribute ?? rollout?.hash?.attribute ?? 'id';

/** What the experiment said, from its first refusal on. */
const experimentSentence = (key: string, rule: Rule, steps: readonly Step[], bucket: number | null): string => {
  const ranges = rangesOf(rule);
  const layer = steps.find(({ kind }) => kind === 'layer');
  if (layer?.passed === false) {
    const where = layer.bucket === undefined ? 'the unit has no bucket there' : `bucket ${inBuckets(layer.bucket)} belongs to others`;
    return `The experiment ${key} has a part of the layer ${rule.note?.layer ?? ''} for itself, and ${where}.`;
  }
  if (steps.some(({ kind, passed }) => kind === 'targeting' && !passed)) return `The unit is not targeted by the experiment ${key}.`;
  if (bucket === null) return `The experiment ${key} splits by the attribute ${attributeOf(rule)}, which the unit does not have.`;
  const mine = ranges.find(({ from, to }) => bucket >= from && bucket < to);
  if (mine !== undefined) return `Bucket ${bucket} of the experiment ${key} lies in ${rangeText(mine)}: variant ${mine.variant}.`;
  return `Bucket ${bucket} of the experiment ${key} lies in none of ${ranges.map(rangeText).join(', ')}: the unit takes no part.`;
};

const sentenceOf = (rule: Rule, steps: readonly Step[], bucket: number | null, isDecided: boolean): string => {
  const { note } = rule;
  const missing = steps.find(({ kind, passed }) => kind === 'prerequisite' && !passed);
  if (missing !== undefined) return `The feature ${missing.name}, which this one needs, has another value.`;
  if (note === null) return 'The features that this one needs have their values.';
  switch (note.kind) {
    case 'override':
      return isDecided ? `The override ${note.key} is for this unit: variant ${note.variant}.` : `The override ${note.key} is for others.`;
    case 'holdout': {
      if (bucket === null) return `The holdout ${note.key} goes by the attribute ${attributeOf(rule)}, which the unit does not have.`;
      const range = rangesOf(rule).map(rangeText).join(', ');
      return `Bucket ${bucket} of the holdout ${note.key} lies ${isDecided ? 'in' : 'outside'} ${range}: ${isDecided ? 'held out' : 'not held out'}.`;
    }
    case 'experiment':
      return experimentSentence(note.key, rule, steps, bucket);
    case 'release':
      return `The decision about ${note.key} gives everybody ${note.variant}.`;
  }
};

const explainedRule = (rule: Rule, all: readonly Step[], decidedAt: number): ExplainedRule => {
  const { note } = rule;
  const steps = all.filter((step) => step.rule === rule.index);
  const isAsked = rule.index <= decidedAt || decidedAt < 0;
  const isDecided = rule.index === decidedAt;
  const chosen = steps.findLast(({ kind }) => kind === 'allocation' || kind === 'rollout');
  const bucket = inBuckets(chosen?.bucket);
  const layer = steps.find(({ kind }) => kind === 'layer');
  return {
    rule: rule.id,
    kind: note?.kind ?? 'prerequisite',
    key: note?.key ?? '',
    outcome: isDecided ? 'decided' : isAsked ? 'passed' : 'not-asked',
    sentence: isAsked ? sentenceOf(rule, steps, bucket, isDecided) : 'A rule before it decided.',
    bucket,
    ranges: rangesOf(rule),
    layer: layer === undefined ? null : { key: note?.layer ?? '', bucket: inBuckets(layer.bucket), isIn: layer.passed },
    steps: steps.map((step) => ({ kind: step.kind, passed: step.passed, bucket: inBuckets(step.bucket) })),
  };
};

const reasonSentences: Readonly<Partial<Record<string, string>>> = {
  DEFAULT: 'No rule applies to the unit: the caller uses the default of its code.',
  DISABLED: 'The kill switch is on in this environment: everybody gets the default variant.',
  STATIC: 'Nothing runs on the feature: everybody gets the default variant.',
  CYCLE: 'The feature needs itself by way of others: it has no value.',
};

const decidingSentence = (rules: readonly ExplainedRule[], reason: string): string =>
  rules.find(({ outcome }) => outcome === 'decided')?.sentence ?? reasonSentences[reason] ?? `The reason is ${reason}.`;

/** @returns undefined for a flag that nobody defined */
export const explainFlag = (key: string, served: ServedRuleset, unit: Unit, staleSeconds: number | null): FlagExplanation | undefined => {
  const feature = served.ruleset.features.get(key);
  if (feature === undefined) return undefined;
  // The same way through the rules as an evaluation, with its steps written down.
  const explained = explain(served.ruleset, key, unit);
  const answer: FlagAnswer | undefined = answerOf(served, explained.decision);
  if (answer === undefined) return undefined;
  const rules = feature.rules.map((rule) => explainedRule(rule, explained.steps, explained.rule?.index ?? -1));
  const { decidedBy } = explained;
  return {
    feature: key,
    environment: served.environment,
    version: served.version,
    answer: JSON.parse(answerText(answer, { bucket: unit.bucket, staleSeconds })) as Readonly<Record<string, unknown>>,
    decidedBy: decidedBy === null ? null : { kind: decidedBy.kind, key: decidedBy.key },
    sentence: decidingSentence(rules, explained.decision.reason),
    rules,
  };
};
