import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { hashOfKey } from '@rampart/service-kit';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';

let database: FreshDatabase;
let plane: ControlPlane;

beforeAll(async () => {
  database = await freshDatabase();
  plane = await controlPlane(database.url);
  await plane.call('POST', '/v1/projects', { body: { key: 'shop', name: 'Shop' } });
  await plane.call('POST', '/v1/environments?project=shop', { body: { key: 'production', kind: 'live' } });
  await plane.call('POST', '/v1/environments?project=shop', { body: { key: 'past', kind: 'historical' } });
}, 60_000);

afterAll(async () => {
  await plane?.close();
  await database?.drop();
});

const make = (body: object, key?: string, headers: Record<string, string> = {}) =>
  plane.call('POST', key === undefined ? '/v1/keys?project=shop' : '/v1/keys', { body, headers, ...(key === undefined ? {} : { key }) });
const reads = async (key: string) => (await plane.call('GET', '/v1/metrics', { key })).status;
const publishedKey = async (id: string) => {
  const found = [...(await plane.published())].filter(([key]) => key.startsWith(`h/shop/key/${id}/-/`));
  return found.map(([, value]) => (value as { value: object }).value);
};

describe('a new key', () => {
  it('is shown once and kept as a hash', async () => {
    const { status, body } = await make({ name: 'web', role: 'emit', environment: 'production' });
    expect(status).toBe(201);
    expect(body.key).toMatch(new RegExp(`^rk_${body.id}_[A-Za-z0-9_-]{43}$`));
    expect(body.id).toMatch(/^[0-9a-z]{12}$/);
    const listed = JSON.stringify((await plane.call('GET', '/v1/keys?project=shop')).body);
    expect(listed).toContain(body.id);
    expect(listed).not.toContain(body.key);
    expect(listed).not.toContain(hashOfKey(body.key));
    expect(await eventually('published', async () => (await publishedKey(body.id))[0])).toEqual({
      id: body.id,
      hash: hashOfKey(body.key),
      role: 'emit',
      project: 'shop',
      environment: 'production',
      name: 'web',
      revoked: false,
    });
  });
  it('is nowhere in the database, not even as the recorded answer of an idempotent request', async () => {
    const headers = { 'idempotency-key': 'secret' };
    const { body } = await make({ name: 'once', role: 'analyst' }, undefined, headers);
    expect((await make({ name: 'once', role: 'analyst' }, undefined, headers)).body).toEqual(body);
    const { DataSource } = await import('typeorm');
    const tables = await plane.app.get(DataSource, { strict: false }).query<{ row: string }[]>(
      `select row_to_json(t)::text as row from control.event t union all select row_to_json(t)::text from control.recorded_request t
       union all select row_to_json(t)::text from control.catalogue_entry t`,
    );
    expect(tables.length).toBeGreaterThan(5);
    expect(tables.filter(({ row }) => row.includes(body.key) || row.includes(body.key.split('_')[2]))).toEqual([]);
  });
  it('works at once', async () => {
    const { body } = await make({ name: 'reader', role: 'analyst' });
    expect(await reads(body.key)).toBe(200);
  });
  it('reaches no further than its role', async () => {
    expect(await make({ name: 'x', role: 'emit', environment: 'past' })).toMatchObject({
      status: 422,
      body: { code: 'key-reach', details: { path: '/environment' } },
    });
    expect(await make({ name: 'x', role: 'import', environment: 'nowhere' })).toMatchObject({
      status: 404,
      body: { code: 'environment-not-found' },
    });
    const manager = (await make({ name: 'm', role: 'manager' })).body.key;
    expect(await make({ name: 'x', role: 'admin' }, manager)).toMatchObject({ status: 403, body: { code: 'wrong-role' } });
    expect((await make({ name: 'x', role: 'analyst' }, manager)).body).toMatchObject({ project: 'shop' });
    const analyst = (await make({ name: 'a', role: 'analyst' })).body.key;
    expect((await make({ name: 'x', role: 'analyst' }, analyst)).status).toBe(403);
  });
  it('belongs to a project that exists', async () => {
    const answer = await plane.call('POST', '/v1/keys?project=nowhere', { body: { name: 'x', role: 'analyst' } });
    expect(answer).toMatchObject({ status: 404, body: { code: 'project-not-found' } });
  });
  it('of an admin belongs to the platform', async () => {
    const { status, body } = await plane.call('POST', '/v1/keys', { body: { name: 'second admin', role: 'admin' } });
    expect([status, body.project]).toEqual([201, null]);
    expect((await plane.call('GET', '/v1/projects', { key: body.key })).body.items).toHaveLength(2);
    expect((await plane.call('GET', '/v1/keys')).body.items).toMatchObject([{ id: body.id }]);
  });
});

describe('rotation', () => {
  it('gives a new secret; the old one stops at once', async () => {
    const { body: old } = await make({ name: 'r', role: 'analyst' });
    const { status, body } = await plane.call('POST', `/v1/keys/${old.id}/rotate?project=shop`, { body: {} });
    expect([status, body.id, body.key === old.key]).toEqual([200, old.id, false]);
    expect([await reads(old.key), await reads(body.key)]).toEqual([401, 200]);
    await eventually('published', async () => {
      const hashes = (await publishedKey(old.id)).map((value) => (value as { hash: string }).hash);
      return hashes.join() === [hashOfKey(old.key), hashOfKey(body.key)].join() ? true : undefined;
    });
  });
});

describe('a rotation with an overlap', () => {
  const rotate = (id: string, body: object) => plane.call('POST', `/v1/keys/${id}/rotate?project=shop`, { body });

  it('leaves the old secret working beside the new one, until its time is over', async () => {
    const { body: old } = await make({ name: 'o', role: 'analyst' });
    const { body } = await rotate(old.id, { overlapSeconds: 2 });
    expect(Date.parse(body.previousUntil) - Date.parse(body.rotatedAt)).toBe(2_000);
    expect([await reads(old.key), await reads(body.key)]).toEqual([200, 200]);
    await eventually('the old one ended', async () => ((await reads(old.key)) === 401 ? true : undefined));
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(body.previousUntil));
    expect(await plane.call('GET', '/v1/metrics', { key: old.key })).toMatchObject({ body: { code: 'key-rotated' } });
    expect(await reads(body.key)).toBe(200);
  });

  it('is ended with both secrets by a revocation', async () => {
    const { body: old } = await make({ name: 'o', role: 'analyst' });
    const { body } = await rotate(old.id, { overlapSeconds: 600 });
    await plane.call('POST', `/v1/keys/${old.id}/revoke?project=shop`);
    expect([await reads(old.key), await reads(body.key)]).toEqual([401, 401]);
  });

  it('is published, so that every process knows both', async () => {
    const { body: old } = await make({ name: 'o', role: 'analyst' });
    await rotate(old.id, { overlapSeconds: 600 });
    const previous = { hash: hashOfKey(old.key), untilUs: expect.any(Number) };
    await eventually('published', async () => (await publishedKey(old.id)).find((value) => 'previous' in value)).then((value) =>
      expect(value).toMatchObject({ previous }),
    );
  });

  it('takes a week at most', async () => {
    const { body } = await make({ name: 'o', role: 'analyst' });
    expect(await rotate(body.id, { overlapSeconds: 604_801 })).toMatchObject({
      status: 400,
      body: { errors: [{ path: '/overlapSeconds' }] },
    });
  });
});

describe('a key that expires', () => {
  it('stops at that moment, and comes back only with a new secret and a later end', async () => {
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const { body } = await make({ name: 'e', role: 'analyst', expiresAt });
    expect(Date.parse(body.expiresAt)).toBe(Date.parse(expiresAt));
    expect(await reads(body.key)).toBe(200);
    await eventually('it expired', async () => ((await reads(body.key)) === 401 ? true : undefined));
    expect(await plane.call('GET', '/v1/metrics', { key: body.key })).toMatchObject({ body: { code: 'key-expired' } });
    const rotate = (more: object) =>
      plane.call('POST', `/v1/keys/${body.id}/rotate?project=shop`, { body: { overlapSeconds: 60, ...more } });
    expect(await rotate({})).toMatchObject({ status: 409, body: { code: 'key-is-expired' } });
    const { body: rotated } = await rotate({ expiresAt: '2100-01-01T00:00:00Z' });
    expect([await reads(rotated.key), await reads(body.key)]).toEqual([200, 401]);
  });

  it('can not have expired already', async () => {
    expect(await make({ name: 'e', role: 'analyst', expiresAt: '2020-01-01T00:00:00Z' })).toMatchObject({
      status: 422,
      body: { code: 'key-expiry', details: { path: '/expiresAt' } },
    });
  });
});

describe('a quota', () => {
  const limit = (id: string, quota: object | null) => plane.call('PUT', `/v1/keys/${id}/quota?project=shop`, { body: { quota } });

  it('is given to a key that sends, changed, taken back, and published', async () => {
    const { body } = await make({ name: 'q', role: 'emit', environment: 'production', quota: { eventsPerSecond: 5 } });
    expect(body.quota).toEqual({ eventsPerSecond: 5, burst: 50 });
    const quota = { eventsPerSecond: 7, burst: 9 };
    expect(await limit(body.id, quota)).toMatchObject({ status: 200, body: { quota } });
    expect(await limit(body.id, null)).toMatchObject({ status: 200, body: { quota: null } });
    const quotas = () => publishedKey(body.id).then((all) => all.map((value) => (value as { quota?: object }).quota));
    await eventually('published', async () => ((await quotas()).length === 3 ? true : undefined));
    expect(await quotas()).toEqual([{ eventsPerSecond: 5, burst: 50 }, quota, undefined]);
  });

  it('is for no other role', async () => {
    const { body } = await make({ name: 'q', role: 'analyst' });
    expect(await limit(body.id, { eventsPerSecond: 5 })).toMatchObject({ status: 422, body: { code: 'key-quota' } });
  });
});

describe('revocation', () => {
  it('is at once and for good', async () => {
    const { body } = await make({ name: 'r', role: 'analyst' });
    expect(await plane.call('POST', `/v1/keys/${body.id}/revoke?project=shop`, {})).toMatchObject({ status: 200, body: { revoked: true } });
    expect(await reads(body.key)).toBe(401);
    expect((await plane.call('POST', `/v1/keys/${body.id}/revoke?project=shop`)).status).toBe(200);
    expect(await plane.call('POST', `/v1/keys/${body.id}/rotate?project=shop`)).toMatchObject({
      status: 409,
      body: { code: 'key-is-revoked' },
    });
    await eventually('published', async () =>
      (await publishedKey(body.id)).some((value) => (value as { revoked: boolean }).revoked) ? true : undefined,
    );
  });
  it('is for keys of the own project', async () => {
    await plane.call('POST', '/v1/projects', { body: { key: 'other', name: 'Other' } });
    const { body } = await plane.call('POST', '/v1/keys?project=other', { body: { name: 'm', role: 'manager' } });
    const { body: foreign } = await make({ name: 'f', role: 'analyst' });
    expect(await plane.call('POST', `/v1/keys/${foreign.id}/revoke`, { key: body.key })).toMatchObject({
      status: 404,
      body: { code: 'key-not-found' },
    });
    expect(await reads(foreign.key)).toBe(200);
    expect((await plane.call('GET', '/v1/projects', { key: body.key })).body.items).toMatchObject([{ key: 'other' }]);
    expect((await plane.call('GET', '/v1/projects/shop', { key: body.key })).status).toBe(404);
  });
});
