import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { aMetric, anExperiment, type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';

let database: FreshDatabase;
let plane: ControlPlane;

beforeAll(async () => {
  database = await freshDatabase();
  plane = await controlPlane(database.url, undefined, { RAMPART_KEEP_ROWS_DAYS: '30' });
  await post('/v1/environments', { key: 'past', kind: 'historical' });
  await post('/v1/metrics', aMetric());
  await post('/v1/metrics', aMetric({ key: 'open', windowUs: null }));
}, 60_000);

afterAll(async () => {
  await plane?.close();
  await database?.drop();
});

const at = (path: string) => `${path}${path.includes('?') ? '&' : '?'}project=default`;
const post = (path: string, body?: unknown) => plane.call('POST', at(path), { body });
const put = (path: string, body: unknown) => plane.call('PUT', at(path), { body });
const get = (path: string) => plane.call('GET', at(path));
const act = (key: string, action: string, body?: unknown) => post(`/v1/experiments/${key}/${action}`, body);
const stateOf = async (key: string, environment = 'production') => (await get(`/v1/experiments/${key}`)).body.environments[environment];

describe('an experiment', () => {
  it('goes from draft to archive', async () => {
    expect(await post('/v1/experiments', anExperiment())).toMatchObject({
      status: 201,
      etag: '"1"',
      body: { version: 1, environments: {} },
    });
    expect(await act('button', 'start')).toMatchObject({
      status: 200,
      etag: '"2"',
      body: { environments: { production: { status: 'running' } } },
    });
    expect((await act('button', 'pause', { reason: 'odd numbers' })).body.environments.production.status).toBe('paused');
    expect((await act('button', 'resume')).body.environments.production.segments).toMatchObject([
      { comparison: 1 },
      { coverage: 0 },
      { comparison: 1, coverage: 1 },
    ]);
    expect((await act('button', 'freeze-enrolment')).body.environments.production.status).toBe('enrolment-frozen');
    expect(await act('button', 'decide', { outcome: 'ship' })).toMatchObject({ status: 400, body: { errors: [{ path: '/reason' }] } });
    expect((await act('button', 'decide', { outcome: 'ship', reason: 'better' })).body.environments.production).toMatchObject({
      status: 'decided',
      decision: { outcome: 'ship', arm: 'green', reason: 'better' },
      closedAtUs: expect.any(Number),
    });
    expect((await act('button', 'archive')).body.environments.production).toMatchObject({ status: 'archived', revision: 6 });
    const items = (await get('/v1/experiments/button/history')).body.items as { type: string; reason: string | null }[];
    expect(items.map(({ type, reason }) => [type, reason])).toEqual([
      ['ExperimentDefined', null],
      ['ExperimentStarted', null],
      ['ExperimentPaused', 'odd numbers'],
      ['ExperimentResumed', null],
      ['EnrolmentFrozen', null],
      ['ExperimentDecided', 'better'],
      ['ExperimentArchived', null],
    ]);
  });

  it('is as it was at any instant', async () => {
    const items = (await get('/v1/experiments/button/history')).body.items as { at: string; type: string }[];
    const pausedAt = items.find(({ type }) => type === 'ExperimentPaused')?.at;
    expect((await get(`/v1/experiments/button?asOf=${pausedAt}`)).body).toMatchObject({
      revision: 3,
      environments: { production: { status: 'paused' } },
    });
  });

  it('changes who gets what only in a pause, and opens a new comparison then', async () => {
    await post('/v1/experiments', anExperiment({ key: 'changing' }));
    await act('changing', 'start');
    const wider = anExperiment({ key: 'changing', variants: [{ key: 'blue' }, { key: 'green', weight: 3 }] });
    expect(await put('/v1/experiments/changing', wider)).toMatchObject({
      status: 409,
      body: { code: 'experiment-assigns', details: { path: '/variants' } },
    });
    expect(await put('/v1/experiments/changing', anExperiment({ key: 'changing', name: 'Renamed' }))).toMatchObject({
      status: 200,
      body: { version: 2 },
    });
    expect(await stateOf('changing')).toMatchObject({ version: 2, status: 'running' });
    await act('changing', 'pause');
    expect((await put('/v1/experiments/changing', wider)).body).toMatchObject({ version: 3, environments: { production: { version: 2 } } });
    await act('changing', 'resume');
    const { version, segments } = await stateOf('changing');
    expect([version, segments.map(({ comparison }: { comparison: number }) => comparison)]).toEqual([3, [1, 1, 2]]);
    expect(segments[2].seed).not.toBe(segments[0].seed);
  });

  it('starts in history without a window and not in production', async () => {
    await post('/v1/experiments', anExperiment({ key: 'windowless', metrics: [{ metric: 'open', role: 'success' }] }));
    const refused = await act('windowless', 'start');
    expect(refused).toMatchObject({ status: 409, body: { code: 'experiment-not-ready', details: { path: '/metrics/0/metric' } } });
    expect(refused.body.detail).toMatch(/no window/);
    const { body } = await act('windowless', 'start?environment=past');
    expect(body.environments.past).toMatchObject({ status: 'running', startedAtUs: 0, metricVersions: { open: 1 } });
  });

  it('has a checklist', async () => {
    await post('/v1/experiments', anExperiment({ key: 'unready', metrics: [{ metric: 'unheard', role: 'success' }] }));
    expect((await get('/v1/experiments/unready/checklist')).body).toMatchObject({
      environment: 'production',
      status: 'draft',
      isReady: false,
      items: [
        { level: 'refusal', code: 'metric-not-found', path: '/metrics/0/metric' },
        { level: 'warning', code: 'no-planned-units' },
      ],
    });
    expect((await get('/v1/experiments/unready/checklist?environment=nowhere')).body.code).toBe('environment-not-found');
    expect((await get('/v1/experiments/nothing/checklist')).body.code).toBe('experiment-not-found');
  });

  it('is not started where it would need rows that are not kept', async () => {
    const before = { selector: { event: 'visit' }, lookbackUs: 60 * 86_400_000_000 };
    await post('/v1/metrics', aMetric({ key: 'explained', type: 'mean', covariate: before }));
    await post('/v1/experiments', anExperiment({ key: 'long-memory', metrics: [{ metric: 'explained', role: 'success' }] }));
    const refused = await act('long-memory', 'start');
    expect(refused).toMatchObject({
      status: 409,
      body: { details: { checklist: [{ code: 'rows-not-kept', path: '/metrics/0/metric' }] } },
    });
    expect(refused.body.detail).toContain('rows are kept for 30 days');
  });

  it('is found by its status', async () => {
    const keys = async (query: string) => (await get(`/v1/experiments?${query}`)).body.items.map(({ key }: { key: string }) => key);
    expect(await keys('')).toEqual(['button', 'changing', 'long-memory', 'unready', 'windowless']);
    expect(await keys('status=running')).toEqual(['changing', 'windowless']);
    expect(await keys('status=running&environment=past')).toEqual(['windowless']);
    expect(await keys('status=draft')).toEqual(['long-memory', 'unready']);
    expect((await get('/v1/experiments?status=unheard')).status).toBe(400);
  });

  it('promises its levels and looks when it starts, by the method that its plan names', async () => {
    const looks = { atUs: [1, 2, 3, 4].map((week) => (Date.now() + week * 604_800_000) * 1000) };
    const plan = { method: 'group-sequential', looks };
    await post('/v1/experiments', anExperiment({ key: 'weekly', plan }));
    const { planInForce } = (await act('weekly', 'start')).body.environments.production;
    expect(planInForce).toMatchObject({ comparison: 1, method: 'group-sequential', levels: { superiority: 0.05, harm: 0.025 } });
    // O’Brien–Fleming: hardly anything is shown early, and the last look is nearly as sharp as a single one.
    expect(planInForce.looks.map(({ atUs }: { atUs: number }) => atUs)).toEqual(looks.atUs);
    expect(planInForce.looks.map(({ superiority }: { superiority: number }) => superiority)).toEqual([
      expect.closeTo(3.75, 1),
      expect.closeTo(2.54, 1),
      expect.closeTo(2.02, 1),
      expect.closeTo(1.72, 1),
    ]);
    const moved = anExperiment({ key: 'weekly', plan: { ...plan, looks: { atUs: looks.atUs.slice(1) } } });
    expect(await put('/v1/experiments/weekly', moved)).toMatchObject({ body: { code: 'plan-frozen' } });
  });

  it('begins a new comparison for a plan that is frozen, if it is asked to, and says what that does to validity', async () => {
    const running = async () => (await get('/v1/experiments/replaced')).body.environments.production;
    const plan = { method: 'sequential', plannedUnits: 1_000 };
    await post('/v1/experiments', anExperiment({ key: 'replaced', plan }));
    const { segments } = (await act('replaced', 'start')).body.environments.production;
    const stricter = anExperiment({ key: 'replaced', plan: { ...plan, alpha: 0.01 } });
    const refused = await put('/v1/experiments/replaced', stricter);
    expect(refused).toMatchObject({ status: 409, body: { code: 'plan-frozen', details: { path: '/plan/alpha' } } });
    expect(refused.body.detail).toContain('?newComparison=true');
    expect(await put('/v1/experiments/replaced?newComparison=yes', stricter)).toMatchObject({ status: 400 });
    const would = (await put('/v1/experiments/replaced?newComparison=true&validate=true', stricter)).body.result;
    expect(would.environments.production.planInForce.before.sentence).toContain('what comparison 1 saw decides nothing here');
    expect(await running()).toMatchObject({ version: 1, planInForce: { comparison: 1 } });

    const { status, body } = await put('/v1/experiments/replaced?newComparison=true', stricter);
    expect([status, body.version]).toEqual([200, 2]);
    expect(await running()).toMatchObject({
      ...{ status: 'running', version: 2 },
      segments: [segments[0], { segment: 2, comparison: 2, coverage: 1 }],
      planInForce: { comparison: 2, levels: { superiority: 0.01 }, before: { comparisons: 1, alpha: 0.05, alphaMinus: 0.05 } },
    });
    expect((await running()).segments[1].seed).not.toBe(segments[0].seed);
  });

  it('is refused with the place where its method asks for more, or can not have what is named', async () => {
    const refused = async (plan: object) => {
      const { status, body } = await post('/v1/experiments', anExperiment({ key: 'odd', plan }));
      return [status, body.code, body.details.path];
    };
    expect(await refused({ method: 'group-sequential' })).toEqual([422, 'looks-missing', '/plan/looks']);
    expect(await refused({ method: 'msprt' })).toEqual([422, 'tau-missing', '/metrics/0/tau']);
    expect(await refused({ method: 'bayesian', bayesian: {} })).toEqual([422, 'prior-not-proper', '/plan/bayesian/prior']);
    expect(await refused({ multiplicity: 'bh' })).toEqual([422, 'multiplicity-not-valid', '/plan/multiplicity']);
  });

  it('is refused with a sentence and a place where nothing could be concluded', async () => {
    const { status, body } = await post(
      '/v1/experiments',
      anExperiment({ key: 'aimless', metrics: [{ metric: 'converted', role: 'secondary' }] }),
    );
    expect([status, body.code]).toEqual([422, 'nothing-to-show']);
    expect(body.detail).toMatch(/needs a success metric or a guardrail with a margin/);
    expect((await post('/v1/experiments', { key: 'x' })).body.errors.length).toBeGreaterThan(2);
  });
});

describe('a feature', () => {
  const colour = { key: 'colour', name: 'Colour', valueType: 'string', variants: [{ key: 'blue', value: '#00f' }], defaultVariant: 'blue' };
  it('is defined, changed and checked against the experiments on it', async () => {
    expect((await post('/v1/features', colour)).status).toBe(201);
    expect((await put('/v1/features/colour', colour)).status).toBe(200);
    expect(await put('/v1/features/colour', { ...colour, name: 'The colour' })).toMatchObject({ status: 201, body: { version: 2 } });
    expect((await put('/v1/features/colour', { ...colour, valueType: 'json' })).body.code).toBe('feature-value-type');
    await post('/v1/experiments', anExperiment({ key: 'on-colour', feature: 'colour' }));
    expect((await act('on-colour', 'start')).body.detail).toMatch(/"green" is none of feature "colour"/);
    await put('/v1/features/colour', { ...colour, variants: [...colour.variants, { key: 'green', value: '#0f0' }] });
    expect((await act('on-colour', 'start')).status).toBe(200);
    expect((await get('/v1/features/colour')).body).toMatchObject({ version: 3 });
    expect((await get('/v1/features')).body.items).toHaveLength(1);
  });
});

describe('publishing', () => {
  it('says every change under keys that never change, and points to the newest', async () => {
    const messages = await eventually('all is published', async () => {
      const found = await plane.published();
      return found.has('h/default/experiment/on-colour/production/1') ? found : undefined;
    });
    const of = (prefix: string) => [...messages.keys()].filter((key) => key.startsWith(prefix));
    expect(of('v/default/experiment/changing/')).toEqual([1, 2, 3].map((version) => `v/default/experiment/changing/${version}`));
    expect(of('h/default/experiment/button/production/')).toHaveLength(6);
    expect(messages.get('head/default/experiment/changing/-')).toEqual({ revision: 3 });
    expect(messages.get('head/default/experiment/button/production')).toEqual({ revision: 6 });
    expect(messages.get('h/default/experiment/changing/production/2')).toMatchObject({
      kind: 'experiment-state',
      revision: 2,
      value: { version: 2, status: 'running', metricVersions: { converted: 1 } },
    });
    expect(messages.get('v/default/feature/colour/3')).toMatchObject({ kind: 'feature', version: 3 });
    expect(messages.get('h/default/environment/past/-/1')).toEqual({
      kind: 'environment',
      value: { project: 'default', key: 'past', kind: 'historical' },
    });
    expect(messages.get('h/-/project/default/-/1')).toEqual({ kind: 'project', value: { key: 'default', name: 'Default' } });
  });
});
