/** From the public SDK payload to a ruleset. Our own definitions take the same way, with a note on each rule: there is one engine. */
import { memberOf } from '../conditions/attributes.js';
import { isObject } from '../conditions/predicates.js';
import { boundsOf, equalWeights, rolloutBounds } from '../hashing/ranges.js';
import { plainDecision } from '../ruleset/decide.js';
import type {
  CompiledExperiment,
  CompiledFeature,
  CompiledRule,
  Decision,
  Leaf,
  Reason,
  Rollout,
  RuleNote,
  Ruleset,
} from '../ruleset/ruleset.js';
import { Compilation, type CompileOptions } from './compilation.js';
import { compileExperiment, compileFilters, compilePrerequisites, DEFAULT_ATTRIBUTE } from './compile-experiment.js';
import type { ContextualBandit, Payload, PayloadExperiment, PayloadFeature, PayloadRule } from './payload.js';

/** What our own definitions add to a feature of the payload. */
export interface FeatureNotes {
  /** By rule. */
  readonly rules: readonly (RuleNote | null)[];
  readonly isDisabled: boolean;
  readonly choices: CompiledFeature['choices'];
  readonly defaultVariant: string;
}

const EXPERIMENT_SETTINGS = [
  'weights',
  'hashAttribute',
  'fallbackAttribute',
  'disableStickyBucketing',
  'namespace',
  'meta',
  'ranges',
  'name',
  'phase',
  'seed',
  'hashVersion',
  'filters',
  'condition',
] as const satisfies readonly (keyof PayloadRule)[];

/** The experiment that a rule describes: what is known, and nothing else that the rule may carry. */
const experimentOf = (rule: PayloadRule, variations: readonly unknown[], feature: string): PayloadExperiment => {
  const settings: Record<string, unknown> = { variations, key: rule.key || feature };
  if ('coverage' in rule) settings.coverage = rule.coverage;
  for (const name of EXPERIMENT_SETTINGS) if (rule[name]) settings[name] = rule[name];
  if (rule.bucketVersion !== undefined) settings.bucketVersion = rule.bucketVersion;
  if (rule.minBucketVersion !== undefined) settings.minBucketVersion = rule.minBucketVersion;
  return settings as unknown as PayloadExperiment;
};

const REASONS: Readonly<Record<RuleNote['kind'], Reason>> = {
  override: 'OVERRIDE',
  holdout: 'HOLDOUT',
  release: 'STATIC',
  experiment: 'SPLIT',
};

const reasonOfForce = (rule: PayloadRule, note: RuleNote | null): Reason => {
  if (note !== null) return REASONS[note.kind];
  if (rule.range || rule.coverage !== undefined) return 'SPLIT';
  return rule.condition || rule.filters || rule.parentConditions ? 'TARGETING_MATCH' : 'STATIC';
};

const compileRollout = (rule: PayloadRule, feature: string, compilation: Compilation): Rollout | null => {
  const { coverage, range } = rule;
  if (!range && (coverage === undefined || coverage === null)) return null;
  const hash = compilation.hash(rule.seed || feature, rule.hashVersion || 1, rule.hashAttribute || DEFAULT_ATTRIBUTE);
  const buckets = hash?.bucketing.buckets ?? 1;
  return {
    hash,
    bounds: range ? boundsOf([range], buckets) : rolloutBounds(coverage ?? 0, buckets),
    fallback: rule.disableStickyBucketing ? null : rule.fallbackAttribute || null,
  };
};

/** Leaves with their own weights, and what is left to those outside all of them. */
const compileBandit = (
  bandit: ContextualBandit,
  experiment: PayloadExperiment,
  compile: (experiment: PayloadExperiment, leaf: Leaf) => CompiledExperiment,
  compilation: Compilation,
): Pick<CompiledRule, 'leaves' | 'experiment'> => {
  const { banditVersion } = bandit;
  const contexts = Array.isArray(bandit.contexts) ? (bandit.contexts as NonNullable<ContextualBandit['contexts']>).filter(isObject) : [];
  const leaves = contexts.flatMap(({ condition, leafId, weights }) => {
    const held = compilation.condition(condition || {});
    return held === null
      ? []
      : [{ condition: held, experiment: compile({ ...experiment, weights }, { leafId, variationWeights: weights, banditVersion }) }];
  });
  const variationWeights = experiment.weights ?? equalWeights(experiment.variations.length);
  return { leaves, experiment: compile(experiment, { leafId: -1, variationWeights, banditVersion }) };
};

interface Place {
  readonly feature: string;
  readonly index: number;
  readonly note: RuleNote | null;
}

const forcedDecision = (rule: PayloadRule, { feature, note }: Place, compilation: Compilation): Decision | null => {
  if (!('force' in rule)) return null;
  const plain = plainDecision(feature, rule.force, reasonOfForce(rule, note), 'force');
  return compilation.decision({ ...plain, ruleId: rule.id || '', variant: note?.variant ?? null, note });
};

const compileAssigning = (
  rule: PayloadRule,
  place: Place,
  payload: Payload,
  compilation: Compilation,
): Pick<CompiledRule, 'leaves' | 'experiment'> => {
  const variations = rule.contextualVariations ?? rule.variations;
  if (!Array.isArray(variations)) return { leaves: null, experiment: null };
  const experiment = experimentOf(rule, variations, place.feature);
  const compile = (one: PayloadExperiment, leaf: Leaf | null) =>
    compileExperiment(
      one,
      payload.overrides,
      { feature: place.feature, ruleId: rule.id || '', note: place.note, leaf, hasFilteredRule: Array.isArray(rule.filters) },
      compilation,
    );
  const bandit = rule.contextualBanditRef ? memberOf(payload.contextualBandits, rule.contextualBanditRef) : null;
  if (isObject(bandit)) return compileBandit(bandit as unknown as ContextualBandit, experiment, compile, compilation);
  return { leaves: null, experiment: compile(experiment, null) };
};

const compileRule = (rule: PayloadRule, place: Place, payload: Payload, compilation: Compilation): CompiledRule => {
  const forced = forcedDecision(rule, place, compilation);
  return {
    index: place.index,
    id: rule.id || '',
    note: place.note,
    prerequisites: compilePrerequisites(rule.parentConditions, compilation),
    filters: compileFilters(rule.filters, compilation),
    forced,
    condition: forced === null ? null : compilation.condition(rule.condition),
    rollout: forced === null ? null : compileRollout(rule, place.feature, compilation),
    tracks: Array.isArray(rule.tracks) ? rule.tracks : null,
    ...(forced === null ? compileAssigning(rule, place, payload, compilation) : { leaves: null, experiment: null }),
  };
};

/** A rule whose settings can't even be read is left out, and named: it assigns nobody. */
const compileOrLeaveOut = (rule: PayloadRule, place: Place, payload: Payload, compilation: Compilation): readonly CompiledRule[] => {
  try {
    return [compileRule(rule, place, payload, compilation)];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `Rule ${place.index} of the feature ${place.feature} can't be read (${why}): it assigns nobody until that is corrected.`;
    compilation.problems.push({ code: 'rule-unusable', message });
    return [];
  }
};

const reasonOfDefault = (notes: FeatureNotes | undefined, rules: readonly PayloadRule[]): Reason => {
  if (notes?.isDisabled === true) return 'DISABLED';
  return rules.length === 0 ? 'STATIC' : 'DEFAULT';
};

const compileFeature = (
  key: string,
  feature: PayloadFeature,
  notes: FeatureNotes | undefined,
  payload: Payload,
  compilation: Compilation,
): CompiledFeature => {
  const rules = Array.isArray(feature.rules) ? (feature.rules as readonly PayloadRule[]).filter(isObject) : [];
  const { defaultValue = null } = feature;
  const byDefault = {
    ...plainDecision(key, defaultValue, reasonOfDefault(notes, rules), 'defaultValue'),
    variant: notes?.defaultVariant ?? null,
  };
  return {
    key,
    rules: rules.flatMap((rule, index) =>
      compileOrLeaveOut(rule, { feature: key, index, note: notes?.rules[index] ?? null }, payload, compilation),
    ),
    choices: notes?.choices ?? null,
    byDefault: compilation.decision(byDefault),
    blocked: compilation.decision(plainDecision(key, null, 'PREREQUISITE', 'prerequisite')),
    cyclic: compilation.decision(plainDecision(key, null, 'CYCLE', 'cyclicPrerequisite')),
  };
};

export const compileInto = (payload: Payload, notes: ReadonlyMap<string, FeatureNotes>, compilation: Compilation): Ruleset => {
  for (const [key, feature] of Object.entries(payload.features ?? {})) {
    if (isObject(feature)) compilation.features.set(key, compileFeature(key, feature, notes.get(key), payload, compilation));
  }
  return compilation.ruleset();
};

/** Once per change of the payload. Nothing in it can make this throw: what is no rule assigns nobody. */
export const compilePayload = (payload: Payload, options: CompileOptions = {}): Ruleset =>
  compileInto(payload, new Map(), new Compilation(payload.savedGroups ?? {}, options));
