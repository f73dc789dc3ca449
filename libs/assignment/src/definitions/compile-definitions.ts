/**
 * Our definitions as rules of the public payload, with a note on each of what it stands for. So an SDK with the payload, and the
 * service with the definitions, run the same rules: they can't disagree but in what a payload doesn't know, a unit's own choice.
 */
import { bucketRanges, type Range } from '../hashing/ranges.js';
import { Compilation, type CompileOptions } from '../payload/compilation.js';
import { compileInto, type FeatureNotes } from '../payload/compile-payload.js';
import type { Payload, PayloadFeature, PayloadRule } from '../payload/payload.js';
import { plainDecision } from '../ruleset/decide.js';
import type { CompiledFeature, Decision, RuleNote, Ruleset } from '../ruleset/ruleset.js';
import { checkExperiments, checkOthers, hasVariant } from './check-definitions.js';
import type { Definitions, ExperimentDefinition, FeatureDefinition, HoldoutDefinition, OverrideDefinition } from './definitions.js';

interface Lowered {
  readonly rule: PayloadRule;
  readonly note: RuleNote | null;
}

const HASH_VERSION = 2;
const valueOfVariant = (feature: FeatureDefinition, variant: string): unknown =>
  feature.variants.find(({ key }) => key === variant)?.value ?? null;

/** Lists of units become a condition; an override with both asks for both. */
const overrideRule = (feature: FeatureDefinition, override: OverrideDefinition): Lowered => {
  const { condition, key, unitAttribute = 'id', units, variant } = override;
  const named = units === undefined ? undefined : { [unitAttribute]: { $in: units } };
  const both = named !== undefined && condition !== undefined ? { $and: [named, condition] } : (named ?? condition);
  // Neither units nor condition: it would be everybody, which an override never is.
  return {
    rule: { id: `override:${key}`, force: valueOfVariant(feature, variant), condition: both ?? { $nor: [{}] } },
    note: { kind: 'override', key, variant },
  };
};

const holdoutRule = (feature: FeatureDefinition, { key, seed, share, unitAttribute = 'id' }: HoldoutDefinition): Lowered => {
  const variant = feature.controlVariant ?? feature.defaultVariant;
  const force = valueOfVariant(feature, variant);
  return {
    rule: { id: `holdout:${key}`, force, seed, range: [0, share], hashVersion: HASH_VERSION, hashAttribute: unitAttribute },
    note: { kind: 'holdout', key, variant },
  };
};

/** The ranges of an experiment's arms: what every SDK is told, and what a ramp stage widens. */
export const armRanges = ({ arms, coverage }: Pick<ExperimentDefinition, 'arms' | 'coverage'>): Range[] => {
  const sum = arms.reduce((total, { weight }) => total + weight, 0);
  return bucketRanges(
    arms.length,
    coverage,
    arms.map(({ weight }) => weight / sum),
  );
};

const experimentRule = (feature: FeatureDefinition, experiment: ExperimentDefinition, { layers = [] }: Definitions): Lowered => {
  const {
    arms,
    bucketVersion,
    isSticky = false,
    key,
    layer,
    minBucketVersion,
    segment,
    seed,
    targeting,
    unitAttribute = 'id',
    version,
  } = experiment;
  const inLayer = layer === undefined ? undefined : layers.find((one) => one.key === layer.key);
  return {
    rule: {
      id: `experiment:${key}`,
      key,
      variations: arms.map(({ variant }) => valueOfVariant(feature, variant)),
      meta: arms.map(({ variant }) => ({ key: variant })),
      ranges: armRanges(experiment),
      seed,
      hashVersion: HASH_VERSION,
      hashAttribute: unitAttribute,
      phase: String(segment),
      ...(targeting === undefined ? {} : { condition: targeting }),
      ...(isSticky ? {} : { disableStickyBucketing: true }),
      ...(bucketVersion === undefined ? {} : { bucketVersion }),
      ...(minBucketVersion === undefined ? {} : { minBucketVersion }),
      ...(layer === undefined || inLayer === undefined
        ? {}
        : { filters: [{ seed: inLayer.seed, ranges: layer.ranges, hashVersion: HASH_VERSION, attribute: inLayer.unitAttribute ?? 'id' }] }),
    },
    note: { kind: 'experiment', key, version, segment, ...(layer === undefined ? {} : { layer: layer.key }) },
  };
};

const releaseRule = (feature: FeatureDefinition, { key, variant }: NonNullable<FeatureDefinition['release']>): Lowered => ({
  rule: { id: `release:${key}`, force: valueOfVariant(feature, variant) },
  note: { kind: 'release', key, variant },
});

/** What blocks the whole feature is asked once, before all rules and by a rule without a value; the rest is asked by each rule. */
const withPrerequisites = (feature: FeatureDefinition, rules: readonly Lowered[]): readonly Lowered[] => {
  const gates = (feature.prerequisites ?? []).filter(({ gate }) => gate === true);
  const others = (feature.prerequisites ?? []).filter(({ gate }) => gate !== true);
  const asking = others.length === 0 ? rules : rules.map(({ note, rule }) => ({ note, rule: { ...rule, parentConditions: others } }));
  return gates.length === 0 ? asking : [{ rule: { id: 'prerequisites', parentConditions: gates }, note: null }, ...asking];
};

/** Override → holdout → experiments (layer, targeting, allocation) → release. */
const rulesOf = (
  feature: FeatureDefinition,
  experiments: readonly ExperimentDefinition[],
  definitions: Definitions,
): readonly Lowered[] => {
  const { holdouts = [], overrides = [] } = definitions;
  if (feature.isEnabled === false) return [];
  const mine = overrides.filter((override) => override.feature === feature.key && hasVariant(feature, override.variant));
  const covering = holdouts.filter(({ features, share }) => share > 0 && share <= 1 && (features ?? [feature.key]).includes(feature.key));
  return withPrerequisites(feature, [
    ...mine.map((override) => overrideRule(feature, override)),
    ...covering.map((holdout) => holdoutRule(feature, holdout)),
    ...experiments.filter((one) => one.feature === feature.key).map((one) => experimentRule(feature, one, definitions)),
    ...(feature.release === undefined ? [] : [releaseRule(feature, feature.release)]),
  ]);
};

const choicesOf = (feature: FeatureDefinition, compilation: Compilation): CompiledFeature['choices'] => {
  const { choices, isEnabled } = feature;
  if (choices === undefined || isEnabled === false) return null;
  const { channels = {}, ...own } = choices;
  const decisions = (by: Readonly<Record<string, string | undefined>>): ReadonlyMap<string, Decision> =>
    new Map(
      Object.entries(by).flatMap(([choice, variant]) => {
        if (variant === undefined || !hasVariant(feature, variant)) return [];
        const plain = plainDecision(feature.key, valueOfVariant(feature, variant), 'USER_CHANNEL', 'force');
        return [[choice, compilation.decision({ ...plain, ruleId: `choice:${choice}`, variant })] as const];
      }),
    );
  return { own: decisions({ ...own }), channels: decisions(channels) };
};

interface LoweredFeature {
  readonly feature: FeatureDefinition;
  readonly rules: readonly Lowered[];
}

const lower = (definitions: Definitions): readonly LoweredFeature[] => {
  const { usable } = checkExperiments(definitions);
  return definitions.features.map((feature) => ({ feature, rules: rulesOf(feature, usable, definitions) }));
};

const payloadOf = (lowered: readonly LoweredFeature[], { groups = {} }: Definitions): Payload => ({
  features: Object.fromEntries(
    lowered.map(({ feature, rules }): [string, PayloadFeature] => [
      feature.key,
      { defaultValue: valueOfVariant(feature, feature.defaultVariant), rules: rules.map(({ rule }) => rule) },
    ]),
  ),
  savedGroups: groups,
});

/** What the public SDKs are served. It names the units of overrides: give it only to those who may know them. */
export const payloadOfDefinitions = (definitions: Definitions): Payload => payloadOf(lower(definitions), definitions);

/** Once per change. What can't be meant is in `problems` and assigns nobody; the rest is served. */
export const compileDefinitions = (definitions: Definitions, options: CompileOptions = {}): Ruleset => {
  const lowered = lower(definitions);
  const compilation = new Compilation(definitions.groups ?? {}, options);
  compilation.problems.push(...checkExperiments(definitions).problems, ...checkOthers(definitions));
  const notes = lowered.map(({ feature, rules }): [string, FeatureNotes] => [
    feature.key,
    {
      rules: rules.map(({ note }) => note),
      isDisabled: feature.isEnabled === false,
      choices: choicesOf(feature, compilation),
      defaultVariant: feature.defaultVariant,
    },
  ]);
  return compileInto(payloadOf(lowered, definitions), new Map(notes), compilation);
};
