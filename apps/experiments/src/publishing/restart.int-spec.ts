import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFINITIONS } from '@rampart/contracts';
import { PostgresEventLog } from '@rampart/event-log/postgres';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { aMetric, eventually } from '../control-plane.examples.js';

const main = join(import.meta.dirname, '..', 'main.js');
const ADMIN = 'an-admin-key-for-specs';

let database: FreshDatabase;
let log: PostgresEventLog;
let child: ChildProcess | undefined;

beforeAll(async () => {
  database = await freshDatabase();
  log = new PostgresEventLog({ url: database.url });
});

afterEach(() => {
  child?.kill('SIGKILL');
});

afterAll(async () => {
  await log?.close();
  await database?.drop();
});

const start = async (): Promise<string> => {
  const started = spawn(process.execPath, [main], {
    env: {
      PATH: process.env.PATH,
      RAMPART_DATABASE_URL: database.url,
      RAMPART_SECRET: 'a-platform-secret-for-specs',
      RAMPART_ADMIN_KEY: ADMIN,
      RAMPART_PARENT_PIPE: '1',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child = started;
  let said = '';
  started.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const port = await eventually('it listens', async () => /"listening","port":(\d+)/.exec(said)?.[1], 20_000);
  return `http://127.0.0.1:${port}/v1/metrics`;
};

const define = async (address: string, key: string) => {
  const answer = await fetch(`${address}?project=default`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    body: JSON.stringify(aMetric({ key })),
  });
  expect(answer.status).toBe(201);
};

const kill = async () => {
  const killed = child;
  if (killed === undefined) return;
  killed.kill('SIGKILL');
  await once(killed, 'exit');
};

/** Metrics in the order of the log. */
const publishedMetrics = async (): Promise<readonly string[]> => {
  const found: string[] = [];
  for await (const { key } of log.readAll(DEFINITIONS)) if (key?.startsWith('v/default/metric/')) found.push(key.split('/')[3] ?? '');
  return found;
};

describe('a control plane that is killed as soon as it has answered', () => {
  it('has published everything, in order, after the next start', async () => {
    const keys: string[] = [];
    for (let round = 0; round < 3; round++) {
      const address = await start();
      for (let index = 0; index < 5; index++) {
        const key = `m${round}-${index}`;
        await define(address, key);
        keys.push(key);
      }
      await kill();
    }
    await start();
    await eventually('the last is published', async () => ((await publishedMetrics()).includes('m2-4') ? true : undefined), 15_000);
    expect(await publishedMetrics()).toEqual(keys);
  }, 90_000);

  it('ends by itself when its parent is gone, and in good order when asked', async () => {
    await start();
    child?.stdin?.end();
    if (child !== undefined && child.exitCode === null) await once(child, 'exit');
    expect(child?.exitCode).toBe(0);
    await start();
    child?.kill('SIGTERM');
    if (child !== undefined && child.exitCode === null) await once(child, 'exit');
    expect(child?.exitCode).toBe(0);
  }, 60_000);
});
