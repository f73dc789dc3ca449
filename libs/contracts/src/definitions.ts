/**
 * `definitions.v1`: what is in force, for every process that keeps a replica. Compacted, three families of keys:
 * `v/project/kind/id/version` and `h/project/kind/id/environment/revision` never change, `head/project/kind/id/environment` points to the newest revision.
 * In force at T is the last revision known ≤ T, also after a revert.
 */
import type { HoldoutDefinition, LayerDefinition, OverrideDefinition } from './allocation.js';
import type { ExperimentDefinition, ExperimentState } from './experiments.js';
import type { MetricDefinition } from './metrics.js';

export type DefinitionKind = 'project' | 'environment' | 'key' | 'metric' | 'feature' | 'experiment' | 'layer' | 'holdout' | 'override';
export type Role = 'admin' | 'manager' | 'analyst' | 'emit' | 'import' | 'client';

export interface ProjectDefinition {
  readonly key: string;
  readonly name: string;
}
export interface EnvironmentDefinition {
  readonly project: string;
  readonly key: string;
  readonly kind: 'live' | 'historical';
}
/** The key itself is never stored: only its SHA-256, as 64 hex digits. */
export interface KeyDefinition {
  readonly id: string;
  readonly hash: string;
  readonly role: Role;
  readonly project: string | null;
  readonly environment: string | null;
  readonly name: string;
  readonly revoked: boolean;
  /** The secret before the last rotation works until then, in microseconds since the epoch. */
  readonly previous?: { readonly hash: string; readonly untilUs: number };
  readonly expiresAtUs?: number;
  /** Absent: that of the service. */
  readonly quota?: KeyQuota;
}
/** Events a second in the long run, and at once after a pause. */
export interface KeyQuota {
  readonly eventsPerSecond: number;
  readonly burst: number;
}
export interface FeatureDefinition {
  readonly key: string;
  readonly name: string;
  readonly valueType: 'boolean' | 'string' | 'number' | 'json';
  readonly variants: readonly { readonly key: string; readonly value: unknown }[];
  readonly defaultVariant: string;
}

/** A feature in one environment. */
export interface FeatureState {
  readonly feature: string;
  /** The kill switch: everybody gets the default variant, whatever experiments and releases say. */
  readonly isKilled: boolean;
}

/** What the value of a `v/` or `h/` key holds, by kind. Project-wide kinds use environment `-` in `h/` keys; a feature’s and an experiment’s state have the feature’s and the experiment’s kind in theirs, and their environment. */
export type PublishedValue =
  | { readonly kind: 'project'; readonly value: ProjectDefinition }
  | { readonly kind: 'environment'; readonly value: EnvironmentDefinition }
  | { readonly kind: 'key'; readonly value: KeyDefinition }
  | { readonly kind: 'metric'; readonly version: number; readonly value: MetricDefinition }
  | { readonly kind: 'feature'; readonly version: number; readonly value: FeatureDefinition }
  | { readonly kind: 'feature-state'; readonly revision: number; readonly value: FeatureState }
  | { readonly kind: 'layer'; readonly value: LayerDefinition }
  | { readonly kind: 'holdout'; readonly value: HoldoutDefinition }
  | { readonly kind: 'override'; readonly value: OverrideDefinition }
  | { readonly kind: 'experiment'; readonly version: number; readonly value: ExperimentDefinition }
  | { readonly kind: 'experiment-state'; readonly revision: number; readonly value: ExperimentState };

/**
 * On a message that says again what was said before, without a unit that was erased: the known time of the first message, in microseconds. Such a definition
 * was known then, and what followed it still does.
 */
export const FIRST_KNOWN_HEADER = 'first-known';

/** When what a message defines became known: at its own known time, or, where it is said again, at that of the first. */
export const definitionKnownAtUs = (message: {
  readonly headers: Readonly<Record<string, string>>;
  readonly knownAtUs: number;
}): number => {
  const first = Number(message.headers[FIRST_KNOWN_HEADER] ?? Number.NaN);
  return Number.isSafeInteger(first) ? first : message.knownAtUs;
};

export interface Head {
  readonly revision: number;
}

export const versionKey = (project: string, kind: DefinitionKind, id: string, version: number): string =>
  `v/${project}/${kind}/${id}/${version}`;
export const revisionKey = (project: string, kind: DefinitionKind, id: string, environment: string, revision: number): string =>
  `h/${project}/${kind}/${id}/${environment}/${revision}`;
export const headKey = (project: string, kind: DefinitionKind, id: string, environment: string): string =>
  `head/${project}/${kind}/${id}/${environment}`;

/** The environment of kinds that belong to a whole project, and the project of kinds that belong to the platform. */
export const EVERYWHERE = '-';
