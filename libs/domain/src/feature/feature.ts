/** A feature: what code asks for by key, and the values that it can get. */
import { unreachable } from '../decider.js';

export type FeatureValueType = 'boolean' | 'string' | 'number' | 'json';

export interface FeatureDefinition {
  readonly key: string;
  readonly name: string;
  readonly valueType: FeatureValueType;
  readonly variants: readonly { readonly key: string; readonly value: unknown }[];
  readonly defaultVariant: string;
}

export type FeatureEvent =
  | { readonly type: 'FeatureDefined'; readonly version: number; readonly definition: FeatureDefinition; readonly atUs: number }
  /** Everybody gets the default variant there from now on, whatever experiments and releases say. */
  | { readonly type: 'FeatureKilled'; readonly environment: string; readonly atUs: number }
  | { readonly type: 'FeatureRestored'; readonly environment: string; readonly atUs: number };

export interface FeatureVersion {
  readonly version: number;
  readonly definition: FeatureDefinition;
  readonly definedAtUs: number;
}

/** Versions in order, beginning with 1; none: the feature does not exist. */
export interface Feature {
  readonly versions: readonly FeatureVersion[];
  /** By environment where its kill switch was ever used: whether it is thrown, and how often it was moved. */
  readonly switches: Readonly<Record<string, { readonly isKilled: boolean; readonly revision: number }>>;
}

export const initialFeature: Feature = { versions: [], switches: {} };

export const isKilledIn = ({ switches }: Feature, environment: string): boolean => switches[environment]?.isKilled === true;

export const evolveFeature = (state: Feature, event: FeatureEvent): Feature => {
  switch (event.type) {
    case 'FeatureDefined': {
      const { version, definition, atUs } = event;
      return { ...state, versions: [...state.versions, { version, definition, definedAtUs: atUs }] };
    }
    case 'FeatureKilled':
    case 'FeatureRestored': {
      const { environment, type } = event;
      const moved = { isKilled: type === 'FeatureKilled', revision: (state.switches[environment]?.revision ?? 0) + 1 };
      return { ...state, switches: { ...state.switches, [environment]: moved } };
    }
    default:
      return unreachable(event);
  }
};
