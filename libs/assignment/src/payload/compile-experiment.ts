/** One experiment, compiled: a rule's, or one of its own. */

import { memberOf } from '../conditions/attributes.js';
import { compileCondition } from '../conditions/condition.js';
import { isObject } from '../conditions/predicates.js';
import { boundsOf, bucketRanges, type Range } from '../hashing/ranges.js';
import { prerequisitesHold } from '../ruleset/decide.js';
import type {
  CompiledExperiment,
  Decision,
  Filter,
  Gates,
  Leaf,
  Prerequisite,
  RuleNote,
  StickySettings,
  Unusual,
} from '../ruleset/ruleset.js';
import type { Compilation } from './compilation.js';
import type { Assigning, PayloadExperiment, PayloadFilter, PayloadMeta, PayloadPrerequisite } from './payload.js';
import { compileUrl, compileUrlTargets } from './url-targeting.js';

export const DEFAULT_ATTRIBUTE = 'id';
const listOf = <T>(value: unknown): readonly T[] => (Array.isArray(value) ? value : []);
/** What a list holds that isn't what it should be: here it fits nobody. */
const NOTHING: Readonly<Record<string, unknown>> = {};

export const compileFilters = (filters: readonly PayloadFilter[] | undefined, compilation: Compilation): readonly Filter[] | null =>
  Array.isArray(filters)
    ? filters.map((filter: unknown) => {
        const { attribute, hashVersion, ranges, seed } = (isObject(filter) ? filter : NOTHING) as unknown as Partial<PayloadFilter>;
        return compilation.filter(String(seed), seed, ranges, hashVersion || 2, attribute || DEFAULT_ATTRIBUTE);
      })
    : null;

/** Conditions on a prerequisite's value know no saved groups: so do the public SDKs. */
export const compilePrerequisites = (
  list: readonly PayloadPrerequisite[] | undefined,
  { features }: Compilation,
): readonly Prerequisite[] | null => {
  const compiled = listOf<unknown>(list).map((one) => {
    const { condition, gate, id } = (isObject(one) ? one : NOTHING) as unknown as Partial<PayloadPrerequisite>;
    const feature = String(id);
    return { feature, find: () => features.get(feature), test: compileCondition(condition || {}), gate: Boolean(gate) };
  });
  return compiled.length === 0 ? null : compiled;
};

const compileGates = (experiment: PayloadExperiment, attribute: string, compilation: Compilation): Gates | null => {
  const { condition, groups, include, namespace } = experiment;
  const filters = compileFilters(experiment.filters, compilation);
  const prerequisites = compilePrerequisites(experiment.parentConditions, compilation);
  const [id, start, end] = listOf<unknown>(namespace);
  const gates: Gates = {
    filters,
    namespace: Array.isArray(namespace) ? compilation.filter(String(id), `__${String(id)}`, [[start, end]], 1, attribute) : null,
    include: typeof include === 'function' ? include : null,
    condition: compilation.condition(condition),
    prerequisitesHold: prerequisites === null ? null : (unit) => prerequisitesHold(prerequisites, unit),
    groups: Array.isArray(groups) ? groups : null,
  };
  return Object.values(gates).every((gate) => gate === null) ? null : gates;
};

const compileUnusual = (experiment: PayloadExperiment): Unusual | null => {
  const { active, status, url, urlPatterns, variations } = experiment;
  const hasForce = 'force' in experiment;
  if (variations.length >= 2 && !urlPatterns && !url && active !== false && status !== 'draft' && status !== 'stopped' && !hasForce) {
    return null;
  }
  return {
    hasTooFewArms: variations.length < 2,
    matchesUrlPatterns: urlPatterns ? compileUrlTargets(urlPatterns) : null,
    matchesUrl: url ? compileUrl(url) : null,
    isInactive: status === 'draft' || active === false,
    isStopped: status === 'stopped',
    force: hasForce ? (typeof experiment.force === 'number' ? experiment.force : -1) : null,
  };
};

const compileSticky = (experiment: Assigning): StickySettings | null =>
  experiment.disableStickyBucketing
    ? null
    : {
        fallback: experiment.fallbackAttribute || null,
        bucketVersion: experiment.bucketVersion || 0,
        minBucketVersion: experiment.minBucketVersion || 0,
        variationKeys: listOf<PayloadMeta | null>(experiment.meta).map((one) => one?.key),
      };

/** Whose experiment it is, and what its results say beside its own settings. */
export interface Belonging {
  readonly feature: string | null;
  readonly ruleId: string;
  readonly note: RuleNote | null;
  readonly leaf: Leaf | null;
  /** Already asked by the rule: not to be asked twice. Its presence silences the namespace. */
  readonly hasFilteredRule: boolean;
}

const compileDecisions = (
  experiment: PayloadExperiment,
  compiled: () => CompiledExperiment,
  belonging: Belonging,
  hashUsed: boolean,
  compilation: Compilation,
): readonly Decision[] =>
  experiment.variations.map((value, arm) => {
    const meta = listOf<PayloadMeta | null>(experiment.meta)[arm];
    return compilation.decision({
      feature: belonging.feature ?? '',
      value,
      reason: !hashUsed ? 'OVERRIDE' : belonging.note?.kind === 'holdout' ? 'HOLDOUT' : 'SPLIT',
      source: 'experiment',
      ruleId: belonging.ruleId,
      variant: meta?.key || String(arm),
      arm,
      experiment: compiled(),
      hashUsed,
      passthrough: meta?.passthrough === true,
      note: belonging.note,
    });
  });

/** @param given as its results show it; overrides from outside are laid over it */
export const compileExperiment = (
  given: PayloadExperiment,
  overrides: Readonly<Record<string, Partial<PayloadExperiment>>> | undefined,
  belonging: Belonging,
  compilation: Compilation,
): CompiledExperiment => {
  const override = memberOf(overrides, given.key);
  const merged: PayloadExperiment = override ? { ...given, ...(override as Partial<PayloadExperiment>) } : given;
  const { filters: _asked, namespace: _silenced, ...unfiltered } = merged;
  const experiment: PayloadExperiment = belonging.hasFilteredRule ? unfiltered : merged;
  const attribute = experiment.hashAttribute || DEFAULT_ATTRIBUTE;
  const hash = compilation.hash(experiment.seed || experiment.key, experiment.hashVersion || 1, attribute);
  const { coverage, ranges, variations, weights } = experiment;
  const chosen: readonly Range[] = Array.isArray(ranges) ? ranges : bucketRanges(variations.length, coverage, weights);
  const leaf = belonging.leaf === null || !weights ? belonging.leaf : { ...belonging.leaf, variationWeights: weights };
  const compiled: CompiledExperiment & { assigned: readonly Decision[]; forced: readonly Decision[] } = {
    key: experiment.key,
    feature: belonging.feature,
    shown: given as unknown as Readonly<Record<string, unknown>>,
    variations,
    attribute,
    hash,
    bounds: boundsOf(chosen, hash?.bucketing.buckets ?? 1),
    gates: compileGates(experiment, attribute, compilation),
    unusual: compileUnusual(experiment),
    sticky: compileSticky(experiment),
    leaf,
    assigned: [],
    forced: [],
  };
  compiled.assigned = compileDecisions(experiment, () => compiled, belonging, true, compilation);
  compiled.forced = compileDecisions(experiment, () => compiled, belonging, false, compilation);
  return compiled;
};

/** An experiment of its own, outside features. */
export const compileStandalone = (
  experiment: PayloadExperiment,
  overrides: Readonly<Record<string, Partial<PayloadExperiment>>> | undefined,
  compilation: Compilation,
): CompiledExperiment => {
  const variations = listOf<unknown>(experiment.variations);
  return compileExperiment({ ...experiment, variations }, overrides, STANDALONE, compilation);
};
const STANDALONE: Belonging = { feature: null, ruleId: '', note: null, leaf: null, hasFilteredRule: false };
