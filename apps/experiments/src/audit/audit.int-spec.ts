import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { DataSource } from 'typeorm';
import { type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';

let database: FreshDatabase;
let plane: ControlPlane;
let manager: { id: string; key: string };
let analyst: { id: string; key: string };

const make = async (role: string): Promise<{ id: string; key: string }> =>
  (await plane.call('POST', '/v1/keys?project=shop', { body: { name: role, role } })).body;
const lines = async (query: string) => (await plane.call('GET', `/v1/audit?${query}`)).body.items as Record<string, unknown>[];
const line = (what: string, query: string, of: (found: Record<string, unknown>) => boolean) =>
  eventually(what, async () => (await lines(query)).find(of));

beforeAll(async () => {
  database = await freshDatabase();
  plane = await controlPlane(database.url);
  await plane.call('POST', '/v1/projects', { body: { key: 'shop', name: 'Shop' } });
  [manager, analyst] = [await make('manager'), await make('analyst')];
});

afterAll(async () => {
  await plane?.close();
  await database?.drop();
});

describe('the audit log', () => {
  it('has each command with who, what, when and why', async () => {
    const before = Date.now();
    const body = { key: 'staging', kind: 'live' };
    await plane.call('POST', '/v1/environments?reason=trial', { body, key: manager.key, headers: { 'x-request-id': 'the-request' } });
    const [found] = await lines(`actor=${manager.id}&limit=1`);
    expect(found).toMatchObject({
      ...{ outcome: 'done', action: 'EnvironmentCreated', target: { stream: 'environment/shop/staging' }, project: 'shop' },
      ...{ reason: 'trial', requestId: 'the-request', service: 'experiments' },
    });
    expect(Date.parse(String(found?.at))).toBeGreaterThanOrEqual(before);
  });

  it('has what processes did, too', async () => {
    const made = (await lines('project=default')).find(({ action }) => action === 'ProjectCreated');
    expect(made).toMatchObject({ actor: expect.not.stringMatching(/^admin$/), outcome: 'done' });
  });

  it('has a command that a role may not give', async () => {
    expect((await plane.call('POST', '/v1/metrics', { body: {}, key: analyst.key })).status).toBe(403);
    const found = await line('the denial', 'outcome=denied', ({ actor }) => actor === analyst.id);
    expect(found).toMatchObject({
      ...{ action: 'POST /v1/metrics', status: 403, code: 'wrong-role', role: 'analyst', project: 'shop', count: 1 },
      address: expect.stringMatching(/127\.0\.0\.1$/),
    });
  });

  it('has a read that was denied, and counts the same one as one line', async () => {
    const tries = Array.from({ length: 20 }, () => plane.call('GET', '/v1/projects/shop', { key: 'rk_nobody_nothing' }));
    await Promise.all(tries);
    const denials = await eventually('all are counted', async () => {
      const found = (await lines('outcome=denied')).filter(({ code }) => code === 'key-unknown');
      return found.reduce((sum, { count }) => sum + Number(count), 0) >= 20 ? found : undefined;
    });
    expect(denials.length).toBeLessThan(4);
    expect(denials[0]).toMatchObject({ actor: null, action: 'GET /v1/projects/:key', target: { key: 'shop' } });
  });

  it('has who came with a revoked key, and from another project', async () => {
    const gone = await make('manager');
    await plane.call('POST', `/v1/keys/${gone.id}/revoke?project=shop`);
    await plane.call('POST', '/v1/environments', { body: {}, key: gone.key });
    await plane.call('POST', '/v1/environments?project=other', { body: {}, key: manager.key });
    expect(await line('the revoked one', 'outcome=denied', ({ actor }) => actor === gone.id)).toMatchObject({ code: 'key-revoked' });
    expect(await line('the foreign one', 'outcome=denied', ({ actor }) => actor === manager.id)).toMatchObject({ code: 'foreign-project' });
  });

  it('has what was done to the keys of a project among what is about it, also where an older version wrote it without', async () => {
    await plane.call('POST', '/v1/environments?project=shop', { body: { key: 'till', kind: 'live' } });
    const body = { name: 'sender', role: 'emit', environment: 'till' };
    const sender = (await plane.call('POST', '/v1/keys?project=shop', { body })).body;
    await plane.call('POST', `/v1/keys/${sender.id}/rotate?project=shop`, { body: {} });
    await plane.call('PUT', `/v1/keys/${sender.id}/quota?project=shop`, { body: { quota: { eventsPerSecond: 5 } } });
    await plane.call('POST', `/v1/keys/${sender.id}/revoke?project=shop`);
    const done = async () =>
      (await lines('project=shop&outcome=done&limit=200')).filter(
        ({ target }) => (target as { stream?: string }).stream === `key/${sender.id}`,
      );
    const told = await done();
    expect(told.map(({ action, project }) => `${action} ${project}`)).toEqual(
      ['ApiKeyRevoked', 'ApiKeyLimited', 'ApiKeyRotated', 'ApiKeyCreated'].map((action) => `${action} shop`),
    );
    await plane.app.get(DataSource, { strict: false }).query(
      `update control.audit_entry set project = null, entry = jsonb_set(entry, '{project}', 'null')
       where entry->'target'->>'stream' like 'key/%' and entry->>'action' <> 'ApiKeyCreated'`,
    );
    expect(await done()).toHaveLength(1);
    await plane.call('POST', '/v1/admin/rebuild', { body: { names: ['audit'] } });
    expect(await done()).toEqual(told);
  });

  it('has a command that a rule refused', async () => {
    await plane.call('POST', '/v1/projects', { body: { key: 'shop', name: 'Again' } });
    expect(await line('the refusal', 'outcome=refused&actor=admin', ({ code }) => code === 'project-exists')).toMatchObject({
      status: 409,
    });
  });

  it('has no line for what was only asked, and one for a command that stores no event', async () => {
    await plane.call('POST', '/v1/projects?validate=true', { body: { key: 'dry', name: 'Dry' } });
    await plane.call('POST', '/v1/admin/rebuild', { body: { names: ['catalogue'] } });
    await line('the rebuild', 'actor=admin', ({ action }) => action === 'POST /v1/admin/rebuild');
    expect((await lines('actor=admin&limit=200')).filter(({ action }) => action === 'POST /v1/projects')).toHaveLength(1);
  });

  it('is read page by page, each line once, newest first', async () => {
    const all = (await lines('limit=200')).map(({ position }) => position);
    const read: unknown[] = [];
    let before = '';
    for (;;) {
      const { body } = await plane.call('GET', `/v1/audit?limit=3${before}`);
      read.push(...body.items.map(({ position }: { position: string }) => position));
      if (body.next === null) break;
      before = `&before=${body.next}`;
    }
    expect(read.slice(-all.length)).toEqual(all);
    expect([...read].sort((a, b) => Number(b) - Number(a))).toEqual(read);
  });

  it('is for admins', async () => {
    for (const { id, key } of [manager, analyst]) {
      expect((await plane.call('GET', '/v1/audit', { key })).status).toBe(403);
      await line('the denial', 'outcome=denied', ({ actor, action }) => actor === id && action === 'GET /v1/audit');
    }
  });

  it('has every line once after its events were read anew, and in the order of before', async () => {
    const read = async () => (await lines('limit=200')).map(({ position, action }) => [position, action]);
    const before = await read();
    await plane.call('POST', '/v1/admin/rebuild', { body: { names: ['audit'] } });
    expect((await read()).slice(-before.length)).toEqual(before);
    expect((await read()).slice(0, -before.length).filter(([, action]) => action !== 'POST /v1/admin/rebuild')).toEqual([]);
  });
});

describe('the list of keys', () => {
  it('says when each was last used', async () => {
    const fresh = await make('analyst');
    const lastUsed = async () => {
      const { items } = (await plane.call('GET', '/v1/keys?project=shop')).body;
      return (items as { id: string; lastUsedAt: string | null }[]).find(({ id }) => id === fresh.id)?.lastUsedAt;
    };
    expect(await lastUsed()).toBeNull();
    const before = Date.now();
    await plane.call('GET', '/v1/metrics', { key: fresh.key });
    const at = await eventually('it was used', async () => (await lastUsed()) ?? undefined);
    expect(Date.parse(at)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(at)).toBeLessThanOrEqual(Date.now());
  });
});
