import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineExperiment, exposure, purchase, type Setting } from './experiment.js';
import { eventually, type Platform, startPlatform } from './platform.js';
import { type Route, routesOf } from './routes.js';

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
  platform = await startPlatform();
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
    const computes = (path: string) => /\/(preview|gate)$|^\/v1\/(plans|evaluate)\/|^\/v1\/decisions\/\{id\}\/replay$/.test(path);
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
