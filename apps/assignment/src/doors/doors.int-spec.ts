import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { compileDefinitions, compilePayload, evaluate, unitOf } from '@rampart/assignment';
import fc from 'fast-check';
import { isReady, key, type StartedAssignment, startAssignment } from '../running/started-assignment.examples.js';
import { shop, shopFlags } from './shop.examples.js';

jest.setTimeout(60_000);

let assignment: StartedAssignment;

beforeAll(async () => {
  assignment = await startAssignment(shop(), { RAMPART_CORS_ORIGINS: 'https://shop.example, https://other.example' });
  await isReady(assignment);
});
afterAll(() => assignment.stop());

const explained = (feature: string, context: object, by = key('reads')) =>
  assignment.call('POST', '/v1/evaluate/explain?environment=production', {
    key: by,
    body: { feature, context: { targetingKey: 'u1', ...context } },
  });

describe('keys', () => {
  it.each([
    ['a client key', 'client', 200],
    ['a secret key that emits', 'emits', 200],
    ['a manager’s key', 'manages', 200],
    ['an analyst’s key', 'reads', 403],
    ['a revoked key', 'gone', 401],
    ['an unknown key', 'nobody', 401],
  ])('evaluate with %s', async (_, by, status) => {
    expect((await assignment.flag('banner', { targetingKey: 'u1' }, key(by))).status).toBe(status);
    expect((await assignment.flags({ targetingKey: 'u1' }, key(by))).status).toBe(status);
  });

  it('without a key nothing is answered', async () => {
    const { body, status } = await assignment.call('POST', '/ofrep/v1/evaluate/flags', { body: { context: { targetingKey: 'u1' } } });
    expect([status, body.code]).toEqual([401, 'key-missing']);
  });

  it('also travel as X-API-Key, as the protocol allows', async () => {
    const headers = { 'x-api-key': key('client') };
    const answer = await assignment.call('POST', '/ofrep/v1/evaluate/flags/banner', { headers, body: { context: { targetingKey: 'u1' } } });
    expect(answer.status).toBe(200);
  });

  it('know their environment alone: another one has the features and no experiment', async () => {
    const there = await assignment.flag('checkout', { targetingKey: 'u1' }, key('clientstaging'));
    expect(there.body).toMatchObject({ reason: 'STATIC', value: 'old' });
    const foreign = await assignment.call('POST', '/ofrep/v1/evaluate/flags?environment=staging', {
      key: key('client'),
      body: { context: { targetingKey: 'u1' } },
    });
    expect([foreign.status, foreign.body.code]).toEqual([403, 'foreign-environment']);
    const past = await assignment.call('POST', '/ofrep/v1/evaluate/flags?environment=past', {
      key: key('manages'),
      body: { context: { targetingKey: 'u1' } },
    });
    expect([past.status, past.body.code]).toEqual([409, 'environment-kind']);
  });
});

describe('pages', () => {
  const origin = 'https://shop.example';
  const preflight = (path: string, from = origin) =>
    assignment.call('OPTIONS', path, { headers: { origin: from, 'access-control-request-method': 'POST' } });
  const allowed = (answer: { headers: Headers }) => answer.headers.get('access-control-allow-origin');

  it('of the origins named may evaluate with a client key, and read tag and age', async () => {
    const asked = await preflight('/ofrep/v1/evaluate/flags');
    expect([asked.status, allowed(asked)]).toEqual([204, origin]);
    expect(asked.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(asked.headers.get('access-control-allow-credentials')).toBeNull();
    const answer = await assignment.flags({ targetingKey: 'u1' }, key('client'), { origin });
    expect(allowed(answer)).toBe(origin);
    expect(answer.headers.get('access-control-expose-headers')).toMatch(/etag.*x-rampart-ruleset-age/);
  });

  it('never read the answer to a secret key, and see that a key is refused', async () => {
    expect(allowed(await assignment.flags({ targetingKey: 'u1' }, key('emits'), { origin }))).toBeNull();
    expect(allowed(await assignment.flags({ targetingKey: 'u1' }, key('manages'), { origin }))).toBeNull();
    expect(allowed(await assignment.flags({ targetingKey: 'u1' }, key('gone'), { origin }))).toBe(origin);
  });

  it('of other origins, and on other routes, are told nothing', async () => {
    expect(allowed(await preflight('/ofrep/v1/evaluate/flags', 'https://evil.example'))).toBeNull();
    expect(allowed(await preflight('/metrics'))).toBeNull();
    expect(allowed(await assignment.flags({ targetingKey: 'u1' }, key('client'), { origin: 'https://evil.example' }))).toBeNull();
  });
});

describe('an explanation', () => {
  it('names the experiment, the bucket, the ranges and what was asked before', async () => {
    const { body, status } = await explained('checkout', {});
    expect(status).toBe(200);
    expect(body).toMatchObject({
      feature: 'checkout',
      environment: 'production',
      decidedBy: { kind: 'experiment', key: 'faster-checkout' },
    });
    const [first, second] = body.rules;
    expect(first).toMatchObject({ kind: 'override', outcome: 'passed', sentence: 'The override testers is for others.' });
    expect(second).toMatchObject({
      kind: 'experiment',
      outcome: 'decided',
      ranges: [
        { variant: 'control', from: 0, to: 5_000 },
        { variant: 'treatment', from: 5_000, to: 10_000 },
      ],
    });
    const range = second.bucket < 5_000 ? '[0, 5000): variant control' : '[5000, 10000): variant treatment';
    expect(body.sentence).toBe(`Bucket ${second.bucket} of the experiment faster-checkout lies in ${range}.`);
    expect(body.answer).toMatchObject({ reason: 'SPLIT', metadata: { bucket: second.bucket } });
  });

  it('says who else decided, or that nobody did', async () => {
    const sentence = async (feature: string, context: object) => (await explained(feature, context)).body.sentence;
    expect(await sentence('checkout', { targetingKey: 'tester' })).toBe('The override testers is for this unit: variant treatment.');
    expect(await sentence('dead', {})).toMatch(/^The kill switch is on/);
    expect(await sentence('shipped', {})).toBe('The decision about was-shipped gives everybody treatment.');
    expect(await sentence('banner', {})).toMatch(/^Nothing runs on the feature/);
    expect(await sentence('germans', { country: 'FR' })).toMatch(/^No rule applies/);
    expect((await explained('germans', { country: 'FR' })).body.rules[0].sentence).toBe(
      'The unit is not targeted by the experiment for-germans.',
    );
    expect((await explained('seats', {})).body.rules[0].sentence).toMatch(/splits by the attribute account, which the unit does not have/);
    const outside = (await explained('layered', { targetingKey: 'u2' })).body.rules[0];
    expect(outside.layer).toEqual({ key: 'pages', bucket: expect.any(Number), isIn: outside.outcome === 'decided' });
  });

  it('is for who may read or evaluate, counts nothing, and refuses what it can’t read with a path', async () => {
    for (const by of ['client', 'emits', 'reads', 'manages']) expect((await explained('checkout', {}, key(by))).status).toBe(200);
    expect(await explained('nothing', {})).toMatchObject({ status: 404, body: { code: 'feature-not-found' } });
    const wrong = await explained('checkout', { targetingKey: 7 });
    expect(wrong).toMatchObject({ status: 400, body: { code: 'invalid-request', errors: [{ path: '/context/targetingKey' }] } });
    expect((await assignment.call('POST', '/v1/evaluate/explain', { key: key('reads'), body: {} })).status).toBe(400);
    expect(await assignment.rows()).toEqual(expect.not.arrayContaining([expect.objectContaining({ name: 'layered' })]));
  });
});

describe('the same unit', () => {
  it('gets the same from the service, one by one and all at once, from the library and in its explanation', async () => {
    const served = assignment.feed.rulesets.of('shop', 'production');
    const library = compileDefinitions(served.definitions);
    for (let n = 0; n < 25; n += 1) {
      const context = { targetingKey: `same${n}`, country: n % 2 === 0 ? 'DE' : 'FR', account: `a${n % 5}` };
      const { body } = await assignment.flags(context, key('client'), { 'x-rampart-exposure': 'none' });
      for (const flag of body.flags as readonly { key: string; value?: unknown; reason: string; metadata: { bucket?: number } }[]) {
        const unit = unitOf({ attributes: { ...context, id: context.targetingKey } });
        const decision = evaluate(library, flag.key, unit);
        if (flag.value !== undefined) expect(flag.value).toEqual(decision.value);
        expect(flag.metadata.bucket ?? -1).toBe(unit.bucket);
        const { answer } = (await explained(flag.key, context)).body;
        expect(answer).toEqual(flag);
      }
    }
  });
});

describe('the payload for SDKs', () => {
  const payload = (by: string, headers: Record<string, string> = {}) => assignment.call('GET', `/api/features/${by}`, { headers });

  it('holds the rules that the service follows, and no unit of an override', async () => {
    const { body, headers, status, text } = await payload(key('client'));
    expect([status, body.status]).toEqual([200, 200]);
    expect(headers.get('cache-control')).toMatch(/max-age=30/);
    expect(Date.parse(body.dateUpdated)).toBeGreaterThan(0);
    expect(text).not.toContain('tester');
    const rules = compilePayload(body);
    for (let n = 0; n < 25; n += 1) {
      const context = { targetingKey: `sdk${n}`, country: 'DE', account: `a${n}` };
      const { body: told } = await assignment.flags(context, key('client'), { 'x-rampart-exposure': 'none' });
      for (const flag of told.flags)
        if (flag.value !== undefined)
          expect(evaluate(rules, flag.key, unitOf({ attributes: { ...context, id: context.targetingKey } })).value).toEqual(flag.value);
    }
    const again = await payload(key('client'), { 'if-none-match': headers.get('etag') ?? '' });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('is for public keys alone', async () => {
    for (const [by, status] of [
      ['emits', 403],
      ['manages', 403],
      ['gone', 401],
      ['nobody', 401],
    ] as const)
      expect((await payload(key(by))).status).toBe(status);
  });
});

describe('what is served', () => {
  it('is listed with version, age, experiments and what could not be meant', async () => {
    const { body } = await assignment.call('GET', '/v1/evaluate/ruleset', { key: key('reads') });
    expect(body).toMatchObject({
      project: 'shop',
      environment: 'production',
      version: expect.stringMatching(/^[0-9a-f]{16}$/),
      problems: [],
    });
    expect(body.ageSeconds).toBeGreaterThanOrEqual(0);
    expect(body.features.map((one: { key: string }) => one.key).toSorted()).toEqual(shopFlags);
    expect(body.features.find((one: { key: string }) => one.key === 'half')).toEqual({
      key: 'half',
      isKilled: false,
      experiments: [{ key: 'half-of-it', segment: 1, coverage: 0.5 }],
      release: null,
    });
  });

  it('has a place in the description of the API and in Prometheus', async () => {
    const docs = await assignment.call('GET', '/docs-json');
    expect(Object.keys(docs.body.paths)).toEqual(
      expect.arrayContaining([
        '/ofrep/v1/evaluate/flags/{key}',
        '/ofrep/v1/evaluate/flags',
        '/v1/evaluate/explain',
        '/v1/evaluate/freshness',
      ]),
    );
    const { text } = await assignment.call('GET', '/metrics');
    for (const name of ['spool_rows', 'spool_age_seconds', 'definitions_age_seconds', 'definitions_stale'])
      expect(text).toMatch(new RegExp(`^rampart_assignment_${name}\\{[^}]*\\} [\\d.]+`, 'm'));
  });
});

describe('garbage', () => {
  it('is refused, and never breaks anything', async () => {
    const paths = ['/ofrep/v1/evaluate/flags', '/ofrep/v1/evaluate/flags/checkout', '/v1/evaluate/explain'];
    const body = fc.oneof(
      fc.jsonValue({ maxDepth: 10 }).map((context) => JSON.stringify({ feature: 'checkout', context })),
      fc.jsonValue().map((value) => JSON.stringify({ context: { targetingKey: 'u', value, __proto__: value } })),
      fc.string({ unit: 'binary', maxLength: 200 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), body, async (path, text) => {
        const { status } = await assignment.call('POST', path, { key: key('client'), body: text });
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 150 },
    );
    for (const flag of ['%00', '%ff', '..%2f', 'x'.repeat(300), '__proto__', 'constructor'])
      expect(
        (
          await assignment.call('POST', `/ofrep/v1/evaluate/flags/${flag}`, {
            key: key('client'),
            body: { context: { targetingKey: 'u' } },
          })
        ).status,
      ).toBeLessThan(500);
  });
});
