import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiKeys, createService, hashOfKey, serviceConfig } from '@rampart/service-kit';
import { Definitions } from '../definitions/definition-in-force.js';
import { exampleComparison, exampleDefinition, wholeSums } from '../figures/figures.examples.js';
import { PlanDesk } from '../planning/plan-desk.js';
import { PlansController } from '../planning/plans.controller.js';
import { EvidenceOf, OneDefinition } from './evidence.examples.js';
import { Evidence } from './evidence.source.js';
import { MetricPreviewController } from './metric-preview.controller.js';
import { ResultsController } from './results.controller.js';
import { ResultsService } from './results.service.js';

const KEY = 'analyst';
const definition = exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A' }, [
  { input: { key: 'converted', type: 'proportion' } },
]);

class Keys extends ApiKeys {
  byHash(hash: string) {
    const record = { id: KEY, hash, role: 'analyst', project: 'shop', environment: null, revoked: false } as const;
    return hash === hashOfKey(KEY) ? record : undefined;
  }
  hasProject() {
    return true;
  }
}

@Module({
  controllers: [ResultsController, MetricPreviewController, PlansController],
  providers: [
    PlanDesk,
    ResultsService,
    { provide: ApiKeys, useClass: Keys },
    { provide: Definitions, useValue: new OneDefinition(definition) },
    {
      provide: Evidence,
      useValue: new EvidenceOf({
        watermarkUs: 5_000_000,
        completedAtUs: 4_000_000,
        sumsAt: () => exampleComparison([[wholeSums(1000, 100, 100)], [wholeSums(1000, 150, 150)]]),
        seen: [{ name: 'converted', lastAtUs: 0 }],
      }),
    },
  ],
})
class Example {}

let app: NestFastifyApplication;
let address: string;

beforeAll(async () => {
  const config = serviceConfig.parse({ RAMPART_ADMIN_KEY: 'an-admin-key-of-enough-length', RAMPART_LOG_LEVEL: 'silent' });
  const api = { title: 'Results', description: '', version: '1' };
  app = await createService({ name: 'analysis', api, module: () => Example }, config);
  await app.listen(0, '127.0.0.1');
  address = await app.getUrl();
});

afterAll(() => app?.close());

const call = async (method: 'GET' | 'POST', url: string, body?: object) => {
  const headers = { authorization: `Bearer ${KEY}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const answer = await fetch(`${address}${url}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await answer.text();
  return { status: answer.status, type: answer.headers.get('content-type'), body: text.startsWith('{') ? JSON.parse(text) : text };
};

const experiment = '/v1/experiments/button';

describe('the results API', () => {
  it('explores a metric that is not stored, and says where one can not be read', async () => {
    const metric = { key: 'visits', name: 'Visits', type: 'count', unitType: 'user', numerator: { event: 'visit' } };
    const explored = await call('POST', `${experiment}/explore?environment=past`, { definition: metric });
    expect(explored).toMatchObject({ status: 200, body: { exploratory: true, metric: { metric: 'visits' } } });
    const refused = await call('POST', `${experiment}/explore?environment=past`, { definition: { ...metric, type: 'ratio' } });
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ path: '/definition/denominator' }] } });
  });

  it('shows a dimension where it is asked for', async () => {
    const { body } = await call('GET', `${experiment}/results?environment=past&dimension=country`);
    expect(body.dimension).toMatchObject({ property: 'country', correction: 'bh' });
    expect((await call('GET', `${experiment}/results?environment=past&dimension=`)).status).toBe(400);
  });

  it('refuses an interaction that can not be', async () => {
    const itself = await call('GET', `${experiment}/results?environment=past&interaction=button`);
    expect(itself).toMatchObject({ status: 409, body: { code: 'interaction-impossible', details: { path: '/interaction' } } });
    expect((await call('GET', `${experiment}/results?environment=past&interaction=`)).status).toBe(400);
  });

  it('answers with figures, verdict and evidence in one document', async () => {
    const { status, body } = await call('GET', `${experiment}/results?environment=past`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      project: 'shop',
      environment: 'past',
      status: 'complete',
      control: 'A',
      verdict: { verdict: 'go' },
      srm: { test: { failed: false } },
      evidenceDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      sufficientStatistics: [
        { metric: 'converted', variant: 'A', units: 1000, sum: '100000000' },
        { metric: 'converted', variant: 'B' },
      ],
    });
  });

  it('gives the sums alone, as JSON or as a table', async () => {
    const json = await call('GET', `${experiment}/statistics?environment=past`);
    expect(json.body.sufficientStatistics).toHaveLength(2);
    const csv = await call('GET', `${experiment}/statistics?environment=past&format=csv`);
    expect(csv.type).toContain('text/csv');
    expect(csv.body).toMatch(/^metric,version,variant/);
    expect(csv.body.split('\r\n')).toHaveLength(4);
  });

  it('gives the population and the sample ratio', async () => {
    const { body } = await call('GET', `${experiment}/population?environment=past`);
    expect(body).toMatchObject({ population: { units: 2000, counted: 2000 }, srm: { observed: { A: 1000, B: 1000 } } });
  });

  it.each([
    ['asOf=yesterday', 400, 'invalid-request'],
    ['as_of=2026-01-01T00:00:00Z', 400, 'invalid-request'],
    ['asOf=1970-01-01T00:00:06Z', 409, 'watermark-behind'],
  ])('answers %s with a problem', async (query, status, code) => {
    const answer = await call('GET', `${experiment}/results?environment=past&${query}`);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.type).toContain('application/problem+json');
  });

  it('documents its routes and their queries', async () => {
    const { body } = await call('GET', '/docs-json');
    const { get } = body.paths['/v1/experiments/{key}/results'];
    expect(get.parameters.map((parameter: { name: string }) => parameter.name)).toEqual(
      expect.arrayContaining(['key', 'asOf', 'environment']),
    );
    expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(['/v1/metrics/preview', '/v1/experiments/{key}/population']));
  });
});

describe('plans of power', () => {
  const slow = { metric: { mean: 20, sd: 5 }, minimumEffect: { relative: 0.01 }, method: 'group-sequential', looks: 40 };

  it('are computed beside the process, which goes on answering', async () => {
    let planned = 0;
    const plans = Array.from({ length: 4 }, async () => {
      const { status } = await call('POST', '/v1/plans/power', slow);
      planned += 1;
      return status;
    });
    // Until then all of them are asked, and on one thread all of them would be computed before anything else.
    await sleep(50);
    expect((await call('GET', `${experiment}/statistics?environment=past`)).status).toBe(200);
    expect(planned).toBeLessThan(plans.length);
    expect(await Promise.all(plans)).toEqual([200, 200, 200, 200]);
  }, 60_000);

  it('from what has run, and with the place of what is refused', async () => {
    const asked = { metric: 'converted', minimumEffect: { relative: 0.1 }, method: 'fixed-horizon' };
    const found = await call('POST', `${experiment}/power?environment=past`, asked);
    expect(found).toMatchObject({ status: 200, body: { history: { units: 1000, mean: 0.1 } } });
    const place = async (path: string, body: object) => (await call('POST', path, body)).body.errors[0].path;
    expect(await place(`${experiment}/power?environment=past`, { ...asked, metric: 'spent' })).toBe('/metric');
    expect(await place('/v1/plans/power', { ...slow, metric: { rate: 0.9 }, minimumEffect: { relative: 0.2 } })).toBe('/minimumEffect');
    expect(await place('/v1/plans/power', { ...slow, minimumEffect: { absolute: 1e-9 } })).toBe('/minimumEffect');
  });

  it('more than may wait are answered with 503, and when to ask again', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        fetch(`${address}/v1/plans/power`, {
          method: 'POST',
          headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
          body: JSON.stringify({ ...slow, method: 'sequential', looks: 20 }),
        }),
      ),
    );
    const refused = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 200).length + refused.length).toBe(20);
    for (const { headers } of refused) expect(headers.get('retry-after')).toBe('2');
  }, 60_000);
});

describe('the preview of a metric', () => {
  const preview = (event: string) =>
    call('POST', '/v1/metrics/preview?environment=past', {
      definition: { key: 'm', name: 'M', type: 'proportion', unitType: 'user', numerator: { event } },
    });

  it('says what the environment has instead of an event it has never had', async () => {
    expect(await preview('konverted')).toMatchObject({
      status: 200,
      body: { events: 0, sum: null, mean: null, warnings: ['past has no event konverted: did you mean converted?'] },
    });
  });

  it('says that an event is there, but not of such units', async () => {
    const { body } = await preview('converted');
    expect(body.warnings).toEqual(['past has the event converted, but none of a unit of type user in this time: check unitType and since']);
  });

  it('refuses a definition that is none, with the place', async () => {
    const { status, body } = await call('POST', '/v1/metrics/preview?environment=past', { definition: { key: 'm' } });
    expect(status).toBe(400);
    expect(body.errors.map((error: { path: string }) => error.path)).toContain('/definition/numerator');
  });
});
