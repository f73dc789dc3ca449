import { describe, it } from '@jest/globals';
import type { Feature } from '../feature/feature.js';
import { scenario } from '../scenario.contract.js';
import type { AllocationEvent, Holdout, Layer, Override } from './allocation.js';
import { allocationDecider } from './decide-allocation.js';

const { given } = scenario(allocationDecider);
const layer: Layer = { key: 'checkout', name: 'Checkout', unitType: 'user', seed: 'first' };
const holdout: Holdout = { ...layer, key: 'q1', share: 0.05 };
const override: Override = { key: 'testers', feature: 'colour', variant: 'green', unitType: 'user', units: ['u1'] };
const variants = ['blue', 'green'].map((key) => ({ key, value: key }));
const colour = { key: 'colour', name: 'Colour', valueType: 'string', variants, defaultVariant: 'blue' } as const;
const feature: Feature = { versions: [{ version: 1, definition: colour, definedAtUs: 0 }], switches: {} };
const none: Feature = { versions: [], switches: {} };

const { seed: _, ...layerInput } = layer;
const { seed: __, ...holdoutInput } = holdout;
const defineLayer = (change: Partial<typeof layerInput> = {}) =>
  ({ type: 'DefineLayer', definition: { ...layerInput, ...change }, seed: 'second', atUs: 1 }) as const;
const defineHoldout = (change: Partial<typeof holdoutInput> = {}, missingFeatures: readonly string[] = []) =>
  ({ type: 'DefineHoldout', definition: { ...holdoutInput, ...change }, seed: 'second', missingFeatures, atUs: 1 }) as const;
const defineOverride = (change: Partial<Override> = {}, on = feature, environment = 'production') =>
  ({ type: 'DefineOverride', environment, definition: { ...override, ...change }, feature: on, atUs: 1 }) as const;
const layered: AllocationEvent = { type: 'LayerDefined', definition: layer, atUs: 0 };
const heldOut: AllocationEvent = { type: 'HoldoutDefined', definition: holdout, atUs: 0 };
const overridden: AllocationEvent = { type: 'OverrideDefined', environment: 'production', definition: override, atUs: 0 };

describe('a layer', () => {
  it('gets its seed once: whoever renames it moves nobody', () => {
    given([])
      .when(defineLayer())
      .then([{ type: 'LayerDefined', definition: { ...layer, seed: 'second' }, atUs: 1 }]);
    given([layered])
      .when(defineLayer({ name: 'The checkout' }))
      .then([{ type: 'LayerDefined', definition: { ...layer, name: 'The checkout' }, atUs: 1 }]);
    given([layered]).when(defineLayer()).then([]);
  });
  it('is made where there is none, by whoever says that it is new', () => {
    given([])
      .when({ ...defineLayer(), isNew: true })
      .then([{ type: 'LayerDefined', definition: { ...layer, seed: 'second' }, atUs: 1 }]);
    given([layered])
      .when({ ...defineLayer(), isNew: true })
      .thenRefuses('layer-exists', 'another key');
  });
  it('keeps its type of units', () => {
    given([layered])
      .when(defineLayer({ unitType: 'device' }))
      .thenRefuses('layer-unit-type', 'type user');
  });
});

describe('a holdout', () => {
  it('grows without moving those it holds out, and ends for good', () => {
    given([heldOut])
      .when(defineHoldout({ share: 0.1 }))
      .then([{ type: 'HoldoutDefined', definition: { ...holdout, share: 0.1 }, atUs: 1 }]);
    const ended: AllocationEvent = { type: 'HoldoutEnded', atUs: 2 };
    given([heldOut]).when({ type: 'EndHoldout', atUs: 2 }).then([ended]);
    given([heldOut, ended]).when({ type: 'EndHoldout', atUs: 3 }).then([]);
    given([heldOut, ended]).when(defineHoldout()).thenRefuses('holdout-ended');
    given([]).when({ type: 'EndHoldout', atUs: 2 }).thenRefuses('holdout-not-found');
  });
  it('is of features that exist', () => {
    given([])
      .when(defineHoldout({ features: ['colour', 'size'] }, ['size']))
      .thenRefuses('feature-not-found', '"size"');
  });
});

describe('an override', () => {
  it('gives units that it names, or that meet its condition, a variant of a feature', () => {
    given([])
      .when(defineOverride())
      .then([{ ...overridden, atUs: 1 }]);
    const definition = { ...override, units: undefined, condition: { country: 'AT' } };
    given([])
      .when(defineOverride({ units: undefined, condition: { country: 'AT' } }))
      .then([{ ...overridden, definition, atUs: 1 }]);
    given([overridden]).when(defineOverride()).then([]);
  });
  it('has a condition that is no deeper than 20 levels', () => {
    const nested = (depth: number): Record<string, unknown> => (depth === 0 ? { country: 'AT' } : { $and: [nested(depth - 1)] });
    given([])
      .when(defineOverride({ condition: nested(30) }))
      .thenRefuses('condition-too-deep', '20 are allowed');
  });
  it('is nobody’s without either', () => {
    given([])
      .when(defineOverride({ units: undefined }))
      .thenRefuses('override-of-nobody');
  });
  it('needs the feature and the variant', () => {
    given([]).when(defineOverride({}, none)).thenRefuses('feature-not-found');
    given([])
      .when(defineOverride({ variant: 'red' }))
      .thenRefuses('variant-not-of-feature', 'blue, green');
  });
  it('stays in its environment', () => {
    given([overridden])
      .when(defineOverride({}, feature, 'staging'))
      .thenRefuses('override-elsewhere');
  });
  it('is removed, and may come back', () => {
    const removed: AllocationEvent = { type: 'OverrideRemoved', environment: 'production', atUs: 2 };
    given([overridden]).when({ type: 'RemoveOverride', atUs: 2 }).then([removed]);
    given([overridden, removed]).when({ type: 'RemoveOverride', atUs: 2 }).then([]);
    given([overridden])
      .when({ ...defineOverride(), isNew: true })
      .thenRefuses('override-exists');
    given([overridden, removed])
      .when({ ...defineOverride(), isNew: true })
      .then([{ ...overridden, atUs: 1 }]);
  });
});
