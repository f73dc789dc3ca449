import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { aMetric, anExperiment, type CallOptions, type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';

let database: FreshDatabase;
let plane: ControlPlane;

beforeAll(async () => {
  database = await freshDatabase();
  plane = await controlPlane(database.url);
}, 60_000);

afterAll(async () => {
  await plane?.close();
  await database?.drop();
});

const at = (path: string) => `${path}${path.includes('?') ? '&' : '?'}project=default`;
const post = (path: string, body: unknown, options: CallOptions = {}) => plane.call('POST', at(path), { ...options, body });
const put = (path: string, body: unknown, options: CallOptions = {}) => plane.call('PUT', at(path), { ...options, body });
const get = (path: string) => plane.call('GET', at(path));
const revisions = async (key: string) =>
  (await get(`/v1/metrics/${key}/history`)).body.items.map((item: { revision: number }) => item.revision);

describe('a fresh platform', () => {
  it('has a project with a live environment', async () => {
    expect((await plane.call('GET', '/v1/projects')).body.items).toMatchObject([{ key: 'default' }]);
    expect((await get('/v1/environments')).body.items).toMatchObject([{ key: 'production', kind: 'live' }]);
  });
  it('makes them once, however often it starts', async () => {
    const again = await controlPlane(database.url);
    expect((await again.call('GET', '/v1/projects')).body.items).toHaveLength(1);
    await again.close();
  });
  it('answers for its health and its interface', async () => {
    await eventually('it is ready', async () => ((await plane.call('GET', '/readyz')).status === 200 ? true : undefined));
    const { body } = await plane.call('GET', '/docs-json');
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining(['/v1/experiments/{key}/decide', '/v1/keys/{id}/rotate', '/v1/metrics/{key}']),
    );
  });
});

describe('a metric', () => {
  it('is created once and read with its revision', async () => {
    expect(await post('/v1/metrics', aMetric())).toMatchObject({ status: 201, etag: '"1"', body: { key: 'converted', version: 1 } });
    expect(await post('/v1/metrics', aMetric())).toMatchObject({ status: 409, body: { code: 'metric-exists' } });
    expect(await get('/v1/metrics/converted')).toMatchObject({
      status: 200,
      etag: '"1"',
      body: { version: 1, definition: { windowUs: 60_000_000, aggregate: 'sum' } },
    });
  });
  it('gets a version by a change and none by a repetition', async () => {
    expect(await put('/v1/metrics/converted', aMetric())).toMatchObject({ status: 200, body: { version: 1 } });
    expect(await put('/v1/metrics/converted', aMetric({ windowUs: 1 }))).toMatchObject({ status: 201, etag: '"2"', body: { version: 2 } });
    expect((await get('/v1/metrics/converted?version=1')).body).toMatchObject({ version: 1, definition: { windowUs: 60_000_000 } });
    expect(await get('/v1/metrics/converted?version=3')).toMatchObject({ status: 404, body: { code: 'metric-not-found' } });
  });
  it('is listed as soon as it is defined', async () => {
    await put('/v1/metrics/revenue', aMetric({ key: 'revenue', type: 'mean' }));
    expect((await get('/v1/metrics')).body.items.map((item: { key: string }) => item.key)).toEqual(['converted', 'revenue']);
  });
  it('is refused under another key than its address, with the place', async () => {
    expect(await put('/v1/metrics/converted', aMetric({ key: 'other' }))).toMatchObject({
      status: 400,
      body: { errors: [{ path: '/key' }] },
    });
  });
  it('is refused with a sentence where it makes no sense', async () => {
    const refused = await post('/v1/metrics', aMetric({ key: 'crashes', type: 'first-error' }));
    expect(refused).toMatchObject({ status: 422, body: { code: 'metric-direction', details: { path: '/direction' } } });
    expect(await post('/v1/metrics', aMetric({ key: 'preview' }))).toMatchObject({ status: 422, body: { code: 'reserved-slug' } });
    expect(await post('/v1/metrics', aMetric({ key: 'a/b' }))).toMatchObject({ status: 400, body: { code: 'invalid-request' } });
    expect(await post('/v1/metrics', aMetric({ key: 'nul', name: 'a\u0000b' }))).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'text-not-storable', path: '/name' }] },
    });
    expect(await post('/v1/metrics', { ...aMetric({ key: 'half' }), numerator: { event: 'half \ud800' } })).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'text-not-storable', path: '/numerator/event' }] },
    });
  });
});

describe('an idempotency key', () => {
  const headers = { 'idempotency-key': 'once' };
  it('makes a repetition answer the same and store nothing', async () => {
    const first = await post('/v1/metrics', aMetric({ key: 'idem' }), { headers });
    const second = await post('/v1/metrics', aMetric({ key: 'idem' }), { headers });
    expect(first.status).toBe(201);
    expect(second).toEqual(first);
    expect(await revisions('idem')).toEqual([1]);
  });
  it('is good for one request only', async () => {
    const other = await post('/v1/metrics', aMetric({ key: 'idem', name: 'Other' }), { headers });
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
    expect(await put('/v1/metrics/idem', aMetric({ key: 'idem' }), { headers })).toMatchObject({ status: 422 });
  });
  it('makes of many at once one', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () => post('/v1/metrics', aMetric({ key: 'many' }), { headers: { 'idempotency-key': 'many' } })),
    );
    expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 201));
    expect(new Set(all.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(await revisions('many')).toEqual([1]);
  });
  it('remembers the answer over a restart', async () => {
    const first = await post('/v1/metrics', aMetric({ key: 'kept' }), { headers: { 'idempotency-key': 'kept' } });
    const again = await controlPlane(database.url);
    const path = at('/v1/metrics');
    expect(await again.call('POST', path, { body: aMetric({ key: 'kept' }), headers: { 'idempotency-key': 'kept' } })).toEqual(first);
    await again.close();
  });
  it('is another caller\u2019s own', async () => {
    const manager = (await post('/v1/keys', { name: 'm', role: 'manager' })).body.key;
    expect((await post('/v1/metrics', aMetric({ key: 'other-caller' }), { headers, key: manager })).status).toBe(201);
  });
  it('does not keep a refusal', async () => {
    const body = anExperiment({ key: 'later' });
    await post('/v1/experiments', body);
    const start = () => post('/v1/experiments/later/start?environment=soon', {}, { headers: { 'idempotency-key': 'later' } });
    expect(await start()).toMatchObject({ status: 404, body: { code: 'environment-not-found' } });
    await post('/v1/environments', { key: 'soon', kind: 'live' });
    expect(await start()).toMatchObject({ status: 200 });
  });
});

describe('If-Match', () => {
  it('lets one of two changes of the same revision through', async () => {
    await post('/v1/metrics', aMetric({ key: 'raced' }));
    const change = (name: string) => put('/v1/metrics/raced', aMetric({ key: 'raced', name }), { headers: { 'if-match': '"1"' } });
    const answers = await Promise.all([change('One'), change('Two')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 412]);
    expect(answers.find(({ status }) => status === 412)?.body).toMatchObject({ code: 'revision-mismatch', details: { revision: 2 } });
    expect(await revisions('raced')).toEqual([1, 2]);
  });
  it('of nobody lets ten at once through, one after the other', async () => {
    await post('/v1/metrics', aMetric({ key: 'free' }));
    const change = (name: string) => put('/v1/metrics/free', aMetric({ key: 'free', name }));
    const names = Array.from({ length: 10 }, (_, index) => `Name ${index}`);
    expect((await Promise.all(names.map(change))).map(({ status }) => status)).toEqual(names.map(() => 201));
    expect(await revisions('free')).toEqual(Array.from({ length: 11 }, (_, index) => index + 1));
  });
  it('is refused where it is no revision', async () => {
    const headers = { 'if-match': '"abc"' };
    expect(await put('/v1/metrics/free', aMetric({ key: 'free' }), { headers })).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'invalid-if-match' }] },
    });
  });
});

describe('a dry run', () => {
  it('says what would happen and stores nothing', async () => {
    const answer = await post('/v1/metrics?validate=true', aMetric({ key: 'dry' }));
    expect(answer).toMatchObject({ status: 200, body: { valid: true, events: ['MetricDefined'], result: { key: 'dry', version: 1 } } });
    expect((await get('/v1/metrics/dry')).status).toBe(404);
  });
  it('refuses what would be refused', async () => {
    expect(await post('/v1/experiments?validate=true', anExperiment({ control: 'red' }))).toMatchObject({
      status: 422,
      body: { code: 'control-not-an-arm', details: { path: '/control' } },
    });
  });
  it('uses no idempotency key up', async () => {
    const headers = { 'idempotency-key': 'dry' };
    await post('/v1/metrics?validate=true', aMetric({ key: 'dry' }), { headers });
    expect((await post('/v1/metrics', aMetric({ key: 'dry' }), { headers })).status).toBe(201);
  });
  it('shows no key', async () => {
    const answer = await post('/v1/keys?validate=true', { name: 'dry', role: 'analyst' });
    expect(answer.status).toBe(200);
    expect(JSON.stringify(answer.body)).not.toMatch(/rk_/);
  });
});

describe('history', () => {
  it('says who changed what, when and why', async () => {
    await post('/v1/metrics?reason=first', aMetric({ key: 'told' }));
    const key = (await post('/v1/keys', { name: 'm', role: 'manager' })).body;
    await put('/v1/metrics/told?reason=second%20thoughts', aMetric({ key: 'told', name: 'Told' }), { key: key.key });
    expect((await get('/v1/metrics/told/history')).body.items).toMatchObject([
      { revision: 1, type: 'MetricDefined', actor: 'admin', reason: 'first', details: { version: 1 } },
      {
        revision: 2,
        type: 'MetricDefined',
        actor: key.id,
        reason: 'second thoughts',
        details: { version: 2, definition: { name: 'Told' } },
      },
    ]);
  });
  it('gives back the state of any instant', async () => {
    const items = (await get('/v1/metrics/told/history')).body.items as { at: string }[];
    const [first, second] = items.map(({ at }) => at);
    expect((await get(`/v1/metrics/told?asOf=${first}`)).body).toMatchObject({
      version: 1,
      revision: 1,
      definition: { name: 'Converted' },
    });
    expect((await get(`/v1/metrics/told?asOf=${second}`)).body).toMatchObject({ version: 2 });
    expect(await get('/v1/metrics/told?asOf=2020-01-01T00:00:00Z')).toMatchObject({ status: 404, body: { code: 'metric-not-found' } });
    expect(await get('/v1/metrics/told?asOf=yesterday')).toMatchObject({ status: 400, body: { errors: [{ path: '/asOf' }] } });
  });
});

describe('two processes of the control plane', () => {
  it('see each other\u2019s definitions at once, and publish each of them once', async () => {
    const other = await controlPlane(database.url);
    const keys = Array.from({ length: 10 }, (_, index) => `shared-${index}`);
    for (const [index, key] of keys.entries()) {
      const [writer, reader] = index % 2 === 0 ? [plane, other] : [other, plane];
      expect((await writer.call('POST', at('/v1/metrics'), { body: aMetric({ key }) })).status).toBe(201);
      const { body } = await reader.call('GET', at('/v1/metrics'));
      expect(body.items.map((item: { key: string }) => item.key)).toContain(key);
    }
    await other.close();
    await eventually('the last is published', async () =>
      (await plane.published()).has('v/default/metric/shared-9/1') ? true : undefined,
    );
    const order = [...(await plane.published()).keys()].filter((key) => key.startsWith('v/default/metric/shared-'));
    expect(order).toEqual(keys.map((key) => `v/default/metric/${key}/1`));
  });
});

describe('a rebuild', () => {
  it('makes the same catalogue', async () => {
    const lists = () =>
      Promise.all(['metrics', 'experiments', 'keys', 'environments'].map(async (kind) => (await get(`/v1/${kind}`)).body));
    const before = await lists();
    const { status, body } = await plane.call('POST', '/v1/admin/rebuild', { body: {} });
    expect(status).toBe(200);
    expect(body.rebuilt).toMatchObject([
      { name: 'catalogue', events: expect.any(Number) },
      { name: 'definitions', events: expect.any(Number) },
      { name: 'decisions', events: expect.any(Number) },
      { name: 'decisions.v1', events: expect.any(Number) },
      { name: 'audit', events: expect.any(Number) },
    ]);
    expect(await lists()).toEqual(before);
  });
  it('is for admins', async () => {
    const manager = (await post('/v1/keys', { name: 'm', role: 'manager' })).body.key;
    expect((await plane.call('POST', '/v1/admin/rebuild', { body: {}, key: manager })).status).toBe(403);
  });
});

describe('garbage', () => {
  const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const feature = (value: string) =>
    `{"key":"deep","name":"Deep","valueType":"json","defaultVariant":"a","variants":[{"key":"a","value":${value}}]}`;

  it('is answered with what is wrong with it, and never as our failure', async () => {
    const bodies = [
      '[]',
      '"x"',
      'null',
      '{"key":"p","name":"\\u0000"}',
      '{"key":"p","name":"\\ud800"}',
      '{"key":"__proto__","name":"p"}',
      nested(10_000),
    ];
    for (const raw of bodies) {
      const answer = await plane.call('POST', '/v1/projects', { raw, headers: { 'idempotency-key': 'garbage' } });
      expect([raw.slice(0, 40), answer.status < 500, typeof answer.body.detail]).toEqual([raw.slice(0, 40), true, 'string']);
    }
    for (const path of [
      '/v1/metrics/%00',
      '/v1/metrics/a%2Fb',
      '/v1/metrics/converted?version=0',
      '/v1/metrics/converted?asOf=0000-01-01T00:00:00Z',
    ])
      expect((await get(path)).status).toBe(400);
    expect((await post('/v1/keys', { name: 'x', role: 'god' })).status).toBe(400);
  });

  it('may be nested, up to a depth', async () => {
    const features = at('/v1/features');
    expect((await plane.call('POST', features, { raw: feature(nested(10)) })).status).toBe(201);
    expect(await plane.call('POST', features, { raw: feature(nested(3_000)) })).toMatchObject({
      status: 400,
      body: { errors: [{ code: 'too-deep' }] },
    });
  });

  it.each(['constructor', 'null', 'preview'])('%s is nobody\u2019s key', async (key) => {
    expect(await plane.call('POST', '/v1/projects', { body: { key, name: 'x' } })).toMatchObject({
      status: 422,
      body: { code: 'reserved-slug' },
    });
  });
});
