/** When units may be set apart, and what must not change while they are. */
import type { Decider } from '../decider.js';
import { isEqual } from '../equality.js';
import { DomainError } from '../errors.js';
import type { Feature } from '../feature/feature.js';
import { requireSlug } from '../tenancy/slug.js';
import {
  type Allocation,
  type AllocationEvent,
  evolveAllocation,
  type Holdout,
  initialAllocation,
  type Layer,
  type Override,
} from './allocation.js';
import { requireSoundCondition } from './sound-condition.js';

type WithoutSeed<Of> = Omit<Of, 'seed'>;

interface Defining {
  /** Refuses a key that is in use; otherwise what is there is replaced. */
  readonly isNew?: boolean;
  readonly atUs: number;
}

export type AllocationCommand =
  /** The seed is taken where there is none yet. */
  | ({ readonly type: 'DefineLayer'; readonly definition: WithoutSeed<Layer>; readonly seed: string } & Defining)
  | ({
      readonly type: 'DefineHoldout';
      readonly definition: WithoutSeed<Holdout>;
      readonly seed: string;
      /** Of those that it names: what does not exist. */
      readonly missingFeatures: readonly string[];
    } & Defining)
  | { readonly type: 'EndHoldout'; readonly atUs: number }
  | ({
      readonly type: 'DefineOverride';
      readonly environment: string;
      readonly definition: Override;
      readonly feature: Feature;
    } & Defining)
  | { readonly type: 'RemoveOverride'; readonly atUs: number };

type Of<Type extends AllocationCommand['type']> = Extract<AllocationCommand, { type: Type }>;

const decide = (command: AllocationCommand, state: Allocation): readonly AllocationEvent[] => {
  switch (command.type) {
    case 'DefineLayer':
      return defineLayer(command, state);
    case 'DefineHoldout':
      return defineHoldout(command, state);
    case 'DefineOverride':
      return defineOverride(command, state);
    case 'EndHoldout':
      if (state.kind !== 'holdout') throw notFound('holdout');
      return state.isActive ? [{ type: 'HoldoutEnded', atUs: command.atUs }] : [];
    case 'RemoveOverride':
      if (state.kind !== 'override') throw notFound('override');
      return state.isActive ? [{ type: 'OverrideRemoved', environment: state.environment, atUs: command.atUs }] : [];
  }
};

const defineLayer = ({ definition, seed, isNew, atUs }: Of<'DefineLayer'>, state: Allocation): readonly AllocationEvent[] => {
  requireSlug('layer', definition.key);
  requireNew('layer', definition.key, isNew, state);
  const kept = state.kind === 'layer' ? state.definition : undefined;
  requireSameUnits('layer', kept, definition);
  const next: Layer = { ...definition, seed: kept?.seed ?? seed };
  return isEqual(kept, next) ? [] : [{ type: 'LayerDefined', definition: next, atUs }];
};

const defineHoldout = (command: Of<'DefineHoldout'>, state: Allocation): readonly AllocationEvent[] => {
  const { definition, missingFeatures, seed, isNew, atUs } = command;
  requireSlug('holdout', definition.key);
  requireNew('holdout', definition.key, isNew, state);
  const [missing] = missingFeatures;
  if (missing !== undefined)
    throw new DomainError('feature-not-found', `there is no feature "${missing}" to hold out: define it first`, {
      path: '/features',
      missingFeatures,
    });
  if (state.kind === 'holdout' && !state.isActive)
    throw new DomainError(
      'holdout-ended',
      `holdout "${definition.key}" was ended, and its units are not held out any more: define another one`,
      {
        path: '/key',
      },
    );
  const kept = state.kind === 'holdout' ? state.definition : undefined;
  requireSameUnits('holdout', kept, definition);
  const next: Holdout = { ...definition, seed: kept?.seed ?? seed };
  return isEqual(kept, next) ? [] : [{ type: 'HoldoutDefined', definition: next, atUs }];
};

const defineOverride = (command: Of<'DefineOverride'>, state: Allocation): readonly AllocationEvent[] => {
  const { definition, environment, feature, isNew, atUs } = command;
  const { key, units, condition } = definition;
  requireSlug('override', key);
  requireNew('override', key, isNew, state);
  if (units === undefined && condition === undefined)
    throw new DomainError(
      'override-of-nobody',
      `override "${key}" names neither units nor a condition: it would be everybody's; name either`,
      {
        path: '/units',
      },
    );
  requireVariant(definition, feature);
  if (condition !== undefined) requireSoundCondition('condition', condition);
  if (state.kind === 'override' && state.environment !== environment) {
    const message = `override "${key}" is one of ${state.environment} and can't become one of ${environment}: choose another key there`;
    throw new DomainError('override-elsewhere', message, { path: '/key', environment: state.environment });
  }
  const isSame = state.kind === 'override' && state.isActive && isEqual(state.definition, definition);
  return isSame ? [] : [{ type: 'OverrideDefined', environment, definition, atUs }];
};

const requireSameUnits = (what: string, before: Layer | undefined, after: WithoutSeed<Layer>): void => {
  if (before === undefined || before.unitType === after.unitType) return;
  const message = `${what} "${after.key}" is of units of type ${before.unitType} and can't become one of ${after.unitType}: everybody would move; define another one`;
  throw new DomainError(`${what}-unit-type`, message, { path: '/unitType', unitType: before.unitType });
};

const requireVariant = ({ feature: key, variant }: Override, feature: Feature): void => {
  const newest = feature.versions.at(-1)?.definition;
  if (newest === undefined)
    throw new DomainError('feature-not-found', `there is no feature "${key}": define it first`, { path: '/feature' });
  const variants = newest.variants.map((one) => one.key);
  if (variants.includes(variant)) return;
  throw new DomainError('variant-not-of-feature', `variant "${variant}" is none of feature "${key}": ${variants.join(', ')}`, {
    path: '/variant',
    variants,
  });
};

/** @param state  none, or one that is over */
const requireNew = (what: Exclude<Allocation['kind'], 'absent'>, key: string, isNew: boolean | undefined, state: Allocation): void => {
  if (isNew !== true || state.kind === 'absent' || !state.isActive) return;
  throw new DomainError(`${what}-exists`, `there is a ${what} "${key}" already: replace it by PUT, or choose another key`, {
    path: '/key',
  });
};

const notFound = (what: string): DomainError =>
  new DomainError(`${what}-not-found`, `there is no such ${what} in this project: define it first`);

export const allocationDecider: Decider<Allocation, AllocationCommand, AllocationEvent> = {
  initialState: initialAllocation,
  decide,
  evolve: evolveAllocation,
};
