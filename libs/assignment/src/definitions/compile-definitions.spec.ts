import { describe, expect, it } from '@jest/globals';
import { evaluate, explain, wireReason } from '../ruleset/evaluate.js';
import { unitOf } from '../ruleset/unit.js';
import { compileDefinitions, payloadOfDefinitions } from './compile-definitions.js';
import { checkout, decideFor, halves } from './definitions.examples.js';
import type { Definitions } from './definitions.js';

/** A unit that experiment `halves` gives its treatment. */
const treated = 'u0';
const everything: Definitions = {
  features: [{ ...checkout, choices: { out: 'off', in: 'on', channels: { slow: 'off' } } }],
  experiments: [{ ...halves, layer: { key: 'page', ranges: [[0, 1]] } }],
  layers: [{ key: 'page', seed: 'page' }],
  holdouts: [{ key: 'all', seed: 'all', share: 1 }],
  overrides: [{ key: 'vip', feature: 'checkout', variant: 'on', units: ['vip'] }],
};

describe('the order of the platform', () => {
  it('preference before override before holdout before experiment', () => {
    const out = { choices: { features: { checkout: 'out' as const } } };
    expect(decideFor(everything, 'vip', out)).toMatchObject({ value: false, reason: 'USER_CHANNEL', ruleId: 'choice:out' });
    expect(decideFor(everything, 'vip')).toMatchObject({ value: true, reason: 'OVERRIDE', variant: 'on', ruleId: 'override:vip' });
    expect(decideFor(everything, treated)).toMatchObject({ value: false, reason: 'HOLDOUT', variant: 'off', ruleId: 'holdout:all' });
    expect(decideFor({ ...everything, holdouts: [] }, treated)).toMatchObject({
      value: true,
      reason: 'SPLIT',
      variant: 'on',
      hashUsed: true,
    });
  });

  it('a choice for the feature outweighs the channel; a channel without a variant changes nothing', () => {
    const slow = { channel: 'slow', features: { checkout: 'in' as const } };
    expect(decideFor(everything, 'u', { choices: slow })).toMatchObject({ value: true, reason: 'USER_CHANNEL' });
    expect(decideFor(everything, 'u', { choices: { channel: 'slow' } })).toMatchObject({ value: false, ruleId: 'choice:slow' });
    expect(decideFor(everything, 'u', { choices: { channel: 'standard' } })).toMatchObject({ reason: 'HOLDOUT' });
  });

  it('a released feature is one value for all but its holdout', () => {
    const released: Definitions = { features: [{ ...checkout, release: { key: 'r', variant: 'on' } }] };
    expect(decideFor(released, 'u')).toMatchObject({ value: true, reason: 'STATIC', variant: 'on' });
    expect(decideFor({ ...released, holdouts: [{ key: 'h', seed: 'h', share: 1 }] }, 'u')).toMatchObject({
      value: false,
      reason: 'HOLDOUT',
    });
  });

  it('says why nothing was chosen', () => {
    const nobody: Definitions = { features: [checkout], experiments: [{ ...halves, coverage: 0 }] };
    expect(decideFor(nobody, 'u')).toMatchObject({ value: false, reason: 'DEFAULT', variant: 'off' });
    expect(decideFor({ features: [checkout] }, 'u').reason).toBe('STATIC');
    expect(decideFor({ ...nobody, features: [{ ...checkout, isEnabled: false }] }, 'u').reason).toBe('DISABLED');
    expect(decideFor(nobody, 'u', {}, 'other').reason).toBe('FLAG_NOT_FOUND');
    expect(decideFor({ ...nobody, experiments: [halves] }, '').reason).toBe('DEFAULT');
  });

  it('a gate of a feature without rules blocks it all the same', () => {
    const gated = { ...checkout, key: 'gated', prerequisites: [{ id: 'checkout', condition: { value: true }, gate: true }] };
    expect(decideFor({ features: [checkout, gated] }, 'u', {}, 'gated')).toMatchObject({ value: null, reason: 'PREREQUISITE' });
  });

  it('features that need each other have no value', () => {
    const needs = (key: string, other: string) => ({
      ...checkout,
      key,
      prerequisites: [{ id: other, condition: { value: false }, gate: true }],
    });
    const circle: Definitions = { features: [needs('a', 'b'), needs('b', 'c'), needs('c', 'a')] };
    expect(decideFor(circle, 'u', {}, 'a')).toMatchObject({ value: null, reason: 'CYCLE' });
  });
});

describe('an explanation', () => {
  const why = (definitions: Definitions, id: string) =>
    explain(compileDefinitions(definitions), 'checkout', unitOf({ attributes: { id } }));

  it('names the experiment, its layer and the bucket of each', () => {
    const explained = why({ ...everything, holdouts: [] }, treated);
    expect(explained.decidedBy).toEqual({ kind: 'experiment', key: 'one-page', version: 1, segment: 1, layer: 'page' });
    expect(explained.rule).toEqual({ index: 1, id: 'experiment:one-page' });
    expect(explained.layer).toEqual({ name: 'page', bucket: expect.any(Number) });
    expect(explained.steps.map(({ kind, passed }) => [kind, passed])).toEqual([
      ['targeting', false],
      ['layer', true],
      ['allocation', true],
    ]);
  });

  it('names the holdout or the override', () => {
    expect(why(everything, treated).decidedBy).toEqual({ kind: 'holdout', key: 'all', variant: 'off' });
    expect(why(everything, 'vip').decidedBy).toEqual({ kind: 'override', key: 'vip', variant: 'on' });
  });

  it('names nobody for a default', () => {
    expect(why({ features: [checkout] }, 'u')).toMatchObject({ decidedBy: null, rule: null, bucket: null, layer: null, steps: [] });
  });
});

describe('definitions that can’t be meant', () => {
  const problems = (definitions: Partial<Definitions>) => compileDefinitions({ features: [checkout], ...definitions }).problems;

  it.each([
    ['another feature', { feature: 'nope' }],
    [
      'a foreign arm',
      {
        arms: [
          { variant: 'off', weight: 1 },
          { variant: 'purple', weight: 1 },
        ],
      },
    ],
    ['one arm', { arms: [{ variant: 'off', weight: 1 }] }],
    [
      'no weight',
      {
        arms: [
          { variant: 'off', weight: 0 },
          { variant: 'on', weight: 0 },
        ],
      },
    ],
    ['too much coverage', { coverage: 1.5 }],
    ['an unknown layer', { layer: { key: 'nope', ranges: [[0, 1]] as const } }],
  ] as const)('an experiment with %s assigns nobody and is named', (_name, change) => {
    const definitions: Definitions = { features: [checkout], experiments: [{ ...halves, ...change }] };
    expect(problems(definitions).map(({ code }) => code)).toEqual(['experiment-unusable']);
    expect(decideFor(definitions, treated).experiment).toBeNull();
  });

  it('of two experiments that overlap in a layer the later one assigns nobody', () => {
    const experiments = [
      { ...halves, layer: { key: 'page', ranges: [[0, 0.5]] as const } },
      { ...halves, key: 'late', layer: { key: 'page', ranges: [[0.4, 1]] as const } },
    ];
    expect(problems({ experiments, layers: [{ key: 'page', seed: 'p' }] })).toEqual([
      { code: 'layer-overlap', message: expect.stringContaining('late overlaps one-page in the layer page') },
    ]);
  });

  it('an override of nobody gives nothing, and one of an unknown variant is named', () => {
    const empty: Definitions = { features: [checkout], overrides: [{ key: 'o', feature: 'checkout', variant: 'on' }] };
    expect(decideFor(empty, 'u').reason).toBe('DEFAULT');
    expect(problems({ overrides: [{ key: 'o', feature: 'checkout', variant: 'purple', units: ['u'] }] })).toHaveLength(1);
    expect(problems({ holdouts: [{ key: 'h', seed: 'h', share: 2 }] })).toHaveLength(1);
  });
});

describe('answers', () => {
  it('are shared by all units that get them, frozen, and encoded once', () => {
    let encoded = 0;
    const encode = ({ feature, value }: { feature: string; value: unknown }) => {
      encoded += 1;
      return JSON.stringify({ key: feature, value });
    };
    const ruleset = compileDefinitions({ features: [checkout], experiments: [halves] }, { encode });
    const before = encoded;
    const decisions = new Set(
      Array.from({ length: 1000 }, (_, n) => evaluate(ruleset, 'checkout', unitOf({ attributes: { id: `u${n}` } }))),
    );
    expect(decisions.size).toBe(2);
    expect(encoded).toBe(before);
    for (const decision of decisions) {
      expect(Object.isFrozen(decision)).toBe(true);
      expect(decision.encoded).toBe(JSON.stringify({ key: 'checkout', value: decision.value }));
    }
  });

  it('go over the wire with reasons that its schema lists', () => {
    expect(wireReason('HOLDOUT')).toEqual({ reason: 'SPLIT', finer: 'HOLDOUT' });
    expect(wireReason('USER_CHANNEL')).toEqual({ reason: 'TARGETING_MATCH', finer: 'USER_CHANNEL' });
    expect(wireReason('STATIC')).toEqual({ reason: 'STATIC' });
    expect(wireReason('DEFAULT')).toEqual({ reason: 'UNKNOWN', finer: 'DEFAULT' });
  });

  it('travel to SDKs as explicit ranges, seeds and keys', () => {
    const { features } = payloadOfDefinitions({ features: [checkout], experiments: [{ ...halves, coverage: 0.02 }] });
    expect(features?.checkout?.rules?.[0]).toMatchObject({
      key: 'one-page',
      seed: 'one-page-1',
      hashVersion: 2,
      ranges: [
        [0, 0.01],
        [0.5, 0.51],
      ],
      meta: [{ key: 'off' }, { key: 'on' }],
      disableStickyBucketing: true,
    });
  });
});
