/** Ingestion as it runs, for specs: the real service on a fresh database, with a project, two environments and keys already defined. */
import { DEFINITIONS, EVERYWHERE, type KeyDefinition, type PublishedValue, type Role, revisionKey, topicSpecs } from '@rampart/contracts';
import { EventLog, type LogMessage } from '@rampart/event-log';
import { createService, hashOfKey } from '@rampart/service-kit';
import { freshDatabase } from '@rampart/test-engines';
import { ingestionConfig } from './ingestion-config.js';
import { ingestionService } from './ingestion-service.js';

export const PARTITIONS = 2;
export const ADMIN_KEY = 'rk_admin_of-this-spec';
/** The keys of the specs are their own ids. */
export const key = (id: string): string => `rk_${id}_secret`;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a spec reads answers as a client without types would.
  readonly body: any;
}

const published = (project: string, kind: 'project' | 'environment' | 'key', id: string, value: PublishedValue) => ({
  partition: 0,
  key: revisionKey(project, kind, id, EVERYWHERE, 1),
  value: JSON.stringify(value),
});
const environment = (name: string, kind: 'live' | 'historical') =>
  published('shop', 'environment', name, { kind: 'environment', value: { project: 'shop', key: name, kind } });
const writeKey = (id: string, role: Role, more: Partial<KeyDefinition> = {}) => {
  const value = { id, hash: hashOfKey(key(id)), role, project: 'shop', environment: null, name: id, revoked: false, ...more };
  return published('shop', 'key', id, { kind: 'key', value });
};

/** Of a key that sends to production, as it is published when it is made. */
export const newKey = (id: string) => writeKey(id, 'emit', { environment: 'production' });

export const definitions = () => [
  published(EVERYWHERE, 'project', 'shop', { kind: 'project', value: { key: 'shop', name: 'Shop' } }),
  environment('production', 'live'),
  environment('past', 'historical'),
  newKey('emits'),
  writeKey('imports', 'import', { environment: 'past' }),
  writeKey('emitspast', 'emit', { environment: 'past' }),
  writeKey('manages', 'manager'),
  writeKey('reads', 'analyst'),
  writeKey('limited', 'emit', { environment: 'production', quota: { eventsPerSecond: 2, burst: 2 } }),
  writeKey('checks', 'emit', { environment: 'production', quota: { eventsPerSecond: 1, burst: 2 } }),
  writeKey('gone', 'emit', { environment: 'production', revoked: true }),
];

export const startIngestion = async () => {
  const database = await freshDatabase();
  const config = ingestionConfig.parse({
    RAMPART_DATABASE_URL: database.url,
    RAMPART_SECRET: 'the secret of this spec',
    RAMPART_LOG_PARTITIONS: String(PARTITIONS),
    RAMPART_ADMIN_KEY: ADMIN_KEY,
    RAMPART_LOG_LEVEL: 'error',
  });
  const app = await createService(ingestionService, config);
  await app.listen(0, '127.0.0.1');
  const address = await app.getUrl();
  const log = app.get(EventLog, { strict: false });
  for (const spec of topicSpecs(PARTITIONS)) await log.createTopic(spec);
  await log.append(DEFINITIONS, definitions());
  const call = async (
    method: string,
    path: string,
    options: { key?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answer> => {
    const { body } = options;
    const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const response = await fetch(`${address}${path}`, {
      method,
      headers: {
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
        ...options.headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text };
  };
  const messages = async (topic: string): Promise<readonly (LogMessage & { partition: number })[]> => {
    const all = [];
    for await (const message of log.readAll(topic)) if (message.value !== null) all.push(message);
    return all;
  };
  return {
    call,
    log,
    /** Every message of a topic as JSON, ticks left out. */
    contents: async <Content>(topic: string): Promise<readonly Content[]> =>
      (await messages(topic)).map(({ value }) => JSON.parse(Buffer.from(value ?? []).toString('utf8')) as Content),
    messages,
    send: (events: unknown, by = key('emits'), headers: Record<string, string> = {}) =>
      call('POST', '/v1/events', { key: by, body: events, headers }),
    stop: () => app.close(),
    databaseUrl: database.url,
    /** Takes the database away, whoever is connected. */
    drop: () => database.drop(),
  };
};
export type StartedIngestion = Awaited<ReturnType<typeof startIngestion>>;

/** Polls until the service is ready and knows the keys. */
export const isReady = async ({ call }: StartedIngestion): Promise<void> => {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const knowsKeys = (await call('POST', '/v1/ingest/validate', { key: key('gone'), body: [] })).body.code === 'key-revoked';
    if (knowsKeys && (await call('GET', '/readyz')).status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not ready: ${JSON.stringify((await call('GET', '/readyz')).body)}`);
};
