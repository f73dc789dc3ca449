import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  DEAD_LETTERS,
  DEFINITIONS,
  EVERYWHERE,
  FEEDBACK,
  type FeedbackRow,
  INGEST_STATS,
  type PublishedValue,
  revisionKey,
  topicSpecs,
} from '@rampart/contracts';
import { PostgresEventLog } from '@rampart/event-log/postgres';
import { createService } from '@rampart/service-kit';
import { type FreshClickhouse, type FreshDatabase, freshClickhouse, freshDatabase } from '@rampart/test-engines';
import { analysisService } from './analysis.service.js';
import { analysisConfig } from './config.js';

jest.setTimeout(60_000);

const ADMIN = 'an-admin-key-of-enough-length';
const ENVIRONMENT = '?project=shop&environment=past';

let database: FreshDatabase;
let clickhouse: FreshClickhouse;
let log: PostgresEventLog;
let app: NestFastifyApplication;
let address: string;

const published = (kind: 'project' | 'environment', id: string, value: PublishedValue) => ({
  partition: 0,
  key: revisionKey('shop', kind, id, EVERYWHERE, 1),
  value: JSON.stringify(value),
});

const row = (number: number, about: Partial<FeedbackRow> = {}): FeedbackRow => ({
  kind: 'metric',
  project: 'shop',
  environment: 'past',
  name: 'buy',
  unitType: 'user',
  unit: number.toString(16).padStart(32, '0'),
  source: 'web',
  id: `e${number}`,
  at: 1_000_000 * number,
  knownAt: 1_000_000 * number,
  value: '2500000',
  digest: number.toString(16).padStart(16, '0'),
  key: 'k1',
  ...about,
});

const tickAll = async (): Promise<void> => {
  const tick = { value: null, headers: { tick: '1' } };
  await log.append(DEFINITIONS, [{ partition: 0, key: 'tick', ...tick }]);
  await log.append(
    FEEDBACK,
    [0, 1].map((partition) => ({ partition, ...tick })),
  );
};

beforeAll(async () => {
  [database, clickhouse] = await Promise.all([freshDatabase(), freshClickhouse()]);
  log = new PostgresEventLog({ url: database.url });
  for (const spec of topicSpecs(2)) await log.createTopic(spec);
  await log.append(DEFINITIONS, [
    published('project', 'shop', { kind: 'project', value: { key: 'shop', name: 'Shop' } }),
    published('environment', 'past', { kind: 'environment', value: { project: 'shop', key: 'past', kind: 'historical' } }),
  ]);
  const config = analysisConfig.parse({
    RAMPART_DATABASE_URL: database.url,
    RAMPART_CLICKHOUSE_URL: clickhouse.url,
    RAMPART_CLICKHOUSE_DATABASE: clickhouse.database,
    RAMPART_LOG_PARTITIONS: 2,
    RAMPART_ADMIN_KEY: ADMIN,
    RAMPART_SECRET: 'a secret of this spec',
    RAMPART_LOG_LEVEL: 'silent',
  });
  app = await createService(analysisService, config);
  await app.listen(0, '127.0.0.1');
  address = await app.getUrl();
});

afterAll(async () => {
  await app?.close();
  await log?.close();
  await Promise.all([database?.drop(), clickhouse?.drop()]);
});

const call = async (method: 'GET' | 'POST', path: string) => {
  const answer = await fetch(`${address}${path}`, { method, headers: { authorization: `Bearer ${ADMIN}` } });
  return { status: answer.status, body: JSON.parse(await answer.text()) };
};

interface Body {
  readonly state?: string;
  readonly partitions?: readonly { readonly lag: number }[];
  readonly watermark?: string | null;
  readonly accepted?: number;
  readonly letters?: readonly unknown[];
  readonly names?: readonly unknown[];
}

const eventually = async (path: string, holds: (body: Body) => boolean) => {
  for (let tries = 0; tries < 200; tries++) {
    const { status, body } = await call('GET', path);
    if (status === 200 && holds(body)) return body;
    await sleep(100);
  }
  throw new Error(`${path} stayed at ${JSON.stringify((await call('GET', path)).body)}`);
};

describe('analysis', () => {
  it('has no watermark while a partition never had a message', async () => {
    await eventually('/readyz', () => true);
    expect((await call('GET', '/v1/analysis/freshness')).body).toMatchObject({ watermark: null, ageMs: null });
  });

  it('stores what the log has, and says how far it is', async () => {
    const rows = [row(1), row(2), row(3, { kind: 'exposure', name: 'button', variant: 'a', reason: 'SPLIT' })];
    await log.append(FEEDBACK, [
      { partition: 0, value: JSON.stringify(rows) },
      { partition: 0, value: JSON.stringify(rows) },
    ]);
    await tickAll();
    const fresh = await eventually(
      '/v1/analysis/freshness',
      ({ watermark, partitions = [] }) => watermark !== null && partitions.every(({ lag }) => lag === 0),
    );
    expect(fresh.partitions).toMatchObject([
      { topic: FEEDBACK, partition: 0, storedOffset: '2', logEndOffset: '3', lag: 0 },
      { topic: FEEDBACK, partition: 1, storedOffset: '0', logEndOffset: '1', lag: 0 },
      { topic: DEFINITIONS, partition: 0 },
    ]);
    const { body } = await call('GET', `/v1/ingest/names${ENVIRONMENT}`);
    expect(body.names).toMatchObject([
      { kind: 'event', name: 'buy', rows: 2, firstAt: '1970-01-01T00:00:01.000Z' },
      { kind: 'exposure', name: 'button', rows: 1 },
    ]);
  });

  it('shows the newest rows with their values in plain decimals', async () => {
    const { body } = await call('GET', `/v1/ingest/tail${ENVIRONMENT}&name=buy&limit=1`);
    expect(body.rows).toMatchObject([{ name: 'buy', value: '2.5', unit: `${'0'.repeat(31)}2`, knownAt: '1970-01-01T00:00:02.000Z' }]);
  });

  it('adds up what ingestion counted, and lists what it did not believe', async () => {
    const count = { project: 'shop', environment: 'past', key: 'k1', kind: 'metric', name: 'buy', accepted: 3, rejected: { missing: 1 } };
    await log.append(INGEST_STATS, [{ partition: 0, value: JSON.stringify({ instance: 'i', atUs: Date.now() * 1000, counts: [count] }) }]);
    const letter = {
      project: 'shop',
      environment: 'past',
      key: 'k1',
      code: 'missing',
      path: '/0/id',
      message: 'is missing',
      receivedAtUs: 1,
    };
    await log.append(DEAD_LETTERS, [{ partition: 0, value: JSON.stringify({ ...letter, eventId: null, source: null, raw: '{}' }) }]);
    const stats = await eventually(`/v1/ingest/stats${ENVIRONMENT}`, ({ accepted = 0 }) => accepted > 0);
    expect(stats).toMatchObject({ accepted: 3, rejected: 1, counts: [{ key: 'k1', name: 'buy', rejected: { missing: 1 } }] });
    const letters = await eventually(`/v1/ingest/dead-letters${ENVIRONMENT}`, ({ letters: found = [] }) => found.length > 0);
    expect(letters).toMatchObject({ letters: [{ id: '0-0', code: 'missing', canBeReplayed: true }], next: null, byCode: { missing: 1 } });
  });

  it('shows what belongs to no project to an admin that names none', async () => {
    const orphan = {
      project: null,
      environment: null,
      key: null,
      code: 'key-unknown',
      path: '/writekey',
      message: 'no such key',
      receivedAtUs: 2,
    };
    await log.append(DEAD_LETTERS, [{ partition: 0, value: JSON.stringify({ ...orphan, eventId: null, source: null, raw: '{}' }) }]);
    const { letters } = await eventually('/v1/ingest/dead-letters', ({ letters: found = [] }) => found.length > 0);
    expect(letters).toMatchObject([{ project: null, environment: null, code: 'key-unknown', path: '/writekey' }]);
    expect(await call('GET', '/v1/ingest/dead-letters?project=nowhere')).toMatchObject({
      status: 404,
      body: { code: 'project-not-found' },
    });
  });

  it('fills its store anew from the log, on command', async () => {
    const { status, body } = await call('POST', '/v1/analysis/rebuild');
    expect(status).toBe(202);
    expect(body.filling).toMatch(/^[0-9a-f]{8}$/);
    // The old one serves until the new one has everything.
    expect((await call('GET', `/v1/ingest/names${ENVIRONMENT}`)).body.names).toHaveLength(2);
    await eventually('/v1/analysis/rebuild', ({ state }) => state === 'done');
    const { names } = await eventually(`/v1/ingest/names${ENVIRONMENT}`, ({ names: found = [] }) => found.length === 2);
    expect(names).toMatchObject([{ name: 'buy', rows: 2 }, { name: 'button' }]);
    await eventually(`/v1/ingest/stats${ENVIRONMENT}`, ({ accepted = 0 }) => accepted > 0);
  });
});
