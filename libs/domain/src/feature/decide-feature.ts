/** When a feature may be defined, and what must not change under the code that reads it. */
import type { Decider } from '../decider.js';
import { isEqual } from '../equality.js';
import { DomainError } from '../errors.js';
import { requireSlug } from '../tenancy/slug.js';
import {
  evolveFeature,
  type Feature,
  type FeatureDefinition,
  type FeatureEvent,
  type FeatureValueType,
  initialFeature,
  isKilledIn,
} from './feature.js';

interface DefiningCommand {
  /** `CreateFeature` wants a key that nobody uses yet; `DefineFeature` adds a version, or creates. */
  readonly type: 'CreateFeature' | 'DefineFeature';
  readonly definition: FeatureDefinition;
  readonly atUs: number;
}

export type FeatureCommand =
  | DefiningCommand
  /** The kill switch of one environment. */
  | { readonly type: 'KillFeature' | 'RestoreFeature'; readonly environment: string; readonly atUs: number };

const decide = (command: FeatureCommand, state: Feature): readonly FeatureEvent[] => {
  if ('definition' in command) return define(command, state);
  const { type, environment, atUs } = command;
  if (state.versions.length === 0) throw new DomainError('feature-not-found', 'there is no such feature in this project: define it first');
  const isKill = type === 'KillFeature';
  if (isKilledIn(state, environment) === isKill) return [];
  return [{ type: isKill ? 'FeatureKilled' : 'FeatureRestored', environment, atUs }];
};

const define = ({ type, definition, atUs }: DefiningCommand, { versions }: Feature): readonly FeatureEvent[] => {
  const newest = versions.at(-1);
  if (type === 'CreateFeature' && newest !== undefined) {
    const message = `there is a feature "${definition.key}" already, at version ${newest.version}: replace it to add version ${newest.version + 1}, or choose another key`;
    throw new DomainError('feature-exists', message, { path: '/key', feature: definition.key, version: newest.version });
  }
  requireSlug('feature', definition.key);
  requireVariants(definition);
  if (newest !== undefined) {
    requireSameValueType(newest.definition, definition);
    if (isEqual(newest.definition, definition)) return [];
  }
  return [{ type: 'FeatureDefined', version: versions.length + 1, definition, atUs }];
};

const requireVariants = ({ variants, defaultVariant, valueType }: FeatureDefinition): void => {
  const keys = variants.map((variant) => variant.key);
  const twice = keys.findIndex((key, index) => keys.indexOf(key) !== index);
  if (twice >= 0) throw new DomainError('variant-twice', `variant "${keys[twice]}" is named twice`, { path: `/variants/${twice}/key` });
  variants.forEach(({ key, value }, index) => {
    if (fits(valueType, value)) return;
    const message = `variant "${key}" has a value of type ${typeof value}, the feature's values are ${valueType}`;
    throw new DomainError('variant-value', message, { path: `/variants/${index}/value` });
  });
  if (!keys.includes(defaultVariant)) {
    const message = `the default variant "${defaultVariant}" is none of ${keys.map((key) => `"${key}"`).join(', ')}`;
    throw new DomainError('default-variant-unknown', message, { path: '/defaultVariant' });
  }
};

const fits = (valueType: FeatureValueType, value: unknown): boolean => valueType === 'json' || typeof value === valueType;

const requireSameValueType = (before: FeatureDefinition, after: FeatureDefinition): void => {
  if (before.valueType === after.valueType) return;
  const message = `feature "${before.key}" has values of type ${before.valueType}, which code relies on, and can't become ${after.valueType}: define another feature`;
  throw new DomainError('feature-value-type', message, { path: '/valueType' });
};

export const featureDecider: Decider<Feature, FeatureCommand, FeatureEvent> = {
  initialState: initialFeature,
  decide,
  evolve: evolveFeature,
};
