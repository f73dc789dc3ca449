import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshDatabase } from '@rampart/test-engines';
import { type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';

let plane: ControlPlane;
let close: (() => Promise<void>) | undefined;

beforeAll(async () => {
  const database = await freshDatabase();
  plane = await controlPlane(database.url);
  close = async () => {
    await plane.close();
    await database.drop();
  };
  const variants = ['blue', 'green'].map((key) => ({ key, value: key }));
  const feature = { key: 'colour', name: 'Colour', valueType: 'string', variants, defaultVariant: 'blue' };
  expect((await put('/v1/features/colour', feature)).status).toBe(201);
}, 60_000);
afterAll(() => close?.(), 60_000);

const put = (path: string, body: object) => plane.call('PUT', `${path}?project=default`, { body });
const post = (path: string, body: object) => plane.call('POST', `${path}?project=default`, { body });
const published = (key: string, isThere: (value: { value: Record<string, unknown> }) => boolean = () => true) =>
  eventually(`${key} is published`, async () => {
    const found = (await plane.published()).get(key) as { value: Record<string, unknown> } | undefined;
    return found !== undefined && isThere(found) ? found.value : undefined;
  });

describe('layers and holdouts', () => {
  it('are defined with a seed of their own, listed, told, and keep it', async () => {
    const made = await put('/v1/layers/checkout', { key: 'checkout', name: 'Checkout' });
    expect(made).toMatchObject({ status: 201, body: { key: 'checkout', unitType: 'user', revision: 1 } });
    const renamed = await put('/v1/layers/checkout', { key: 'checkout', name: 'The checkout' });
    expect(renamed.body.seed).toBe(made.body.seed);
    expect((await published('h/default/layer/checkout/-/2')).seed).toBe(made.body.seed);
    expect((await plane.call('GET', '/v1/layers?project=default')).body.items).toHaveLength(1);
  });

  it('refuse what is not there, with its place', async () => {
    const holdout = { key: 'q1', name: 'Q1', share: 0.05, features: ['none'] };
    expect((await put('/v1/holdouts/q1', holdout)).body).toMatchObject({ code: 'feature-not-found' });
    expect((await put('/v1/holdouts/q1', { ...holdout, share: 2 })).body.errors[0].path).toBe('/share');
    expect((await plane.call('GET', '/v1/layers/none?project=default')).body.code).toBe('layer-not-found');
    const layer = { key: 'posted', name: 'Posted' };
    expect((await post('/v1/layers', layer)).status).toBe(201);
    const again = await post('/v1/layers', layer);
    expect([again.status, again.body.code]).toEqual([409, 'layer-exists']);
  });

  it('end', async () => {
    await put('/v1/holdouts/q1', { key: 'q1', name: 'Q1', share: 0.05 });
    expect((await post('/v1/holdouts/q1/end', { reason: 'the quarter is over' })).body.isActive).toBe(false);
    expect((await published('h/default/holdout/q1/-/2')).isActive).toBe(false);
    const { body } = await plane.call('GET', '/v1/holdouts/q1/history?project=default');
    expect(body.items.at(-1)).toMatchObject({ type: 'HoldoutEnded', reason: 'the quarter is over' });
  });
});

describe('overrides', () => {
  it('are of one environment, told under it, and removed', async () => {
    const override = { key: 'testers', feature: 'colour', variant: 'green', units: ['u1'] };
    const everybody = await post('/v1/overrides', { ...override, units: undefined });
    expect([everybody.status, everybody.body.code]).toEqual([422, 'override-of-nobody']);
    const odd = await post('/v1/overrides', { ...override, condition: ['AT'] });
    expect([odd.status, odd.body.errors[0].path]).toEqual([400, '/condition']);
    expect((await put('/v1/overrides/testers', override)).body).toMatchObject({ environment: 'production', isActive: true });
    expect(await published('h/default/override/testers/production/1')).toMatchObject({ units: ['u1'], isActive: true });
    expect((await put('/v1/overrides/testers', { ...override, variant: 'red' })).body.code).toBe('variant-not-of-feature');
    expect((await post('/v1/overrides/testers/remove', { reason: 'tested' })).body.isActive).toBe(false);
    expect(await published('h/default/override/testers/production/2')).toMatchObject({ isActive: false });
  });
});
