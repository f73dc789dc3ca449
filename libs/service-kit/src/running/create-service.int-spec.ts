import { Agent, request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Param, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DomainError } from '@rampart/domain/errors';
import { z } from 'zod';
import { ApiKeys, hashOfKey, type KeyRecord, type Role } from '../access/api-keys.js';
import { Caller, type CallerIdentity, Environment, Project, Scope } from '../access/scope.js';
import { RawBody, UnreadBody } from '../http/body-parsing.js';
import { SECURITY_HEADERS } from '../http/security-headers.js';
import { createService } from './create-service.js';
import { serviceConfig } from './service-config.js';

const ADMIN = 'an-admin-key-of-enough-length';
const BODY_LIMIT = 1000;
const thing = z.strictObject({ name: z.string().min(2), 'a/b': z.array(z.int()).optional() });

const record = (key: string, role: Role, more: Partial<KeyRecord> = {}): KeyRecord => ({
  id: key,
  hash: hashOfKey(key),
  role,
  project: 'shop',
  environment: null,
  revoked: false,
  ...more,
});

class Keys extends ApiKeys {
  private readonly records = [
    record('manager', 'manager'),
    record('analyst', 'analyst'),
    record('emit', 'emit', { environment: 'staging' }),
    record('gone', 'manager', { revoked: true }),
  ];
  override byHash(hash: string) {
    if (hash === hashOfKey('too-early')) throw Object.assign(new Error('keys are not loaded'), { retriable: true });
    return this.records.find((one) => one.hash === hash);
  }
  override hasProject(project: string) {
    return project === 'shop';
  }
}

@Controller('v1')
class Things {
  @Get('whoami')
  @Scope('analyst')
  whoami(@Caller() caller: CallerIdentity, @Project() project: string, @Environment() environment: string) {
    return { caller, project, environment };
  }
  @Post('things')
  @Scope('manager')
  create(@Body({ schema: thing }) body: z.infer<typeof thing>) {
    return body;
  }
  @Get('things/:key')
  @Scope('analyst')
  read(@Param('key', { schema: z.string().regex(/^[a-z]+$/) }) key: string) {
    return key;
  }
  @Post('events')
  @Scope(['emit', 'import'])
  @RawBody()
  events(@Body() body: Buffer) {
    return { isBuffer: Buffer.isBuffer(body), bytes: body.length };
  }
  @Post('asked')
  @Scope('analyst')
  @UnreadBody()
  asked() {
    return 'heard';
  }
  @Get('refuse/:code')
  @Scope('admin', { project: false })
  refuse(@Param('code') code: string) {
    throw new DomainError(code, 'needs 3, has 2', { needed: 3 });
  }
  @Get('broken')
  @Scope('admin', { project: false })
  broken() {
    throw new Error('password is hunter2');
  }
}

@Module({ controllers: [Things], providers: [{ provide: ApiKeys, useClass: Keys }] })
class ThingsModule {}

@Controller('v1')
class Forgetful {
  @Get('declared')
  @Scope('analyst')
  declared() {
    return 'for analysts';
  }
  @Get('undeclared')
  undeclared() {
    return 'secret';
  }
}

@Module({ controllers: [Forgetful], providers: [{ provide: ApiKeys, useClass: Keys }] })
class ForgetfulModule {}

let app: NestFastifyApplication;
let address: string;

beforeAll(async () => {
  const config = serviceConfig.parse({ RAMPART_ADMIN_KEY: ADMIN, RAMPART_LOG_LEVEL: 'silent' });
  app = await createService(
    {
      name: 'things',
      api: { title: 'Things', description: '', version: '1' },
      module: () => ThingsModule,
      bodyLimit: BODY_LIMIT,
      statuses: { 'out-of-tea': 418 },
    },
    config,
  );
  await app.listen(0, '127.0.0.1');
  address = await app.getUrl();
});

afterAll(() => app.close());

interface Call {
  readonly key?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}
const call = async (method: 'GET' | 'POST', url: string, { key, headers = {}, body }: Call = {}) => {
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const answer = await fetch(`${address}${url}`, {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(payload === undefined ? {} : { body: payload }),
  });
  const text = await answer.text();
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text, body: text.startsWith('{') ? JSON.parse(text) : text };
};

describe('who may call', () => {
  it('answers probes, metrics and docs without a key', async () => {
    for (const path of ['/livez', '/readyz', '/metrics', '/docs-json'])
      expect([path, (await call('GET', path)).status]).toEqual([path, 200]);
  });

  it('does not start with a route that declares no scope', async () => {
    const api = { title: 'Forgetful', description: '', version: '1' };
    const config = serviceConfig.parse({ RAMPART_ADMIN_KEY: ADMIN, RAMPART_LOG_LEVEL: 'silent' });
    const start = createService({ name: 'forgetful', api, module: () => ForgetfulModule }, config);
    await expect(start).rejects.toThrow('Forgetful.undeclared: each route must declare');
  });

  it('says of every route which roles may call it', async () => {
    const { body } = await call('GET', '/docs-json');
    const scopes = Object.entries<Record<string, Record<string, unknown>>>(body.paths).flatMap(([path, methods]) =>
      Object.values(methods).map((operation) => [path, operation['x-rampart-scope']]),
    );
    expect(scopes).toContainEqual(['/v1/whoami', { roles: ['admin', 'manager', 'analyst'], needsProject: true }]);
    expect(scopes).toContainEqual(['/v1/events', { roles: ['emit', 'import'], needsProject: true }]);
    expect(scopes.filter(([, scope]) => scope === undefined)).toEqual([]);
  });

  it.each([
    ['no key', undefined, 401, 'key-missing'],
    ['an unknown key', 'nobody', 401, 'key-unknown'],
    ['a revoked key', 'gone', 401, 'key-revoked'],
    ['a key that only emits', 'emit', 403, 'wrong-role'],
    ['any key while keys are not loaded', 'too-early', 503, 'unavailable'],
  ])('refuses %s', async (_, key, status, code) => {
    const answer = await call('GET', '/v1/whoami', key === undefined ? {} : { key });
    expect(answer).toMatchObject({ status, body: { status, code } });
    expect(answer.headers['content-type']).toMatch('application/problem+json');
    if (status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer');
    if (status === 503) expect(answer.headers['retry-after']).toBe('1');
  });

  it('takes the project from the key, and refuses another', async () => {
    expect((await call('GET', '/v1/whoami', { key: 'analyst' })).body).toEqual({
      caller: { keyId: 'analyst', role: 'analyst', project: 'shop', environment: null, endsAtUs: null },
      project: 'shop',
      environment: 'production',
    });
    expect(await call('GET', '/v1/whoami?project=other', { key: 'analyst' })).toMatchObject({
      status: 403,
      body: { code: 'foreign-project' },
    });
  });

  it('asks the admin for a project, by query or header', async () => {
    expect(await call('GET', '/v1/whoami', { key: ADMIN })).toMatchObject({ status: 400, body: { code: 'project-missing' } });
    expect(await call('GET', '/v1/whoami?project=none', { key: ADMIN })).toMatchObject({
      status: 404,
      body: { code: 'project-not-found' },
    });
    expect((await call('GET', '/v1/whoami?project=shop', { key: ADMIN })).body).toMatchObject({ project: 'shop' });
    expect((await call('GET', '/v1/whoami', { headers: { 'x-api-key': ADMIN, 'x-project': 'shop' } })).body).toMatchObject({
      project: 'shop',
    });
  });

  it('lets a manager read and an analyst not write', async () => {
    expect((await call('GET', '/v1/whoami?environment=staging', { key: 'manager' })).body).toMatchObject({ environment: 'staging' });
    expect((await call('POST', '/v1/things', { key: 'analyst', body: { name: 'ab' } })).status).toBe(403);
  });

  it('keeps a key in its environment', async () => {
    expect(await call('POST', '/v1/events?environment=production', { key: 'emit', body: [] })).toMatchObject({
      status: 403,
      body: { code: 'foreign-environment' },
    });
  });
});

describe('bodies', () => {
  it('lists every violation of the schema by JSON pointer', async () => {
    const { status, body } = await call('POST', '/v1/things', { key: 'manager', body: { name: '', 'a/b': [1, 'x'], extra: 1 } });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'invalid-request', title: 'Bad Request', type: 'urn:rampart:problem:invalid-request' });
    expect(body.errors.map((error: { code: string; path: string }) => [error.code, error.path])).toEqual([
      ['too-small', '/name'],
      ['invalid-type', '/a~1b/1'],
      ['unrecognized-keys', '/extra'],
    ]);
  });

  it('names the part of the path that is wrong', async () => {
    const { status, body } = await call('GET', '/v1/things/UPPER', { key: 'manager' });
    expect(status).toBe(400);
    expect(body.errors).toEqual([expect.objectContaining({ path: '/key', code: 'invalid-format' })]);
    expect(body.detail).toMatch(/^\/key: /);
  });

  it.each([
    ['can’t be decoded', '%ED%A0%80', 400, 'bad-path'],
    ['is too long', 'x'.repeat(4_501), 414, 'path-too-long'],
  ])('refuses a path that %s, as any other problem', async (_, part, status, code) => {
    const answer = await call('GET', `/v1/things/${part}`, { key: 'manager' });
    expect(answer).toMatchObject({ status, body: { status, code, requestId: expect.any(String) } });
    expect(answer.headers['content-type']).toMatch('application/problem+json');
  });

  it('says where JSON breaks', async () => {
    const { status, body } = await call('POST', '/v1/things', { key: 'manager', body: '{\n "name": NaN}' });
    expect([status, body.code]).toEqual([400, 'not-json']);
    expect(body.detail).toMatch(/position 11 \(line 2, column 10\)/);
  });

  it('refuses what is too large, also when only the unpacked body is', async () => {
    const plain = await call('POST', '/v1/events', { key: 'emit', body: 'x'.repeat(BODY_LIMIT + 1) });
    expect(plain).toMatchObject({ status: 413, body: { code: 'too-large' } });
    expect(plain.body.detail).toMatch('1,000 bytes');
    const packed = gzipSync('x'.repeat(BODY_LIMIT + 1));
    expect(packed.length).toBeLessThan(BODY_LIMIT);
    expect((await call('POST', '/v1/events', { key: 'emit', body: packed, headers: { 'content-encoding': 'gzip' } })).status).toBe(413);
  });

  it('answers what is far too large only after it was sent, so that the answer arrives', async () => {
    const body = 'x'.repeat(8 * 1024 * 1024);
    for (let attempt = 0; attempt < 5; attempt++) expect((await call('POST', '/v1/events', { key: 'emit', body })).status).toBe(413);
  });

  it.each([
    ['a path that can’t be decoded', '/v1/things/%ED%A0%80', {}, 400],
    ['an encoding that it does not know', '/v1/things', { 'content-encoding': 'br' }, 415],
    ['what is too large', '/v1/things', {}, 413],
  ])('goes on with the connection after refusing %s before the end of the body', async (_, path, headers, status) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const post = () =>
      new Promise<number | undefined>((answered, failed) => {
        const options = { agent, method: 'POST', timeout: 5_000, headers: { 'content-type': 'application/json', ...headers } };
        const sending = request(address + path, options, (answer) => answer.resume().on('end', () => answered(answer.statusCode)));
        sending.on('error', failed).on('timeout', () => sending.destroy(new Error('no answer within 5 s')));
        sending.end(Buffer.alloc(4_000_000, ' '));
      });
    expect([await post(), await post(), await post()]).toEqual([status, status, status]);
    agent.destroy();
  });

  it('unpacks gzip and hands bytes to a route that wants them', async () => {
    const body = gzipSync('[1, 2, 3]');
    const answer = await call('POST', '/v1/events', { key: 'emit', body, headers: { 'content-encoding': 'gzip' } });
    expect(answer).toMatchObject({ status: 201, body: { isBuffer: true, bytes: 9 } });
  });

  it('refuses gzip that is none, other encodings and other media types', async () => {
    const send = (headers: Record<string, string>) => call('POST', '/v1/things', { key: 'manager', body: '{"name":"ab"}', headers });
    expect((await send({ 'content-encoding': 'gzip' })).status).toBe(400);
    expect(await send({ 'content-encoding': 'br' })).toMatchObject({ status: 415, body: { code: 'unsupported-encoding' } });
    expect(await send({ 'content-type': 'text/csv' })).toMatchObject({ status: 415, body: { code: 'unsupported-media-type' } });
  });

  it('does not read what a route needs nothing of, whatever it is', async () => {
    for (const [type, body] of [
      ['application/json', 'no json'],
      ['application/x-www-form-urlencoded', 'a=b'],
      ['text/plain', ''],
    ] as const) {
      const answer = await call('POST', '/v1/asked', { key: 'analyst', body, headers: { 'content-type': type } });
      expect([type, answer.status, answer.text]).toEqual([type, 201, 'heard']);
    }
  });
});

describe('answers to errors', () => {
  it.each([
    ['no-such-rule', 409],
    ['experiment-not-found', 404],
    ['revision-mismatch', 412],
    ['out-of-tea', 418],
  ])('%s is %i', async (code, status) => {
    const answer = await call('GET', `/v1/refuse/${code}`, { key: ADMIN });
    expect(answer).toMatchObject({ status, body: { status, code, detail: 'needs 3, has 2', details: { needed: 3 } } });
  });

  it('tells nothing of an unexpected error but the request to ask about', async () => {
    const answer = await call('GET', '/v1/broken', { key: ADMIN, headers: { 'x-request-id': 'abc-123' } });
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal', requestId: 'abc-123' } });
    expect(answer.headers['x-request-id']).toBe('abc-123');
    expect(answer.text).not.toMatch('hunter2');
  });

  it('answers a path that does not exist as a problem', async () => {
    expect(await call('GET', '/v1/nothing')).toMatchObject({ status: 404, body: { code: 'route-not-found' } });
  });
});

describe('every answer', () => {
  it.each([
    ['of a route', '/v1/whoami', 'analyst', 200],
    ['to a stranger', '/v1/whoami', undefined, 401],
    ['to a path that leads nowhere', '/v1/nothing', 'analyst', 404],
    ['to a path that can not be read', '/v1/things/%ED%A0%80', 'analyst', 400],
    ['of a probe', '/livez', undefined, 200],
    ['of an error', '/v1/broken', ADMIN, 500],
  ])('%s says what a browser must not do with it', async (_, path, key, status) => {
    const answer = await call('GET', path, key === undefined ? {} : { key });
    expect(answer).toMatchObject({ status, headers: SECURITY_HEADERS });
    expect(answer.headers).not.toHaveProperty('strict-transport-security');
    expect(answer.headers).not.toHaveProperty('x-powered-by');
  });

  it('that was asked for by TLS wants it ever after', async () => {
    const { headers } = await call('GET', '/livez', { headers: { 'x-forwarded-proto': 'https' } });
    expect(headers['strict-transport-security']).toBe('max-age=31536000');
  });
});

describe('what it tells about itself', () => {
  it('counts requests by route template and status', async () => {
    await call('GET', '/v1/refuse/some-code', { key: ADMIN });
    const { text } = await call('GET', '/metrics');
    expect(text).toMatch(/http_request_duration_seconds_count\{[^}]*route="\/v1\/refuse\/:code"[^}]*\}/);
    expect(text).not.toMatch('some-code');
  });

  it('documents the schema of a body', async () => {
    const { body } = await call('GET', '/docs-json');
    const schema = body.paths['/v1/things'].post.requestBody.content['application/json'].schema;
    expect(schema).toMatchObject({ type: 'object', required: ['name'] });
  });

  it('documents how every route refuses', async () => {
    const { body } = await call('GET', '/docs-json');
    const operations = Object.values<Record<string, object>>(body.paths).flatMap((path) => Object.values(path));
    expect(operations.length).toBeGreaterThan(3);
    for (const operation of operations)
      expect(operation).toMatchObject({
        responses: { default: { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } } },
      });
    expect(body.components.schemas.Problem.required).toContain('code');
  });
});
