/** What the platform defines, as far as assignment needs it: plain data, mapped from what is published. */
import type { SavedGroups } from '../conditions/predicates.js';
import type { Range } from '../hashing/ranges.js';
import type { ConditionObject, PayloadPrerequisite } from '../payload/payload.js';

export interface VariantDefinition {
  readonly key: string;
  readonly value: unknown;
}

/** Variants by what a unit may choose for itself. What isn't named is left to the rules. */
export interface ChoiceDefinition {
  readonly in?: string;
  readonly out?: string;
  readonly later?: string;
  /** By channel: `early`, `standard`, `slow`. */
  readonly channels?: Readonly<Record<string, string>>;
}

export interface FeatureDefinition {
  readonly key: string;
  readonly variants: readonly VariantDefinition[];
  readonly defaultVariant: string;
  /** What held-out units get; default: the default variant. */
  readonly controlVariant?: string;
  /** false: off in this environment, one value for all. */
  readonly isEnabled?: boolean;
  readonly choices?: ChoiceDefinition;
  /** Another feature must have a value that meets the condition on `value`; with `gate` this one is null otherwise. */
  readonly prerequisites?: readonly PayloadPrerequisite[];
  /** Everybody gets this variant, after overrides, holdouts and experiments: the last step of a rollout. */
  readonly release?: { readonly key: string; readonly variant: string };
}

export interface ArmDefinition {
  /** Key of the feature's variant. */
  readonly variant: string;
  /** A share of the sum of all weights. */
  readonly weight: number;
}

/** One segment of an experiment or ramp stage. Arms in order, control first: the order is part of the assignment. */
export interface ExperimentDefinition {
  readonly key: string;
  readonly feature: string;
  readonly version: number;
  readonly segment: number;
  /** Of the comparison: equal in all its segments, so that a higher coverage moves nobody. */
  readonly seed: string;
  readonly arms: readonly ArmDefinition[];
  /** Share of the eligible units, 0 … 1. */
  readonly coverage: number;
  /** Default `id`. */
  readonly unitAttribute?: string;
  readonly targeting?: ConditionObject;
  readonly layer?: { readonly key: string; readonly ranges: readonly Range[] };
  /** Sticky buckets of SDKs; off on ramp stages, whose ranges grow. */
  readonly isSticky?: boolean;
  readonly bucketVersion?: number;
  readonly minBucketVersion?: number;
}

/** Experiments of one layer share its units without overlap. */
export interface LayerDefinition {
  readonly key: string;
  readonly seed: string;
  readonly unitAttribute?: string;
}

/** Units kept out: they get the control of every feature that the holdout covers. */
export interface HoldoutDefinition {
  readonly key: string;
  readonly seed: string;
  /** Share of the units, 0 … 1. */
  readonly share: number;
  readonly unitAttribute?: string;
  /** Default: all features. */
  readonly features?: readonly string[];
}

/** Units that get a variant by name or by condition: never randomised. */
export interface OverrideDefinition {
  readonly key: string;
  readonly feature: string;
  readonly variant: string;
  readonly unitAttribute?: string;
  readonly units?: readonly string[];
  readonly condition?: ConditionObject;
}

export interface Definitions {
  readonly features: readonly FeatureDefinition[];
  readonly experiments?: readonly ExperimentDefinition[];
  readonly layers?: readonly LayerDefinition[];
  readonly holdouts?: readonly HoldoutDefinition[];
  readonly overrides?: readonly OverrideDefinition[];
  readonly groups?: SavedGroups;
}
