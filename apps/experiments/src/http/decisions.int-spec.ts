import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { canonicalJson, comparisonKey, type DecisionRecord, formatInstant, type LookMessage } from '@rampart/contracts';
import type { EventLog } from '@rampart/event-log';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { aMetric, anExperiment, type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';
import { after, aLook, aRecord, logOf, propose, tellLook } from '../evidence/records.examples.js';

let database: FreshDatabase;
let plane: ControlPlane;
let log: EventLog;

const get = (path: string, project = 'default') => plane.call('GET', `${path}${path.includes('?') ? '&' : '?'}project=${project}`);
const post = (path: string, body: unknown, project = 'default') =>
  plane.call('POST', `${path}${path.includes('?') ? '&' : '?'}project=${project}`, { body });

beforeAll(async () => {
  database = await freshDatabase();
  plane = await controlPlane(database.url);
  log = logOf(plane);
  await eventually('it is ready', async () => ((await plane.call('GET', '/readyz')).status === 200 ? true : undefined));
  await post('/v1/environments', { key: 'past', kind: 'historical' });
  await post('/v1/metrics', aMetric());
}, 60_000);

afterAll(async () => {
  await plane?.close();
  await database?.drop();
});

const started = async (key: string, environment = 'production') => {
  expect((await post('/v1/experiments', anExperiment({ key }))).status).toBe(201);
  expect((await post(`/v1/experiments/${key}/start?environment=${environment}`, {})).status).toBe(200);
};
const recorded = async (...records: readonly DecisionRecord[]) => {
  await propose(log, ...records);
  for (const { id, project } of records)
    await eventually('it is recorded', async () => ((await get(`/v1/decisions/${id}`, project)).status === 200 ? true : undefined));
};
/** Records of one experiment, oldest first. */
const chainOf = (first: DecisionRecord, length: number): readonly DecisionRecord[] => {
  const chain = [first];
  for (let newest = first; chain.length < length; chain.push(newest)) newest = after(newest);
  return chain;
};
const looked = async (look: LookMessage) => {
  await tellLook(log, comparisonKey(look), look);
  await eventually('the look is known', async () => {
    const { look: shown } = (await get(`/v1/experiments/${look.experiment}`)).body.environments[look.environment];
    return shown?.knownUntil === formatInstant(look.knownUntilUs) ? true : undefined;
  });
};
const decide = (key: string, more: object = {}, environment = 'production') =>
  post(`/v1/experiments/${key}/decide?environment=${environment}`, { outcome: 'ship', reason: 'better', ...more });

describe('a decision record', () => {
  it('is read whole, with its place in its chain', async () => {
    const [first, second] = chainOf(aRecord({ experiment: 'whole' }), 2) as [DecisionRecord, DecisionRecord];
    await recorded(first, second);
    expect(await get(`/v1/decisions/${second.id}`)).toEqual({
      status: 200,
      etag: '"2"',
      body: { record: second, recordedAtUs: expect.any(Number), revision: 2 },
    });
  });

  it('that is unknown, or of another project, is not found', async () => {
    await plane.call('POST', '/v1/projects', { body: { key: 'theirs', name: 'Theirs' } });
    const theirs = aRecord({ project: 'theirs', experiment: 'whole' });
    await recorded(theirs);
    for (const id of [theirs.id, 'a'.repeat(64)])
      expect(await get(`/v1/decisions/${id}`)).toMatchObject({ status: 404, body: { code: 'decision-not-found' } });
    expect(await get('/v1/decisions/nonsense')).toMatchObject({ status: 400, body: { errors: [{ path: '/id' }] } });
    expect((await plane.call('GET', `/v1/decisions/${theirs.id}`)).body.code).toBe('project-missing');
  });

  it('is read by analysts of its project, and by nobody who only sends', async () => {
    const keyOf = async (role: string, environment?: string) =>
      (await post('/v1/keys', { name: role, role, environment }, 'theirs')).body.key as string;
    await post('/v1/environments', { key: 'production', kind: 'live' }, 'theirs');
    const theirs = aRecord({ project: 'theirs', experiment: 'whole' });
    const statuses = await Promise.all(
      [await keyOf('analyst'), await keyOf('emit', 'production'), 'rk_unknown'].map(
        async (key) => (await plane.call('GET', `/v1/decisions/${theirs.id}`, { key })).status,
      ),
    );
    expect(statuses).toEqual([200, 403, 401]);
  });

  it('is described in the API’s pages', async () => {
    const { paths } = (await plane.call('GET', '/docs-json')).body;
    expect(paths['/v1/decisions/{id}'].get).toMatchObject({ summary: expect.any(String), responses: { default: expect.anything() } });
    const { parameters } = paths['/v1/experiments/{key}/decisions'].get as { parameters: { name: string }[] };
    expect(parameters.map(({ name }) => name)).toEqual(expect.arrayContaining(['environment', 'limit', 'before', 'key', 'project']));
  });
});

describe('the records of an experiment', () => {
  const chain = chainOf(aRecord({ experiment: 'paged' }), 7);
  const ids = chain.map(({ id }) => id).reverse();

  it('come newest first, page by page, each once, also when newer ones come in between', async () => {
    await started('paged');
    await recorded(...chain.slice(0, 5), aRecord({ experiment: 'paged', environment: 'staging' }));
    const path = '/v1/experiments/paged/decisions?limit=2';
    const first = (await get(path)).body;
    await recorded(...chain.slice(5));
    const second = (await get(`${path}&before=${first.next}`)).body;
    const third = (await get(`${path}&before=${second.next}`)).body;
    const seen = [first, second, third].flatMap(({ items }) => items as { id: string }[]);
    expect(seen.map(({ id }) => id)).toEqual(ids.slice(2));
    expect(third.next).toBeNull();
    expect((await get('/v1/experiments/paged/decisions')).body.items.map(({ id }: { id: string }) => id)).toEqual(ids);
  });

  it('are one line each', async () => {
    const { items } = (await get('/v1/experiments/paged/decisions?limit=1')).body;
    const last = chain.at(-1) as DecisionRecord;
    expect(items).toEqual([
      {
        id: last.id,
        previous: last.previous,
        project: 'default',
        environment: 'production',
        experiment: 'paged',
        comparison: 1,
        stage: null,
        cause: 'daily',
        policy: 'ship',
        knownUntil: formatInstant(last.knownUntilUs),
        recordedAt: expect.stringMatching(/Z$/),
        verdict: 'continue',
        rule: 'minimum-run',
        sentence: '2 of 7 days have passed',
        actions: last.actions,
        units: 200,
        evidenceDigest: last.evidenceDigest,
        conclusionDigest: last.conclusionDigest,
      },
    ]);
  });

  it('are none before the first look, and not found without an experiment', async () => {
    await started('unlooked');
    expect((await get('/v1/experiments/unlooked/decisions')).body).toEqual({ items: [], next: null });
    expect(await get('/v1/experiments/nobody/decisions')).toMatchObject({ status: 404, body: { code: 'experiment-not-found' } });
  });

  it('refuse a page that begins nowhere, and one that is too long', async () => {
    const path = '/v1/experiments/paged/decisions';
    const elsewhere = aRecord({ experiment: 'paged', environment: 'staging' }).id;
    for (const before of ['b'.repeat(64), elsewhere])
      expect(await get(`${path}?before=${before}`)).toMatchObject({ status: 404, body: { code: 'decision-not-found' } });
    expect(await get(`${path}?limit=0`)).toMatchObject({ status: 400, body: { errors: [{ path: '/limit' }] } });
    expect((await get(`${path}?limit=201`)).status).toBe(400);
  });

  it('are told with their digests to whoever holds the log against the history', async () => {
    const digests: { readonly id: string; readonly digest: string }[] = [];
    for (let after: number | null = 0; after !== null; ) {
      const { status, body } = await plane.call('GET', `/v1/admin/decisions?after=${after}&limit=7`);
      expect(status).toBe(200);
      digests.push(...body.items);
      after = body.next;
    }
    const told: string[] = [];
    for await (const { value } of log.readAll('decisions.v1')) {
      const { record } = JSON.parse(Buffer.from(value ?? '').toString('utf8'));
      told.push(`${record.id} ${createHash('sha256').update(canonicalJson(record)).digest('hex')}`);
    }
    expect(told.length).toBeGreaterThan(3);
    expect(digests.map(({ id, digest }) => `${id} ${digest}`)).toEqual(told);
    expect((await plane.call('GET', '/v1/admin/decisions?after=x')).status).toBe(400);
  });

  it('are the same after a rebuild, and nothing is told twice', async () => {
    const before = (await get('/v1/experiments/paged/decisions')).body;
    const told = async () => (await log.offsets('decisions.v1'))[0]?.end;
    const end = await told();
    const { body } = await plane.call('POST', '/v1/admin/rebuild', { body: {} });
    expect(body.rebuilt.map(({ name }: { name: string }) => name)).toEqual([
      'catalogue',
      'definitions',
      'decisions',
      'decisions.v1',
      'audit',
    ]);
    expect((await get('/v1/experiments/paged/decisions')).body).toEqual(before);
    expect(await told()).toBe(end);
  });
});

describe('an experiment that was looked at', () => {
  it('shows the newest look of what runs in each environment', async () => {
    await started('looked');
    expect((await get('/v1/experiments/looked')).body.environments.production.look).toBeNull();
    const look = aLook({ experiment: 'looked', record: 'b'.repeat(64) });
    await tellLook(log, comparisonKey({ ...look, comparison: 9 }), { ...look, comparison: 9, knownUntilUs: look.knownUntilUs + 9 });
    await tellLook(log, comparisonKey(look), look);
    await tellLook(log, comparisonKey(look), '{"garbage"');
    await tellLook(log, comparisonKey({ ...look, comparison: 10 }), 'null');
    await looked({ ...look, knownUntilUs: look.knownUntilUs + 1, verdict: 'go', units: 300 });
    expect((await get('/v1/experiments/looked')).body.environments.production.look).toEqual({
      comparison: 1,
      stage: null,
      policy: 'ship',
      knownUntil: formatInstant(look.knownUntilUs + 1),
      verdict: 'go',
      sentence: look.sentence,
      actions: look.actions,
      units: 300,
      record: look.record,
      lookedAt: formatInstant(look.lookedAtUs),
    });
  });

  it('closes at that look when a person decides', async () => {
    await started('closed');
    const look = aLook({ experiment: 'closed' });
    await looked(look);
    expect((await decide('closed')).body.environments.production).toMatchObject({
      status: 'decided',
      closedAtUs: look.knownUntilUs,
      decision: { record: null },
    });
    expect(await eventually('it is published', publishedState('closed'))).toMatchObject({ closedAtUs: look.knownUntilUs });
  });

  it('closes at the record that the person names', async () => {
    await started('acted-on');
    const record = aRecord({ experiment: 'acted-on' });
    await recorded(record);
    await looked(aLook({ experiment: 'acted-on' }));
    expect((await decide('acted-on', { record: record.id })).body.environments.production).toMatchObject({
      closedAtUs: record.knownUntilUs,
      decision: { outcome: 'ship', record: record.id },
    });
  });

  it('is not closed by a record of another, an unknown one, or one of another project', async () => {
    await started('careful');
    const of = async (change: Partial<DecisionRecord>) => {
      const record = aRecord({ experiment: 'careful', ...change });
      await recorded(record);
      return record.id;
    };
    for (const change of [{ experiment: 'other' }, { environment: 'staging' }, { comparison: 2 }])
      expect(await decide('careful', { record: await of(change) })).toMatchObject({ status: 422, body: { code: 'record-elsewhere' } });
    for (const record of ['c'.repeat(64), await of({ project: 'theirs' })])
      expect(await decide('careful', { record })).toMatchObject({ status: 404, body: { code: 'decision-not-found' } });
    expect(await decide('careful', { record: 'short' })).toMatchObject({ status: 400, body: { errors: [{ path: '/record' }] } });
    expect((await get('/v1/experiments/careful')).body.environments.production.status).toBe('running');
  });

  it('that nobody looked at, or that is history, closes when it is decided', async () => {
    await started('unseen');
    await started('history', 'past');
    await looked(aLook({ experiment: 'history', environment: 'past' }));
    for (const [key, environment] of [
      ['unseen', 'production'],
      ['history', 'past'],
    ] as const) {
      const beforeUs = Date.now() * 1000;
      const { closedAtUs } = (await decide(key, {}, environment)).body.environments[environment];
      expect(closedAtUs).toBeGreaterThanOrEqual(beforeUs);
    }
  });
});

const publishedState = (experiment: string) => async () =>
  [...(await plane.published())]
    .filter(([key]) => key.startsWith(`h/default/experiment/${experiment}/production/`))
    .map(([, value]) => (value as { value: { status: string } }).value)
    .find(({ status }) => status === 'decided');
