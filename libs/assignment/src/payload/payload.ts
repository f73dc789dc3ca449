/** The public SDK payload: what a feature's rules may say. Read from outside, so nothing is certain about its values. */
import type { SavedGroups } from '../conditions/predicates.js';
import type { Range } from '../hashing/ranges.js';

export type ConditionObject = Readonly<Record<string, unknown>>;

export interface PayloadFilter {
  readonly seed: string;
  readonly ranges: readonly Range[];
  /** Default 2. */
  readonly hashVersion?: number;
  /** Default `id`. */
  readonly attribute?: string;
}

export interface PayloadPrerequisite {
  readonly id: string;
  readonly condition?: ConditionObject;
  readonly gate?: boolean;
}

export interface PayloadMeta {
  readonly key?: string;
  readonly name?: string;
  readonly passthrough?: boolean;
}

/** What a rule and an experiment of its own have in common. */
export interface Assigning {
  readonly key?: string;
  readonly variations?: readonly unknown[];
  readonly weights?: readonly number[];
  readonly coverage?: number;
  /** In place of weights and coverage. */
  readonly ranges?: readonly Range[];
  readonly meta?: readonly PayloadMeta[];
  readonly filters?: readonly PayloadFilter[];
  /** The older form of a filter: id, start, end. Ignored beside filters. */
  readonly namespace?: readonly [id: string, start: number, end: number];
  readonly seed?: string;
  /** Default 1, which is biased between experiments: new ones say 2. */
  readonly hashVersion?: number;
  readonly hashAttribute?: string;
  readonly fallbackAttribute?: string;
  readonly disableStickyBucketing?: boolean;
  readonly bucketVersion?: number;
  readonly minBucketVersion?: number;
  readonly condition?: ConditionObject;
  readonly parentConditions?: readonly PayloadPrerequisite[];
  readonly name?: string;
  readonly phase?: string;
}

export interface PayloadRule extends Assigning {
  readonly id?: string;
  /** The rule's own value; its presence counts, even as null. */
  readonly force?: unknown;
  /** One range of a forced value; in place of coverage. */
  readonly range?: Range;
  readonly tracks?: readonly {
    readonly experiment: Readonly<Record<string, unknown>>;
    readonly result: Readonly<Record<string, unknown>>;
  }[];
  readonly contextualVariations?: readonly unknown[];
  readonly contextualBanditRef?: string;
}

export interface PayloadFeature {
  readonly defaultValue?: unknown;
  readonly rules?: readonly PayloadRule[];
}

export interface UrlTarget {
  readonly include?: boolean;
  readonly type: string;
  readonly pattern: string;
}

/** An experiment outside features: run by code, or by a page's address. */
export interface PayloadExperiment extends Assigning {
  readonly key: string;
  readonly variations: readonly unknown[];
  readonly urlPatterns?: readonly UrlTarget[];
  readonly include?: () => boolean;
  readonly active?: boolean;
  readonly status?: string;
  readonly force?: number;
  readonly url?: string | RegExp;
  readonly groups?: readonly string[];
  readonly manual?: boolean;
  readonly changeId?: string;
  readonly persistQueryString?: boolean;
}

export interface ContextualBandit {
  readonly banditVersion?: number;
  readonly contexts?: readonly { readonly leafId: number; readonly condition?: ConditionObject; readonly weights: readonly number[] }[];
}

export interface Payload {
  readonly features?: Readonly<Record<string, PayloadFeature>>;
  readonly experiments?: readonly PayloadExperiment[];
  readonly savedGroups?: SavedGroups;
  readonly contextualBandits?: Readonly<Record<string, ContextualBandit>>;
  /** Per experiment key, over the experiment's own settings. */
  readonly overrides?: Readonly<Record<string, Partial<PayloadExperiment>>>;
}
