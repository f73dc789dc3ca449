/** The real service on a database of its own, and definitions to try it with. */
import type { MetricInput } from '@rampart/contracts';
import { DEFINITIONS } from '@rampart/contracts';
import { EventLog } from '@rampart/event-log';
import { createLog, createService } from '@rampart/service-kit';
import { AnswerCheck } from './answers/answer-check.examples.js';
import { experimentsService } from './experiments.service.js';
import { experimentsConfig } from './experiments-config.js';

const ADMIN = 'an-admin-key-for-specs';

export interface CallOptions {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ControlAnswer {
  readonly status: number;
  readonly etag: string | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a spec reads what it expects
  readonly body: any;
}

export const controlPlane = async (url: string, secret = 'a-platform-secret-for-specs', more: Readonly<Record<string, string>> = {}) => {
  const config = experimentsConfig.parse({ RAMPART_DATABASE_URL: url, RAMPART_SECRET: secret, RAMPART_ADMIN_KEY: ADMIN, ...more });
  const app = await createService(experimentsService, config, { log: createLog('experiments', 'silent') });
  const check = new AnswerCheck();
  app.useGlobalInterceptors(check);
  await app.listen(0, '127.0.0.1');
  const address = await app.getUrl();

  const call = async (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    { body, raw, key = ADMIN, headers = {} }: CallOptions = {},
  ): Promise<ControlAnswer> => {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const answer = await fetch(`${address}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(sent === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(sent === undefined ? {} : { body: sent }),
    });
    const text = await answer.text();
    if (check.misfits.length > 0) throw new Error(`not as it is documented: ${check.misfits.splice(0).join('; ')}`);
    return { status: answer.status, etag: answer.headers.get('etag') ?? undefined, body: text === '' ? undefined : JSON.parse(text) };
  };

  /** What `definitions.v1` holds now, by key, without ticks; in the order of the log. */
  const published = async (): Promise<ReadonlyMap<string, unknown>> => {
    const found = new Map<string, unknown>();
    for await (const { key, value } of app.get(EventLog, { strict: false }).readAll(DEFINITIONS))
      if (key !== null && value !== null) found.set(key, JSON.parse(Buffer.from(value).toString('utf8')));
    return found;
  };

  return { app, call, published, close: () => app.close() };
};
export type ControlPlane = Awaited<ReturnType<typeof controlPlane>>;

export const aMetric = (change: Partial<MetricInput> = {}): MetricInput => ({
  key: 'converted',
  name: 'Converted',
  type: 'proportion',
  unitType: 'user',
  numerator: { event: 'purchase' },
  windowUs: 60_000_000,
  ...change,
});

export const anExperiment = (change: object = {}) => ({
  key: 'button',
  name: 'Button',
  variants: [{ key: 'blue' }, { key: 'green' }],
  control: 'blue',
  metrics: [{ metric: 'converted', role: 'success' }],
  ...change,
});

/** Asks until it is so. */
export const eventually = async <Value>(what: string, ask: () => Promise<Value | undefined>, withinMs = 10_000): Promise<Value> => {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
