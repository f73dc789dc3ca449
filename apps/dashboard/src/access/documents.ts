/** What the control API answers, as far as this page reads it: documents that contracts has no name for. */
import type { Actions, ExperimentDefinition, ExperimentState, MetricDefinition, Policy, VerdictKind } from '@rampart/contracts';

export interface Items<Item> {
  readonly items: readonly Item[];
}

export interface ProjectDocument {
  readonly key: string;
  readonly name: string;
}

export interface EnvironmentDocument {
  readonly key: string;
  readonly kind: 'live' | 'historical';
}

export interface LookDocument {
  readonly comparison: number;
  readonly stage: string | null;
  readonly policy: Policy;
  readonly knownUntil: string;
  readonly verdict: VerdictKind;
  readonly sentence: string;
  readonly actions: Actions;
  readonly units: number;
  readonly record: string | null;
  readonly lookedAt: string;
}

export type RunDocument = ExperimentState & { readonly revision: number; readonly look?: LookDocument | null };

export interface ExperimentDocument {
  readonly key: string;
  readonly version: number;
  readonly revision: number;
  readonly definition: ExperimentDefinition;
  readonly environments: Readonly<Record<string, RunDocument>>;
}

export interface MetricDocument {
  readonly key: string;
  readonly definition: MetricDefinition;
}

export interface FeatureDocument {
  readonly key: string;
  readonly environments?: Readonly<Record<string, { readonly isKilled?: boolean; readonly killed?: boolean }>>;
}
