import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { completed, defineExperiment, exposure, finalResults, history, purchase, type Setting } from './experiment.js';
import { type Platform, startPlatform } from './platform.js';

let platform: Platform;
let past: Setting;
let live: Setting;

beforeAll(async () => {
  platform = await startPlatform();
  past = await defineExperiment(platform, 'past', 'historical');
  live = await defineExperiment(platform, 'production', 'live');
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
});

const send = (events: unknown, options: Parameters<Platform['call']>[3]) => platform.call('POST', '/v1/events', events, options);

describe('bad input at the door', () => {
  it('answers each item and counts its neighbours', async () => {
    const number = (value: unknown, id: string) => ({ ...purchase('u1', 0, 1, id), data: { ...purchase('u1', 0, 1).data, value } });
    const { status, body } = await send(
      [
        exposure('u1', 'control', 0),
        number(1e13, 'a'),
        number(-1e13, 'b'),
        number(1e-7, 'c'),
        number('12', 'd'),
        number(null, 'e'),
        number(2.5, 'f'),
      ],
      { key: past.key },
    );
    expect(status).toBe(202);
    expect(body).toMatchObject({ accepted: 3, rejected: 4 });
    expect(body.items.map((item: { status: string; code?: string; path?: string }) => [item.status, item.code, item.path])).toEqual([
      ['accepted', undefined, undefined],
      ['rejected', 'value-out-of-range', '/1/data/value'],
      ['rejected', 'value-out-of-range', '/2/data/value'],
      ['accepted', undefined, undefined],
      ['rejected', 'value-not-a-number', '/4/data/value'],
      ['rejected', 'value-not-a-number', '/5/data/value'],
      ['accepted', undefined, undefined],
    ]);
  });

  it('refuses NaN, which is no JSON, with the place', async () => {
    const text = JSON.stringify([purchase('u1', 1, 1, 'nan')]).replace('"value":1', '"value":NaN');
    const { status, body } = await send(undefined, { key: past.key, raw: text });
    expect(status).toBe(400);
    expect(body).toMatchObject({ status: 400, code: 'not-json' });
    expect(body.detail).toMatch(/position|column/);
  });

  it('rejects an event of 70 KB alone', async () => {
    const big = { ...purchase('u2', 1, 1, 'big'), padding: 'x'.repeat(70 * 1024) };
    const { status, body } = await send([big, purchase('u2', 1, 1, 'small')], { key: past.key });
    expect(status).toBe(202);
    expect(body.items).toEqual([
      expect.objectContaining({ status: 'rejected', code: 'too-large' }),
      expect.objectContaining({ status: 'accepted' }),
    ]);
  });

  it('refuses a batch of 2 MB with the limit', async () => {
    const { status, body } = await send(undefined, { key: past.key, raw: `[${' '.repeat(2 * 1024 * 1024)}]` });
    expect(status).toBe(413);
    expect(body.detail).toMatch(/1,?048,?576|1 MB|1 MiB/);
  });

  it('refuses an unknown key, a foreign project and a live key with knownAt', async () => {
    expect(await send([exposure('u3', 'control', 0)], { key: 'rk_aaaaaaaaaaaa_nobody' })).toMatchObject({ status: 401 });
    expect(await send([exposure('u3', 'control', 0)], { key: null })).toMatchObject({ status: 401 });
    const foreign = await send([{ ...exposure('u3', 'control', 0), project: 'elsewhere' }], { key: past.key });
    expect(foreign.body.items).toEqual([expect.objectContaining({ status: 'rejected', code: 'wrong-scope', path: '/0/project' })]);
    const dated = await send([{ ...exposure('u3', 'control', 0), knownat: '2024-01-01T00:00:00Z' }], { key: live.key });
    expect(dated.body.items).toEqual([expect.objectContaining({ status: 'rejected', code: 'known-at-not-allowed', path: '/0/knownat' })]);
  });

  it('reads in a foreign project are refused', async () => {
    const analyst = await platform.call('POST', `/v1/keys?project=${past.project}`, { name: 'reader', role: 'analyst' });
    expect(analyst.status).toBe(201);
    const answer = await platform.call('GET', '/v1/experiments/button/results?project=default&environment=past', undefined, {
      key: analyst.body.key,
    });
    expect([401, 403]).toContain(answer.status);
  });

  it('keeps what it rejected, with its reason, and goes on', async () => {
    const rejected = await platform.call('GET', `/v1/ingest/dead-letters?project=${past.project}&environment=past`);
    expect(rejected.status).toBe(200);
    expect(JSON.stringify(rejected.body)).toContain('value-out-of-range');
    const { body } = await send([...history(60), completed], { key: past.key });
    expect(body.rejected).toBe(0);
    const results = await finalResults(platform, past);
    expect(results.population.units).toBeGreaterThanOrEqual(60);
  });

  it('shows a service team that its event arrived, by the id that it knows', async () => {
    const path = `/v1/ingest/tail?project=${past.project}&environment=past`;
    const { status, body } = await platform.call('GET', `${path}&unit=u0`);
    expect(status).toBe(200);
    expect(body.rows.map(({ kind, name }: { kind: string; name: string }) => `${kind} ${name}`).sort()).toEqual([
      'exposure button',
      'metric purchase',
    ]);
    expect(JSON.stringify(body)).not.toContain('"u0"');
    expect((await platform.call('GET', `${path}&unit=u0&unitType=device`)).body.rows).toEqual([]);
  });
});
