/**
 * What a feature's value is for a unit. One way through for evaluation, explanation and prerequisites:
 * the unit's own choice, then the rules in order (overrides, holdouts, experiments with their layers, releases), then the default.
 */
import { conditionHolds, isInRollout, isTargeted, passesFilters } from './checks.js';
import type { CompiledExperiment, CompiledFeature, CompiledRule, Decision, Prerequisite, Reason, Source } from './ruleset.js';
import { runExperiment } from './run-experiment.js';
import { traced, type Unit } from './unit.js';

/** A decision outside every experiment. */
export const plainDecision = (feature: string, value: unknown, reason: Reason, source: Source): Decision => ({
  feature,
  value,
  reason,
  source,
  ruleId: '',
  variant: null,
  arm: -1,
  experiment: null,
  hashUsed: false,
  passthrough: false,
  note: null,
  encoded: '',
});

const forcedValue = (feature: string, unit: Unit): Decision | null => {
  const { forcedValues } = unit;
  if (forcedValues === null || !forcedValues.has(feature)) return null;
  if (unit.trace !== null) traced(unit, 'forced value', feature, true);
  return plainDecision(feature, forcedValues.get(feature), 'OVERRIDE', 'override');
};

/** A choice for this feature outweighs the channel's. */
const ownChoice = (feature: CompiledFeature, unit: Unit): Decision | null => {
  const { choices } = unit.context;
  if (choices === undefined || feature.choices === null) return null;
  const own = choices.features?.[feature.key];
  const chosen = own === undefined ? undefined : feature.choices.own.get(own);
  const decision = chosen ?? (choices.channel === undefined ? undefined : feature.choices.channels.get(choices.channel));
  if (unit.trace !== null) traced(unit, 'preference', chosen === undefined ? (choices.channel ?? '') : (own ?? ''), decision !== undefined);
  return decision ?? null;
};

/** @returns null: they hold; a decision: the feature ends here; 'next': the rule doesn't apply */
const askPrerequisites = (list: readonly Prerequisite[], feature: CompiledFeature, unit: Unit): Decision | 'next' | null => {
  for (const prerequisite of list) {
    const found = decidePrerequisite(prerequisite, feature.key, unit);
    const holds = found.reason !== 'CYCLE' && prerequisite.test({ value: found.value });
    if (unit.trace !== null) traced(unit, 'prerequisite', prerequisite.feature, holds);
    if (found.reason === 'CYCLE') return feature.cyclic;
    if (!holds) return prerequisite.gate ? feature.blocked : 'next';
  }
  return null;
};

const decidePrerequisite = (prerequisite: Prerequisite, askedBy: string | null, unit: Unit): Decision => {
  const { feature } = prerequisite;
  const path = askedBy === null ? unit.path : [...unit.path, askedBy];
  if (path.includes(feature)) return plainDecision(feature, null, 'CYCLE', 'cyclicPrerequisite');
  const { path: pathBefore, trace, rule } = unit;
  unit.path = path;
  unit.trace = null; // its steps are its own: explain that feature to see them
  const found = prerequisite.find();
  const decision = found === undefined ? decideUnknown(feature, unit) : decide(found, unit);
  unit.path = pathBefore;
  unit.trace = trace;
  unit.rule = rule;
  return decision;
};

/** For an experiment of its own, outside features. There are no gates: failing is being out. */
export const prerequisitesHold = (list: readonly Prerequisite[], unit: Unit): boolean =>
  list.every((prerequisite) => {
    const found = decidePrerequisite(prerequisite, null, unit);
    return found.reason !== 'CYCLE' && prerequisite.test({ value: found.value });
  });

const experimentOf = (rule: CompiledRule, unit: Unit): CompiledExperiment | null => {
  if (rule.leaves === null) return rule.experiment;
  return rule.leaves.find(({ condition }) => conditionHolds(condition, unit))?.experiment ?? rule.experiment;
};

/** @returns null: the next rule is asked */
const decideRule = (rule: CompiledRule, feature: CompiledFeature, unit: Unit): Decision | null => {
  if (unit.trace !== null) unit.rule = rule.index;
  if (rule.prerequisites !== null) {
    const ended = askPrerequisites(rule.prerequisites, feature, unit);
    unit.bucket = -1; // theirs is not ours
    if (ended !== null) return ended === 'next' ? null : ended;
  }
  if (rule.filters !== null && !passesFilters(rule.filters, unit)) return null;
  if (rule.forced !== null) {
    if (rule.condition !== null && !isTargeted(rule.condition, unit)) return null;
    if (rule.rollout === null) unit.bucket = -1;
    else if (!isInRollout(rule.rollout, unit)) return null;
    if (rule.tracks !== null) unit.tracked?.push(...rule.tracks);
    return rule.forced;
  }
  const experiment = experimentOf(rule, unit);
  if (experiment === null) return null;
  const decision = runExperiment(experiment, unit);
  return decision === null || decision.passthrough ? null : decision;
};

/** @returns a decision that is shared by all units that get it */
export const decide = (feature: CompiledFeature, unit: Unit): Decision => {
  unit.bucket = -1;
  unit.stickyUsed = false;
  if (!unit.isPlain) {
    const early = forcedValue(feature.key, unit) ?? ownChoice(feature, unit);
    if (early !== null) return early;
  }
  for (const rule of feature.rules) {
    const decision = decideRule(rule, feature, unit);
    if (decision !== null) return decision;
  }
  unit.bucket = -1;
  return feature.byDefault;
};

export const decideUnknown = (feature: string, unit: Unit): Decision =>
  forcedValue(feature, unit) ?? plainDecision(feature, null, 'FLAG_NOT_FOUND', 'unknownFeature');
