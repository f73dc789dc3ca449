/** The doors of the engine: one feature, all features, and why. */
import { bucketOf } from '../hashing/bucket.js';
import { bucketsInLanes, LONGEST_LANE_ID } from '../hashing/lanes.js';
import { decide, decideUnknown } from './decide.js';
import type { Decision, HashGroup, Reason, RuleNote, Ruleset } from './ruleset.js';
import { idOf, type Step, type Unit } from './unit.js';

/** One feature's decision. `unit.bucket` is the bucket that decided, -1 where none did. */
export const evaluate = (ruleset: Ruleset, feature: string, unit: Unit): Decision => {
  const found = ruleset.features.get(feature);
  return found === undefined ? decideUnknown(feature, unit) : decide(found, unit);
};

const hashGroup = ({ attribute, buckets, states, uses }: HashGroup, unit: Unit): void => {
  const id = idOf(unit, attribute);
  if (id === undefined) buckets.fill(-1);
  else if (id.length <= LONGEST_LANE_ID) bucketsInLanes(states, id, buckets);
  else {
    uses.forEach(({ bucketing }, i) => {
      buckets[i] = bucketOf(bucketing, id);
    });
  }
};

/**
 * All features at once: every seed is hashed in lanes of four, every distinct condition asked once.
 * @param decisions where the answers go, in the order of `ruleset.list`; a fresh array without
 * @param buckets where the deciding buckets go, in the same order
 */
export const evaluateAll = (ruleset: Ruleset, unit: Unit, decisions: Decision[] = [], buckets?: Int32Array): Decision[] => {
  for (const group of ruleset.groups) hashGroup(group, unit);
  for (const { attribute, bucketing, slot } of ruleset.legacyHashes) {
    const id = idOf(unit, attribute);
    ruleset.buckets[slot] = id === undefined ? -1 : bucketOf(bucketing, id);
  }
  ruleset.memory.fill(0);
  unit.buckets = ruleset.buckets;
  unit.memory = ruleset.memory;
  let at = 0;
  for (const feature of ruleset.list) {
    decisions[at] = decide(feature, unit);
    if (buckets !== undefined) buckets[at] = unit.bucket;
    at += 1;
  }
  unit.buckets = null;
  unit.memory = null;
  return decisions;
};

export interface Explanation {
  readonly decision: Decision;
  /** What decided, where a rule of our definitions did: an override, a holdout, an experiment with its layer, a release. */
  readonly decidedBy: RuleNote | null;
  /** Place and id of the deciding rule; null when the default or the unit's own choice decided. */
  readonly rule: { readonly index: number; readonly id: string } | null;
  /** In [0, 1), null where no bucket decided. */
  readonly bucket: number | null;
  readonly layer: { readonly name: string; readonly bucket: number | null } | null;
  /** Everything that was asked, in order. */
  readonly steps: readonly Step[];
}

/** The same evaluation with its steps written down: there is no second way through that could disagree. */
export const explain = (ruleset: Ruleset, feature: string, unit: Unit): Explanation => {
  const steps: Step[] = [];
  unit.trace = steps;
  unit.rule = -1;
  const decision = evaluate(ruleset, feature, unit);
  unit.trace = null;
  const rules = ruleset.features.get(feature)?.rules ?? [];
  const index = isByRule(decision) ? unit.rule : -1;
  const asked = steps.filter((step) => step.rule === index && index >= 0);
  const chosen = asked.findLast(({ kind }) => kind === 'allocation' || kind === 'rollout');
  const layer = asked.findLast(({ kind }) => kind === 'layer');
  return {
    decision,
    decidedBy: decision.note,
    rule: index < 0 ? null : { index, id: rules.find((rule) => rule.index === index)?.id ?? '' },
    bucket: unit.bucket < 0 ? null : (chosen?.bucket ?? null),
    layer: layer === undefined ? null : { name: layer.name, bucket: layer.bucket ?? null },
    steps,
  };
};

const isByRule = ({ reason, source }: Decision): boolean =>
  reason !== 'USER_CHANNEL' && (source === 'force' || source === 'experiment' || source === 'prerequisite');

/**
 * Reasons as OpenFeature's remote protocol lists them, with our finer one beside where they differ.
 * A feature that nobody knows has no reason there but an error: ask for `FLAG_NOT_FOUND` first.
 */
export const wireReason = (reason: Reason): { readonly reason: string; readonly finer?: Reason } => {
  switch (reason) {
    case 'STATIC':
    case 'TARGETING_MATCH':
    case 'SPLIT':
    case 'DISABLED':
      return { reason };
    case 'HOLDOUT':
      return { reason: 'SPLIT', finer: reason };
    case 'OVERRIDE':
    case 'USER_CHANNEL':
      return { reason: 'TARGETING_MATCH', finer: reason };
    default:
      return { reason: 'UNKNOWN', finer: reason };
  }
};
