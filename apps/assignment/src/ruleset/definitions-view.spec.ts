import { describe, expect, it } from '@jest/globals';
import type { PublishedValue } from '@rampart/contracts';
import { DefinitionsView } from './definitions-view.js';
import { experiment, feature, override, state } from './published.examples.js';
import { publishedDefinition, removedDefinition } from './published-definition.js';
import { Rulesets } from './rulesets.js';

const text = (value: unknown) => Buffer.from(JSON.stringify(value));
const definition = (key: string, value: PublishedValue, knownAtUs: number) => {
  const found = publishedDefinition(key, text(value), knownAtUs);
  if (found === undefined) throw new Error(`${key} defines nothing`);
  return found;
};
const environment = (key: string) =>
  definition(`h/shop/environment/${key}/-/1`, { kind: 'environment', value: { project: 'shop', key, kind: 'live' } }, 1);
const flag = (version: number, knownAtUs: number, project = 'shop') =>
  definition(
    `v/${project}/feature/checkout/${version}`,
    { kind: 'feature', version, value: feature({ name: `version ${version}` }) },
    knownAtUs,
  );
const writeKey = (revision: number, hash: string, knownAtUs: number) =>
  definition(
    `h/shop/key/k1/-/${revision}`,
    { kind: 'key', value: { id: 'k1', hash, role: 'client', project: 'shop', environment: 'production', name: 'k', revoked: false } },
    knownAtUs,
  );
const killed = (isKilled: boolean, revision: number, knownAtUs: number) =>
  definition(
    `h/shop/feature/checkout/production/${revision}`,
    { kind: 'feature-state', revision, value: { feature: 'checkout', isKilled } },
    knownAtUs,
  );

describe('the definitions in force', () => {
  it('are the newest, whatever is heard again', () => {
    const view = new DefinitionsView();
    expect(view.take(flag(2, 20))).toEqual({ project: 'shop', environment: '-' });
    expect(view.take(flag(1, 10))).toBeUndefined();
    expect(view.take(flag(2, 20))).toBeUndefined();
    expect(view.published('shop', 'production').features.map(({ name }) => name)).toEqual(['version 2']);
  });

  it('stay the newest when an older one is said again without a unit that was erased, and lose the unit themselves', () => {
    const view = new DefinitionsView();
    const named = (revision: number, units: readonly string[], knownAtUs: number) =>
      definition(`h/shop/override/testers/production/${revision}`, { kind: 'override', value: override({ units: [...units] }) }, knownAtUs);
    view.take(named(1, ['ann', 'eve'], 10));
    view.take(named(2, ['ann', 'bob'], 20));
    view.take(named(3, ['bob'], 30));
    const units = () => view.published('shop', 'production').overrides.map((one) => one.units);
    for (const one of [named(1, ['(erased)', 'eve'], 10), named(2, ['(erased)', 'bob'], 20)]) expect(view.take(one)).toBeUndefined();
    expect(units()).toEqual([['bob']]);
    expect(view.take(named(3, ['(erased)'], 30))).toEqual({ project: 'shop', environment: 'production' });
    expect(units()).toEqual([['(erased)']]);
    expect(view.take(named(3, ['(erased)'], 30))).toBeUndefined();
  });

  it('of an experiment are those of the version that its state names', () => {
    const view = new DefinitionsView();
    for (const version of [1, 2])
      view.take(
        definition(
          `v/shop/experiment/faster-checkout/${version}`,
          { kind: 'experiment', version, value: experiment({ name: `version ${version}` }) },
          version,
        ),
      );
    view.take(
      definition(
        'h/shop/experiment/faster-checkout/production/1',
        { kind: 'experiment-state', revision: 1, value: state({ version: 1 }) },
        3,
      ),
    );
    expect(view.published('shop', 'production').runs.map((one) => one.definition.name)).toEqual(['version 1']);
    expect(view.published('shop', 'staging').runs).toEqual([]);
  });

  it('hold the kill switch and overrides of their environment alone', () => {
    const view = new DefinitionsView();
    view.take(killed(true, 1, 1));
    view.take(definition('h/shop/override/testers/production/1', { kind: 'override', value: override() }, 2));
    expect(view.published('shop', 'production')).toMatchObject({ killed: new Set(['checkout']), overrides: [{ key: 'testers' }] });
    expect(view.published('shop', 'staging')).toMatchObject({ killed: new Set(), overrides: [] });
  });

  it('forget the hash of a key that was rotated', () => {
    const view = new DefinitionsView();
    view.take(writeKey(1, 'old', 1));
    view.take(writeKey(2, 'new', 2));
    expect([view.keyByHash('old'), view.keyByHash('new')?.id]).toEqual([undefined, 'k1']);
    view.drop('key/shop/k1/-');
    expect(view.keyByHash('new')).toBeUndefined();
  });

  it('are gone once their key is taken back, unless a newer revision is in force', () => {
    const view = new DefinitionsView();
    for (const one of [killed(true, 1, 1), killed(true, 2, 2), flag(1, 3)]) view.take(one);
    const remove = (key: string) => {
      const removed = removedDefinition(key);
      return removed === undefined ? undefined : view.drop(removed.slot, removed.revision);
    };
    expect(remove('h/shop/feature/checkout/production/1')).toBeUndefined();
    expect(view.published('shop', 'production').killed.size).toBe(1);
    expect(remove('h/shop/feature/checkout/production/2')).toEqual({ project: 'shop', environment: 'production' });
    expect(remove('v/shop/feature/checkout/1')).toEqual({ project: 'shop', environment: '-' });
    expect(remove('head/shop/feature/checkout/-')).toBeUndefined();
    expect(view.published('shop', 'production')).toMatchObject({ features: [], killed: new Set() });
  });

  it('leave out pointers and metrics, and refuse what has no revision', () => {
    expect(publishedDefinition('head/shop/feature/checkout/-', text({ revision: 1 }), 1)).toBeUndefined();
    expect(publishedDefinition('v/shop/metric/m/1', text({ kind: 'metric', version: 1, value: {} }), 1)).toBeUndefined();
    expect(() => publishedDefinition('v/shop/feature/checkout/x', text({ kind: 'feature', version: 1, value: {} }), 1)).toThrow(
      'no revision',
    );
  });
});

describe('rulesets', () => {
  const started = () => {
    const view = new DefinitionsView();
    for (const one of [environment('production'), environment('staging'), flag(1, 2)]) view.take(one);
    const rulesets = new Rulesets(view);
    for (const name of ['production', 'staging']) rulesets.of('shop', name);
    return { view, rulesets };
  };

  it('are compiled again only where something changed', () => {
    const { rulesets, view } = started();
    const before = rulesets.of('shop', 'staging');
    const scope = view.take(killed(true, 1, 5));
    if (scope !== undefined) rulesets.changed([scope]);
    expect(rulesets.of('shop', 'staging')).toBe(before);
    expect(rulesets.of('shop', 'production').definitions.features[0]?.isEnabled).toBe(false);
    expect(rulesets.compiled).toBe(3);
  });

  it('are compiled for no change that decides nothing', () => {
    const { rulesets, view } = started();
    const scope = view.take(writeKey(1, 'h', 5));
    if (scope !== undefined) rulesets.changed([scope]);
    expect(rulesets.compiled).toBe(2);
  });

  it('have the same version for the same definitions, in whichever order they were heard', () => {
    const [view, other] = [new DefinitionsView(), new DefinitionsView()];
    const all = [environment('production'), flag(1, 2), killed(false, 1, 3)];
    for (const one of all) view.take(one);
    for (const one of all.toReversed()) other.take(one);
    expect(new Rulesets(view).of('shop', 'production').version).toBe(new Rulesets(other).of('shop', 'production').version);
  });
});
