/** What definitions are compiled to: flat, shared, never written to after the compile step. */
import type { Predicate } from '../conditions/predicates.js';
import type { Bucketing } from '../hashing/bucket.js';
import type { Bounds } from '../hashing/ranges.js';
import type { Tracked, Unit } from './unit.js';

/** Why a unit has its value. What goes over the wire is `wireReason`. */
export type Reason =
  | 'STATIC' // no rules, or released: one value for all
  | 'TARGETING_MATCH'
  | 'SPLIT' // by its bucket: the only randomised one
  | 'DEFAULT' // nothing matched, or outside every rollout
  | 'DISABLED'
  | 'OVERRIDE'
  | 'HOLDOUT'
  | 'USER_CHANNEL' // the unit's own choice
  | 'PREREQUISITE' // a feature that this one needs has another value
  | 'CYCLE' // features that need each other
  | 'FLAG_NOT_FOUND';

/** The public SDKs' name for where a value comes from. */
export type Source = 'unknownFeature' | 'defaultValue' | 'force' | 'override' | 'experiment' | 'prerequisite' | 'cyclicPrerequisite';

/** What a rule stands for, where it came from our definitions. */
export interface RuleNote {
  readonly kind: 'override' | 'holdout' | 'experiment' | 'release';
  readonly key: string;
  /** What the rule gives, where it gives one variant. */
  readonly variant?: string;
  readonly layer?: string;
  readonly version?: number;
  readonly segment?: number;
}

/** One answer of one feature. Shared by all units that get it: made by the compile step, not by an evaluation. */
export interface Decision {
  readonly feature: string;
  readonly value: unknown;
  readonly reason: Reason;
  readonly source: Source;
  /** Empty where the rule has none. */
  readonly ruleId: string;
  /** Key of the variant, null when no experiment or override chose. */
  readonly variant: string | null;
  /** Place of the variant in its experiment; -1 without. */
  readonly arm: number;
  readonly experiment: CompiledExperiment | null;
  /** Chosen by the hash: an exposure that can be compared. Forced ones are not. */
  readonly hashUsed: boolean;
  /** The experiment counts the unit, but the value comes from a later rule. */
  readonly passthrough: boolean;
  readonly note: RuleNote | null;
  /** What the compile step's `encode` made of it, once; empty without. */
  readonly encoded: string;
}

/** A hash of one attribute with one seed. Equal ones of a ruleset share a slot, so that bulk evaluation hashes once. */
export interface HashUse {
  readonly bucketing: Bucketing;
  readonly attribute: string;
  /** Place in the bulk's buckets; -1: hashed when needed. */
  slot: number;
}

export interface Condition {
  readonly test: Predicate;
  /** Place in the bulk's memory of conditions; -1: asked each time. */
  readonly slot: number;
}

/** `hash` is null for an unknown hash version: everybody is out. */
export interface Filter {
  readonly name: string;
  readonly hash: HashUse | null;
  readonly bounds: Bounds;
}

export interface Rollout {
  readonly hash: HashUse | null;
  readonly bounds: Bounds;
  readonly fallback: string | null;
}

export interface Prerequisite {
  readonly feature: string;
  readonly find: () => CompiledFeature | undefined;
  readonly test: Predicate;
  /** Failing blocks the whole feature, not just the rule. */
  readonly gate: boolean;
}

/** What an experiment asks of a unit that has no sticky bucket, in this order. */
export interface Gates {
  readonly filters: readonly Filter[] | null;
  readonly namespace: Filter | null;
  readonly include: (() => boolean) | null;
  readonly condition: Condition | null;
  readonly prerequisitesHold: ((unit: Unit) => boolean) | null;
  readonly groups: readonly string[] | null;
}

/** What few experiments have; null for the others. */
export interface Unusual {
  readonly hasTooFewArms: boolean;
  readonly matchesUrlPatterns: ((url: string) => boolean) | null;
  readonly matchesUrl: ((url: string) => boolean) | null;
  readonly isInactive: boolean;
  readonly isStopped: boolean;
  /** Every unit that is in gets this arm; -1 where it names none: then nobody is in. */
  readonly force: number | null;
}

export interface Leaf {
  readonly leafId: number;
  readonly variationWeights: readonly number[] | undefined;
  readonly banditVersion: number | undefined;
}

export interface CompiledExperiment {
  readonly key: string;
  readonly feature: string | null;
  /** The experiment as the public SDKs show it in results. */
  readonly shown: Readonly<Record<string, unknown>>;
  readonly variations: readonly unknown[];
  readonly attribute: string;
  readonly hash: HashUse | null;
  readonly bounds: Bounds;
  readonly gates: Gates | null;
  readonly unusual: Unusual | null;
  readonly sticky: StickySettings | null;
  readonly leaf: Leaf | null;
  /** By arm: chosen by the hash, and forced. */
  readonly assigned: readonly Decision[];
  readonly forced: readonly Decision[];
}

/** Used only for units that bring sticky buckets; null where the experiment turned them off. */
export interface StickySettings {
  readonly fallback: string | null;
  readonly bucketVersion: number;
  readonly minBucketVersion: number;
  readonly variationKeys: readonly (string | undefined)[];
}

export interface CompiledRule {
  readonly index: number;
  readonly id: string;
  readonly note: RuleNote | null;
  readonly prerequisites: readonly Prerequisite[] | null;
  readonly filters: readonly Filter[] | null;
  /** A rule with a value of its own; null: a rule that runs an experiment. */
  readonly forced: Decision | null;
  readonly condition: Condition | null;
  readonly rollout: Rollout | null;
  readonly tracks: readonly Tracked[] | null;
  readonly experiment: CompiledExperiment | null;
  /** Contextual bandit: the first leaf whose condition holds has its own weights. */
  readonly leaves: readonly { readonly condition: Condition; readonly experiment: CompiledExperiment }[] | null;
}

export interface CompiledFeature {
  readonly key: string;
  readonly rules: readonly CompiledRule[];
  /** What a unit's own choice gets: `in`, `out`, `later`, or a channel's name. */
  readonly choices: { readonly own: ReadonlyMap<string, Decision>; readonly channels: ReadonlyMap<string, Decision> } | null;
  readonly byDefault: Decision;
  readonly blocked: Decision;
  readonly cyclic: Decision;
}

/** Version 2 hashes of one attribute, ready for lanes; `buckets` is a part of the ruleset's buckets. */
export interface HashGroup {
  readonly attribute: string;
  readonly uses: readonly HashUse[];
  readonly states: Int32Array;
  readonly buckets: Int32Array;
}

/** A definition that could not be compiled as meant: the rule named assigns nobody. */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

export interface Ruleset {
  readonly features: ReadonlyMap<string, CompiledFeature>;
  readonly list: readonly CompiledFeature[];
  readonly groups: readonly HashGroup[];
  readonly legacyHashes: readonly HashUse[];
  readonly problems: readonly Problem[];
  /** Scratch of `evaluateAll`: one bucket a hash, one answer a condition. */
  readonly buckets: Int32Array;
  readonly memory: Uint8Array;
}
