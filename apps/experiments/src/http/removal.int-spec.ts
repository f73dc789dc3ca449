import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFINITIONS } from '@rampart/contracts';
import { freshDatabase } from '@rampart/test-engines';
import { aMetric, type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';
import { logOf } from '../evidence/records.examples.js';

let plane: ControlPlane;
let url: string;
let close: (() => Promise<void>) | undefined;

beforeAll(async () => {
  const database = await freshDatabase();
  url = database.url;
  plane = await controlPlane(url);
  close = async () => {
    await plane.close();
    await database.drop();
  };
}, 60_000);
afterAll(() => close?.(), 60_000);

const feature = {
  ...{ key: 'colour', name: 'Colour', valueType: 'string', defaultVariant: 'blue' },
  variants: [
    { key: 'blue', value: 'blue' },
    { key: 'green', value: 'green' },
  ],
};

/** The newest value that the log has under a key. */
const published = async (key: string): Promise<unknown> => {
  const log = logOf(plane);
  const [{ end } = { end: 0 }] = await log.offsets(DEFINITIONS);
  const messages = await log.read({ topic: DEFINITIONS, partition: 0, offset: 0, limit: end });
  const found = messages.findLast((message) => message.key === key)?.value;
  return found == null ? undefined : JSON.parse(Buffer.from(found).toString('utf8'));
};

describe('the kill switch of a feature', () => {
  it('is thrown with a reason, told at once, shown, and taken back', async () => {
    await plane.call('POST', '/v1/features?project=default', { body: feature });
    const kill = (body: object, what = 'kill') => plane.call('POST', `/v1/features/colour/${what}?project=default`, { body });
    expect((await kill({})).status).toBe(400);
    const killed = await kill({ reason: 'it burns' });
    expect([killed.status, killed.body.environments]).toEqual([200, { production: { isKilled: true } }]);
    const head = 'h/default/feature/colour/production';
    await eventually('it is told', async () => ((await published(`${head}/1`)) !== undefined ? true : undefined));
    expect(await published(`${head}/1`)).toEqual({ kind: 'feature-state', revision: 1, value: { feature: 'colour', isKilled: true } });
    const { body } = await plane.call('GET', '/v1/features/colour/history?project=default');
    expect(body.items.at(-1)).toMatchObject({ type: 'FeatureKilled', reason: 'it burns', actor: 'admin' });
    expect((await kill({ reason: 'out' }, 'restore')).body.environments).toEqual({ production: { isKilled: false } });
    await eventually('it is told', async () => ((await published(`${head}/2`)) !== undefined ? true : undefined));
    expect(await published('head/default/feature/colour/production')).toEqual({ revision: 2 });
  });

  it('is no switch of what is not there', async () => {
    const body = { reason: 'r' };
    expect((await plane.call('POST', '/v1/features/none/kill?project=default', { body })).status).toBe(404);
    const nowhere = await plane.call('POST', '/v1/features/colour/kill?project=default&environment=nowhere', { body });
    expect([nowhere.status, nowhere.body.code]).toEqual([404, 'environment-not-found']);
  });
});

describe('a project that is removed', () => {
  const at = '?project=gone';
  const remove = (query = '', body: object = { reason: 'over' }) => plane.call('DELETE', `/v1/projects/gone${query}`, { body });

  it('says before what would go, ends it, and is gone, but for its history and its name', async () => {
    await plane.call('POST', '/v1/projects', { body: { key: 'gone', name: 'Gone' } });
    await plane.call('POST', `/v1/environments${at}`, { body: { key: 'production', kind: 'live' } });
    await plane.call('PUT', `/v1/metrics/converted${at}`, { body: aMetric() });
    const experiment = {
      ...{ key: 'button', name: 'B', variants: [{ key: 'blue' }, { key: 'green' }], control: 'blue' },
      metrics: [{ metric: 'converted', role: 'success' }],
    };
    expect((await plane.call('POST', `/v1/experiments${at}`, { body: experiment })).status).toBe(201);
    expect((await plane.call('POST', `/v1/experiments/button/start${at}`)).status).toBe(200);
    const { body: key } = await plane.call('POST', `/v1/keys${at}`, { body: { name: 'k', role: 'manager' } });
    expect((await remove('', {})).status).toBe(400);
    const would = await remove('?validate=true');
    expect(would.body).toMatchObject({ isRemoved: false, experiments: ['button (production)'], keys: [key.id] });
    expect((await plane.call('GET', `/v1/experiments/button${at}`)).body.environments.production.status).toBe('running');
    const late = await plane.call('DELETE', '/v1/projects/gone', { body: { reason: 'over' }, headers: { 'if-match': '"7"' } });
    expect([late.status, late.body.code]).toEqual([412, 'revision-mismatch']);
    expect((await plane.call('GET', `/v1/experiments/button${at}`)).body.environments.production.status).toBe('running');
    expect((await remove()).body).toMatchObject({ isRemoved: true, experiments: ['button (production)'], keys: [key.id] });
    const listed = await plane.call('GET', '/v1/projects');
    expect(listed.body.items.map((one: { key: string }) => one.key)).not.toContain('gone');
    // Admins read what it was; nothing in it changes any more.
    const history = await plane.call('GET', `/v1/experiments/button/history${at}`);
    expect(history.body.items.at(-1)).toMatchObject({ type: 'ExperimentDecided', reason: 'over' });
    expect((await plane.call('PUT', `/v1/metrics/converted${at}`, { body: aMetric() })).body.code).toBe('project-not-found');
    const another = await plane.call('POST', `/v1/keys${at}`, { body: { name: 'late', role: 'manager' } });
    expect([another.status, another.body.code]).toEqual([404, 'project-not-found']);
    expect((await plane.call('GET', '/v1/projects/gone', { key: key.key })).status).toBe(401);
    expect((await plane.call('POST', '/v1/projects', { body: { key: 'gone', name: 'Again' } })).body.code).toBe('project-removed');
    // Once more changes nothing.
    expect((await remove()).body).toMatchObject({ isRemoved: true, experiments: [], keys: [] });
  });

  it('may be the first one: the platform starts without it', async () => {
    expect((await plane.call('DELETE', '/v1/projects/default', { body: { reason: 'we have our own' } })).status).toBe(200);
    await plane.close();
    plane = await controlPlane(url);
    expect((await plane.call('GET', '/v1/projects')).body.items).toEqual([]);
  });

  it('was there', async () => {
    const never = await plane.call('DELETE', '/v1/projects/never', { body: { reason: 'r' } });
    expect([never.status, never.body.code]).toEqual([404, 'project-not-found']);
  });
});
