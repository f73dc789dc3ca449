import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineExperiment, exposure, purchase, type Setting } from './experiment.js';
import { filesWith, secretOf } from './files-with.js';
import { eventually, type Platform, startPlatform } from './platform.js';
import { type Route, routesOf } from './routes.js';
import { settingsOf } from './twin.js';

/** SDKs have no header to send. */
const KEY_IN_PATH = '/api/features/{clientKey}';

type Holder = 'manager' | 'analyst' | 'emit' | 'client' | 'import';

let platform: Platform;
let routes: readonly Route[];
let theirs: Setting;
const ours = new Map<Holder, string>();
let revoked: string;

const keyOf = async (project: string, role: string, environment?: string): Promise<{ id: string; key: string }> =>
  (await platform.call('POST', `/v1/keys?project=${project}`, { name: role, role, ...(environment === undefined ? {} : { environment }) }))
    .body;

beforeAll(async () => {
  platform = await startPlatform({ env: { RAMPART_LOG_LEVEL: 'debug' } });
  // Who holds its key in its path is asked apart.
  routes = (await routesOf(platform)).filter(({ path }) => path !== KEY_IN_PATH);
  ours.set('emit', (await defineExperiment(platform, 'production', 'live', 'ours')).key);
  ours.set('client', (await keyOf('ours', 'client', 'production')).key);
  ours.set('import', (await defineExperiment(platform, 'past', 'historical', 'ours')).key);
  theirs = await defineExperiment(platform, 'production', 'live', 'theirs');
  for (const role of ['manager', 'analyst'] as const) ours.set(role, (await keyOf('ours', role)).key);
  const gone = await keyOf('ours', 'manager');
  revoked = gone.key;
  await platform.call('POST', `/v1/keys/${gone.id}/revoke?project=ours`, {});
  await eventually('everybody knows the keys', async () => {
    const read = (key: string) => platform.call('GET', '/v1/analysis/freshness', undefined, { key });
    return (await read(ours.get('analyst') ?? '')).status === 200 && (await read(revoked)).status === 401 ? true : undefined;
  });
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
});

/** What keys that stand in services and pages may ask, beside sending. */
const isEvaluation = ({ path }: Route): boolean => path.startsWith('/ofrep/') || path.startsWith('/v1/evaluate');
const isIntake = ({ path }: Route): boolean => path === '/v1/events' || path === '/v1/ingest/validate';
const place = ({ path }: Route): string => path.replace(/\{\w+\}/, 'button');

/** Calls every route; answers those whose status is none of the allowed. */
const others = async (
  allowed: readonly number[],
  key: string | null | undefined,
  { among = () => true, query = '', headers = {} }: { among?: (route: Route) => boolean; query?: string; headers?: Record<string, string> },
): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const route of routes.filter(among)) {
    const body = route.method === 'GET' ? undefined : {};
    const { status } = await platform.call(route.method, place(route) + query, body, { headers, key: key ?? null });
    if (!allowed.includes(status)) found.push(`${route.method} ${route.path}: ${status}`);
  }
  return found;
};

describe('every route', () => {
  it('says who may call it', () => {
    expect(routes.length).toBeGreaterThan(80);
    expect(routes.filter(({ roles }) => roles === undefined)).toEqual([]);
  });

  it('says what it answers', () => {
    expect(routes.filter(({ isAnswerTold }) => !isAnswerTold)).toEqual([]);
  });

  it('is closed to every role that it does not name', async () => {
    for (const [role, key] of ours)
      expect([role, await others([403], key, { among: ({ roles }) => !roles?.includes(role) })]).toEqual([role, []]);
  });

  it('is open to keys that stand in services and pages only to send and to evaluate', () => {
    const open = routes.filter(({ roles }) => ['emit', 'client', 'import'].some((role) => roles?.includes(role)));
    expect(open.filter((route) => !isIntake(route) && !isEvaluation(route))).toEqual([]);
    expect(open.filter(({ roles }) => roles?.includes('client')).length).toBeGreaterThan(3);
  });

  it('is closed to a key of another environment', async () => {
    expect(await others([403], ours.get('emit'), { query: '?environment=past' })).toEqual([]);
    expect(await others([403], ours.get('client'), { query: '?environment=past' })).toEqual([]);
    expect(await others([403], ours.get('import'), { query: '?environment=production' })).toEqual([]);
  });
});

describe('a key of one project', () => {
  it.each(['manager', 'analyst', 'emit', 'client', 'import'] as const)(
    'of role %s reaches nothing of another, by query or header',
    async (role) => {
      expect(await others([403], ours.get(role), { query: '?project=theirs' })).toEqual([]);
      expect(await others([403], ours.get(role), { headers: { 'x-project': 'theirs' } })).toEqual([]);
    },
  );

  it('does not touch what another has, though it knows its id', async () => {
    const key = ours.get('manager') ?? '';
    const foreign = await keyOf('theirs', 'analyst');
    await platform.call('POST', '/v1/events', [{ bad: true }], { key: theirs.key });
    const letter = await eventually('their event is rejected', async () => {
      const { body } = await platform.call('GET', '/v1/ingest/dead-letters?project=theirs&environment=production');
      return body.letters[0]?.id as string | undefined;
    });
    const record = await eventually('their experiment was looked at', async () => {
      const { body } = await platform.call('GET', '/v1/experiments/button/decisions?project=theirs');
      return body.items[0]?.id as string | undefined;
    });
    const posts = [
      `/v1/keys/${foreign.id}/revoke`,
      `/v1/keys/${foreign.id}/rotate`,
      `/v1/ingest/dead-letters/${letter}/replay`,
      `/v1/decisions/${record}/replay`,
    ];
    for (const path of posts) expect([path, (await platform.call('POST', path, {}, { key })).status]).toEqual([path, 404]);
    for (const path of ['/v1/projects/theirs', `/v1/decisions/${record}`])
      expect([path, (await platform.call('GET', path, undefined, { key })).status]).toEqual([path, 404]);
    for (const path of ['/v1/projects', '/v1/keys', '/v1/experiments', '/v1/environments'])
      expect(JSON.stringify((await platform.call('GET', path, undefined, { key })).body)).not.toMatch(/theirs/);
  });

  it('sends nothing in another’s name', async () => {
    const foreign = { ...exposure('u', 'control', 1), project: 'theirs' };
    const { body } = await platform.call('POST', '/v1/events', [foreign], { key: ours.get('emit') ?? '' });
    expect(body.items).toEqual([expect.objectContaining({ status: 'rejected', code: 'wrong-scope' })]);
  });
});

describe('a role', () => {
  it('import sends and reads nothing', async () => {
    expect(await others([403], ours.get('import'), { among: (route) => !isIntake(route) })).toEqual([]);
  });

  it.each(['emit', 'client'] as const)('%s sends, evaluates and reads nothing', async (role) => {
    expect(await others([403], ours.get(role), { among: (route) => !isIntake(route) && !isEvaluation(route) })).toEqual([]);
    expect(await others([200, 400, 404], ours.get(role), { among: isEvaluation })).toEqual([]);
  });

  it('analyst reads and changes nothing', async () => {
    const computes = (path: string) =>
      /\/(preview|gate|explore|power)$|^\/v1\/(plans|evaluate)\/|^\/v1\/decisions\/\{id\}\/replay$/.test(path);
    const changes = ({ method, path }: Route) => method !== 'GET' && !computes(path);
    expect(await others([403], ours.get('analyst'), { among: changes })).toEqual([]);
  });

  it('manager makes no admin', async () => {
    const answer = await platform.call('POST', '/v1/keys', { name: 'up', role: 'admin' }, { key: ours.get('manager') ?? '' });
    expect(answer).toMatchObject({ status: 403, body: { code: 'wrong-role' } });
  });

  it.each([
    ['import', 'production'],
    ['emit', 'past'],
  ])('%s is not given for %s', async (role, environment) => {
    expect(await platform.call('POST', '/v1/keys?project=ours', { name: 'x', role, environment })).toMatchObject({
      status: 422,
      body: { code: 'key-reach' },
    });
  });

  it('stays in its environment', async () => {
    for (const [role, environment] of [
      ['import', 'production'],
      ['emit', 'past'],
    ] as const) {
      const answer = await platform.call('POST', `/v1/events?environment=${environment}`, [purchase('u', 1, 1)], {
        key: ours.get(role) ?? '',
      });
      expect(answer).toMatchObject({ status: 403, body: { code: 'foreign-environment' } });
    }
  });
});

describe('the rules of an environment', () => {
  it('are read with its public key in the path, and with no other', async () => {
    const read = async (key: string) =>
      (await platform.call('GET', KEY_IN_PATH.replace('{clientKey}', key), undefined, { key: null })).status;
    expect(await read(ours.get('client') ?? '')).toBe(200);
    for (const key of [revoked, ours.get('manager') ?? '', ours.get('analyst') ?? '', 'button'])
      expect([400, 401, 403]).toContain(await read(key));
  });
});

describe('no key, or one that was revoked', () => {
  it('opens no route', async () => {
    expect(await others([401], revoked, {})).toEqual([]);
    expect(await others([401], null, {})).toEqual([]);
  });
});

describe('what a service says of its engines and folders', () => {
  it.each(['experiments', 'assignment', 'ingestion', 'analysis'])('of %s is told to the admin alone', async (service) => {
    const ask = async (key?: string | null, query = '') =>
      (await platform.call('GET', `/diagnostics/${service}${query}`, undefined, key === undefined ? {} : { key })).status;
    for (const [role, key] of ours) {
      expect([role, await ask(key)]).toEqual([role, 403]);
      expect([role, await ask(key, '?project=ours')]).toEqual([role, 403]);
    }
    expect(await ask(null)).toBe(401);
    expect(await ask(revoked)).toBe(401);
    expect(await ask()).toBe(200);
  });
});

/** One route of each service that this key may call, and whether it was let in. */
const doorsOf = (key: string, role: Holder): readonly (() => Promise<number>)[] => {
  const status = async (method: string, path: string, body?: unknown) => (await platform.call(method, path, body, { key })).status;
  if (role === 'client')
    return [() => status('POST', '/ofrep/v1/evaluate/flags', { context: { targetingKey: 'u' } }), () => status('POST', '/v1/events', [])];
  return [
    () => status('GET', '/v1/metrics'),
    () => status('GET', '/v1/analysis/freshness'),
    () => status('POST', '/v1/ingest/validate', []),
  ];
};

describe('a key that is taken back', () => {
  it.each([
    ['manager', undefined],
    ['client', 'production'],
  ] as const)('of role %s is refused by every service within a second', async (role, environment) => {
    const { id, key } = await keyOf('ours', role, environment);
    const doors = doorsOf(key, role);
    await eventually('every service knows it', async () => {
      const statuses = await Promise.all(doors.map((door) => door()));
      return statuses.every((status) => status !== 401 && status !== 403 && status !== 503) ? true : undefined;
    });
    await platform.call('POST', `/v1/keys/${id}/revoke?project=ours`, {});
    const revokedAt = Date.now();
    for (const door of doors) await eventually('it is refused', async () => ((await door()) === 401 ? true : undefined));
    expect(Date.now() - revokedAt).toBeLessThan(1_000);
  });

  it('by rotation goes on for its overlap, everywhere, and then the new one alone', async () => {
    const { id, key } = await keyOf('ours', 'manager');
    const { body } = await platform.call('POST', `/v1/keys/${id}/rotate?project=ours`, { overlapSeconds: 3 });
    for (const door of doorsOf(body.key, 'manager'))
      await eventually('the new one works', async () => ((await door()) < 401 ? true : undefined));
    for (const door of doorsOf(key, 'manager')) expect(await door()).toBeLessThan(401);
    await eventually('the overlap is over', async () => (Date.now() > Date.parse(body.previousUntil) ? true : undefined));
    for (const door of doorsOf(key, 'manager')) expect(await door()).toBe(401);
    for (const door of doorsOf(body.key, 'manager')) expect(await door()).toBeLessThan(401);
    past.push(key, body.key);
  });
});

/** Keys that were used and misused here. */
const past: string[] = [];

describe('the audit log', () => {
  it('has what each service denied, and commands of those that keep no history', async () => {
    const key = ours.get('emit') ?? '';
    for (const path of ['/v1/metrics', '/v1/analysis/freshness', '/v1/ingest/dead-letters', '/api/features/rk_x_nothing'])
      await platform.call('GET', path, undefined, { key });
    await platform.call('POST', '/v1/ingest/dead-letters/replay?project=ours', { all: true });
    const services = async () => {
      const { body } = await platform.call('GET', '/v1/audit?outcome=denied&limit=200');
      return new Set<string>(body.items.map(({ service }: { service: string }) => service));
    };
    await eventually('every service has told', async () => ((await services()).size === 4 ? true : undefined));
    await eventually('the replay is told', async () => {
      const { body } = await platform.call('GET', '/v1/audit?outcome=done&actor=admin&limit=200');
      return body.items.some(({ action }: { action: string }) => action === 'POST /v1/ingest/dead-letters/replay') ? true : undefined;
    });
  });
});

describe('every answer of the front door', () => {
  it('says what a browser must not do with it', async () => {
    for (const path of [
      '/',
      '/status',
      '/livez',
      '/v1/metrics',
      '/v1/nothing',
      '/docs/analysis/docs',
      '/metrics/ingestion',
      '/v1/%ED%A0%80',
    ]) {
      const { headers } = await platform.call('GET', path);
      expect([path, headers.get('x-content-type-options'), headers.get('x-frame-options')]).toEqual([path, 'nosniff', 'DENY']);
      expect([path, headers.get('content-security-policy')]).toEqual([path, expect.stringMatching(/^default-src 'none'/)]);
      expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe/);
    }
  });
});

/** What the services open the embedded engines with; a server of the test's own may have a password that is no secret. */
const enginePasswords = (): readonly string[] => {
  const { RAMPART_CLICKHOUSE_URL, RAMPART_DATABASE_URL } = settingsOf(platform.processes().analysis ?? 0);
  const urls = [RAMPART_CLICKHOUSE_URL, ...(platform.servers === undefined ? [RAMPART_DATABASE_URL] : [])];
  return urls.map((url) => decodeURIComponent(new URL(url ?? '').password));
};

describe('a key that was used, and put where it does not belong', () => {
  it('is in no log, database or spool afterwards', async () => {
    const { id, key } = await keyOf('ours', 'manager');
    const emit = ours.get('emit') ?? '';
    const misuses = [
      () => platform.call('GET', `/v1/metrics/${key}`),
      () => platform.call('POST', `/v1/keys/${key}/revoke?project=ours`, {}),
      () => platform.call('GET', `/v1/metrics?project=ours&key=${key}`, undefined, { key: null }),
      () => platform.call('POST', '/v1/metrics?project=ours', { key, name: key }),
      () => platform.call('GET', '/v1/metrics', undefined, { key, headers: { 'x-request-id': key } }),
      () => platform.call('GET', '/v1/metrics', undefined, { key: null, headers: { authorization: `Basic ${key}` } }),
      () => platform.call('GET', `/api/features/${key}`, undefined, { key: null }),
      () => platform.call('POST', '/v1/events', [{ ...exposure('u', 'control', 1), writekey: key, id: '', note: key }], { key: emit }),
      () => platform.call('POST', '/v1/events', undefined, { key: emit, raw: `{"broken": "${key}"` }),
      () => platform.call('POST', '/session', { code: key }),
      () =>
        platform.call('POST', `/v1/keys/${id}/rotate?project=ours`, { overlapSeconds: 600 }, { headers: { 'idempotency-key': 'once' } }),
    ];
    for (const misuse of misuses) {
      const { body } = await misuse();
      if (typeof body?.key === 'string') past.push(body.key);
    }
    const hook = { key: 'hook', url: 'https://hooks.example/rampart' };
    const signing = (await platform.call('POST', '/v1/webhooks?project=ours', hook)).body.secret as string;
    expect(signing).toMatch(/^whsec_/);
    const used = [...ours.values(), ...past, key, revoked, theirs.key];
    expect(used.length).toBeGreaterThan(9);
    const secret = readFileSync(join(platform.data, 'secret'), 'utf8').trim();
    // What is looked for is found where it is kept.
    expect(filesWith(platform.data, [secretOf(platform.adminKey)])).toEqual(['admin-key']);
    expect(filesWith(platform.data, [secret])).toEqual(['secret']);
    const passwords = enginePasswords();
    const ofEngines = ['clickhouse/password', ...(platform.servers === undefined ? ['postgres-password'] : [])];
    expect([...filesWith(platform.data, passwords)].sort()).toEqual(ofEngines);
    await platform.stop();
    const all = [...[...used, platform.adminKey].map(secretOf), signing.slice('whsec_'.length)];
    expect([...all, secret, ...passwords].filter((text) => text.length < 20)).toEqual([]);
    const kept = ['admin-key', 'secret', ...ofEngines];
    expect(filesWith(platform.data, [...all, secret, ...passwords]).filter((file) => !kept.includes(file))).toEqual([]);
    for (const text of [...all, secret, ...passwords]) expect(platform.output()).not.toContain(text);
  }, 90_000);
});
