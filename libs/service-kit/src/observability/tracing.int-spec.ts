import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OtlpCollector, startOtlpCollector } from '@rampart/test-engines';
import { z } from 'zod';
import { Scope } from '../access/scope.js';
import { createService } from '../running/create-service.js';
import { serviceConfig } from '../running/service-config.js';
import { Tracing } from './tracing.js';

const ADMIN = 'an-admin-key-of-enough-length';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

@Controller('v1')
class Things {
  constructor(private readonly tracing: Tracing) {}

  @Post('things')
  @Scope('admin', { project: false })
  make(@Body({ schema: z.unknown() }) _body: unknown) {
    return { current: this.tracing.current() ?? null };
  }

  @Get('broken')
  @Scope('admin', { project: false })
  async broken() {
    const parent = this.tracing.current();
    return this.tracing.within('inner', { kind: 'internal', parent }, () => Promise.reject(new Error('no such luck')));
  }
}

@Module({ controllers: [Things] })
class ThingsModule {}

const description = { name: 'sample', api: { title: 'Sample', description: '', version: '1' }, module: () => ThingsModule };
const start = async (environment: Record<string, string>) => {
  const config = serviceConfig.parse({ RAMPART_ADMIN_KEY: ADMIN, RAMPART_LOG_LEVEL: 'silent', ...environment });
  const app = await createService(description, config);
  await app.listen(0, '127.0.0.1');
  const address = await app.getUrl();
  const call = (method: string, path: string, headers: Record<string, string> = {}) =>
    fetch(`${address}${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json', ...headers },
      ...(method === 'POST' ? { body: '{}' } : {}),
    });
  return { app, call };
};

let collector: OtlpCollector;
let app: NestFastifyApplication;
let call: Awaited<ReturnType<typeof start>>['call'];

beforeAll(async () => {
  collector = await startOtlpCollector();
  ({ app, call } = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint }));
});
afterAll(async () => {
  await app.close();
  await collector.close();
});

const until = async <T>(find: () => T | undefined): Promise<T> => {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const found = find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not among ${JSON.stringify(collector.spans)}`);
};

describe('a traced service', () => {
  it('continues the trace of its client, also behind the reading of the body', async () => {
    const answer = await call('POST', '/v1/things', { traceparent: `00-${TRACE}-${PARENT}-01` });
    const { current } = (await answer.json()) as { current: string };
    const span = await until(() => collector.of(TRACE)[0]);
    expect(span).toMatchObject({
      ...{ service: 'rampart-sample', name: 'POST /v1/things', parentSpanId: PARENT, isError: false },
      attributes: { 'http.request.method': 'POST', 'http.route': '/v1/things', 'http.response.status_code': 201 },
    });
    expect(current).toBe(`00-${TRACE}-${span.spanId}-01`);
  });

  it('traces nothing that its client does not sample', async () => {
    const answer = await call('POST', '/v1/things', { traceparent: `00-${TRACE.replace('4', '5')}-${PARENT}-00` });
    expect(await answer.json()).toEqual({ current: null });
  });

  it('begins a trace where the client has none or writes nonsense, and says what failed', async () => {
    await call('GET', '/v1/broken', { traceparent: 'nonsense' });
    const inner = await until(() => collector.spans.find(({ name }) => name === 'inner'));
    const outer = await until(() => collector.of(inner.traceId).find(({ name }) => name === 'GET /v1/broken'));
    expect(outer).toMatchObject({ parentSpanId: undefined, isError: true });
    expect(inner).toMatchObject({ parentSpanId: outer.spanId, isError: true });
  });

  it('leaves probes out', async () => {
    await call('GET', '/livez');
    await call('POST', '/v1/things');
    await until(() => collector.spans.filter(({ name }) => name === 'POST /v1/things')[1]);
    expect(collector.spans.filter(({ name }) => name.includes('livez'))).toEqual([]);
  });
});

describe('a service without a collector', () => {
  it('has neither hooks nor spans, whatever the client asks', async () => {
    const off = await start({});
    try {
      const answer = await off.call('POST', '/v1/things', { traceparent: `00-${TRACE}-${PARENT}-01` });
      expect(await answer.json()).toEqual({ current: null });
      expect(off.app.get(Tracing, { strict: false }).isOn).toBe(false);
    } finally {
      await off.app.close();
    }
  });

  it('refuses an endpoint that is none', () => {
    expect(serviceConfig.safeParse({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }).success).toBe(false);
    expect(serviceConfig.safeParse({ OTEL_TRACES_SAMPLER_ARG: '2' }).success).toBe(false);
  });

  it('refuses headers that are none: its exporter would leave them out', () => {
    const isTaken = (text: string) => serviceConfig.safeParse({ OTEL_EXPORTER_OTLP_HEADERS: text }).success;
    for (const text of ['api-key=secret', 'a=b==,c=d%2Ce', 'authorization=Bearer x, team='])
      expect([text, isTaken(text)]).toEqual([text, true]);
    for (const text of ['api-key', 'a=b,c', '=x', 'a=b,,c=d', 'a b=c']) expect([text, isTaken(text)]).toEqual([text, false]);
  });
});
