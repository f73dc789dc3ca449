import { describe, it } from '@jest/globals';
import { scenario } from '../scenario.contract.js';
import { featureDecider } from './decide-feature.js';
import type { FeatureDefinition, FeatureEvent } from './feature.js';

const { given } = scenario(featureDecider);
const colour: FeatureDefinition = {
  key: 'colour',
  name: 'Colour',
  valueType: 'string',
  variants: [
    { key: 'blue', value: '#00f' },
    { key: 'green', value: '#0f0' },
  ],
  defaultVariant: 'blue',
};
const defined = (version = 1, definition = colour): FeatureEvent => ({ type: 'FeatureDefined', version, definition, atUs: 0 });
const create = (definition = colour) => ({ type: 'CreateFeature', definition, atUs: 0 }) as const;
const define = (definition = colour) => ({ type: 'DefineFeature', definition, atUs: 0 }) as const;

describe('no feature', () => {
  it('becomes version 1', () => {
    given([]).when(create()).then([defined()]);
    given([]).when(define()).then([defined()]);
  });
  it('does not become one under a key that is none', () => {
    given([])
      .when(create({ ...colour, key: 'A colour' }))
      .thenRefuses('invalid-slug');
  });
  it('has each variant once, with a value of its type', () => {
    given([])
      .when(create({ ...colour, variants: [...colour.variants, { key: 'blue', value: '#00e' }] }))
      .thenRefuses('variant-twice');
    given([])
      .when(create({ ...colour, variants: [{ key: 'blue', value: 7 }] }))
      .thenRefuses('variant-value', 'type number, the feature\u2019s values are string'.replace('\u2019', "'"));
  });
  it('takes any JSON where it says so', () => {
    const json = { ...colour, valueType: 'json' as const, variants: [{ key: 'blue', value: { rgb: [0, 0, 255] } }] };
    given([])
      .when(create(json))
      .then([defined(1, json)]);
  });
  it('has a default among its variants', () => {
    given([])
      .when(create({ ...colour, defaultVariant: 'red' }))
      .thenRefuses('default-variant-unknown', '"blue", "green"');
  });
});

describe('the kill switch', () => {
  const kill = (environment = 'production') => ({ type: 'KillFeature', environment, atUs: 1 }) as const;
  const killed: FeatureEvent = { type: 'FeatureKilled', environment: 'production', atUs: 1 };
  it('is thrown once, in one environment', () => {
    given([defined()]).when(kill()).then([killed]);
    given([defined(), killed]).when(kill()).then([]);
    given([defined(), killed])
      .when(kill('staging'))
      .then([{ ...killed, environment: 'staging' }]);
  });
  it('is taken back, and thrown again', () => {
    const restore = { type: 'RestoreFeature', environment: 'production', atUs: 2 } as const;
    const restored: FeatureEvent = { type: 'FeatureRestored', environment: 'production', atUs: 2 };
    given([defined()]).when(restore).then([]);
    given([defined(), killed]).when(restore).then([restored]);
    given([defined(), killed, restored]).when(kill()).then([killed]);
  });
  it('needs a feature', () => {
    given([]).when(kill()).thenRefuses('feature-not-found');
  });
  it('outlives a new version', () => {
    given([defined(), killed, defined(2, { ...colour, name: 'The colour' })])
      .when(kill())
      .then([]);
  });
});

describe('a feature', () => {
  it('is created once', () => {
    given([defined()]).when(create()).thenRefuses('feature-exists', 'version 1');
  });
  it('gets a new version when something changed', () => {
    const renamed = { ...colour, name: 'The colour' };
    given([defined()])
      .when(define(renamed))
      .then([defined(2, renamed)]);
    given([defined()]).when(define()).then([]);
  });
  it('is compared with its newest version', () => {
    const renamed = { ...colour, name: 'The colour' };
    given([defined(), defined(2, renamed)])
      .when(define(renamed))
      .then([]);
    given([defined(), defined(2, renamed)])
      .when(define())
      .then([defined(3)]);
    given([defined(), defined(2, renamed)])
      .when(create())
      .thenRefuses('feature-exists', 'at version 2: replace it to add version 3');
  });
  it('keeps the type of its values', () => {
    given([defined()])
      .when(define({ ...colour, valueType: 'json' }))
      .thenRefuses('feature-value-type', 'type string');
  });
});
