/** A feature: what code asks for by key, and the values that it can get. */

export type FeatureValueType = 'boolean' | 'string' | 'number' | 'json';

export interface FeatureDefinition {
  readonly key: string;
  readonly name: string;
  readonly valueType: FeatureValueType;
  readonly variants: readonly { readonly key: string; readonly value: unknown }[];
  readonly defaultVariant: string;
}

export type FeatureEvent = {
  readonly type: 'FeatureDefined';
  readonly version: number;
  readonly definition: FeatureDefinition;
  readonly atUs: number;
};

export interface FeatureVersion {
  readonly version: number;
  readonly definition: FeatureDefinition;
  readonly definedAtUs: number;
}

/** Versions in order, beginning with 1; none: the feature does not exist. */
export interface Feature {
  readonly versions: readonly FeatureVersion[];
}

export const initialFeature: Feature = { versions: [] };

export const evolveFeature = ({ versions }: Feature, { version, definition, atUs }: FeatureEvent): Feature => ({
  versions: [...versions, { version, definition, definedAtUs: atUs }],
});
