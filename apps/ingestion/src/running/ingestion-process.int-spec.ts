import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type BatchAnswer, DEFINITIONS, FEEDBACK, type FeedbackRow, topicSpecs } from '@rampart/contracts';
import { PostgresEventLog } from '@rampart/event-log/postgres';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { purchase } from '../intake/event.examples.js';
import { definitions, key, PARTITIONS } from './started-ingestion.examples.js';

jest.setTimeout(60_000);

let database: FreshDatabase;
let log: PostgresEventLog;
let child: ChildProcess;

beforeEach(async () => {
  database = await freshDatabase();
  log = new PostgresEventLog({ url: database.url });
  for (const spec of topicSpecs(PARTITIONS)) await log.createTopic(spec);
  await log.append(DEFINITIONS, definitions());
});
afterEach(async () => {
  child.kill('SIGKILL');
  await log.close();
  await database.drop();
});

let errors = '';

/** @returns its address; rejects with what it said when it ends instead */
const listening = (partitions = PARTITIONS): Promise<string> =>
  new Promise((resolve, reject) => {
    child = spawn(process.execPath, [join(import.meta.dirname, '..', 'main.js')], {
      env: {
        PATH: process.env.PATH ?? '',
        RAMPART_DATABASE_URL: database.url,
        RAMPART_SECRET: 'the secret of this spec',
        RAMPART_LOG_PARTITIONS: String(partitions),
        RAMPART_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.on('data', (part: Buffer) => {
      const port = /"listening","port":(\d+)/.exec(part.toString())?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    });
    errors = '';
    child.stderr?.on('data', (part: Buffer) => {
      errors += part.toString();
    });
    child.once('close', (code) => reject(new Error(`ended with ${code}: ${errors}`)));
  });

const post = async (address: string, events: readonly unknown[]): Promise<BatchAnswer | undefined> => {
  const headers = { authorization: `Bearer ${key('emits')}`, 'content-type': 'application/json' };
  const answer = await fetch(`${address}/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) });
  return answer.status === 202 ? ((await answer.json()) as BatchAnswer) : undefined;
};

const storedIds = async (): Promise<ReadonlySet<string>> => {
  const ids = new Set<string>();
  for await (const { value } of log.readAll(FEEDBACK)) {
    if (value === null) continue;
    for (const { id } of JSON.parse(Buffer.from(value).toString()) as FeedbackRow[]) ids.add(id);
  }
  return ids;
};

describe('ingestion with another number of partitions than its log', () => {
  it('ends with both numbers instead of scattering units', async () => {
    await listening(PARTITIONS + 1).catch(() => undefined);
    if (child.exitCode === null) await new Promise((resolve) => child.once('close', resolve));
    expect(child.exitCode).toBe(1);
    expect(errors).toContain('feedback.v1 has 2 partitions, but 3 were asked for');
  });
});

describe('ingestion killed under load', () => {
  it('has lost nothing that it accepted', async () => {
    const address = await listening();
    while ((await post(address, [])) === undefined) await new Promise((resolve) => setTimeout(resolve, 50));
    const accepted = new Set<string>();
    let isAlive = true;
    const sender = async (name: string) => {
      for (let batch = 0; isAlive; batch += 1) {
        const ids = Array.from({ length: 20 }, (_, index) => `${name}-${batch}-${index}`);
        const answer = await post(
          address,
          ids.map((id) => purchase({ id })),
        ).catch(() => undefined);
        for (const item of answer?.items ?? []) if (item.status === 'accepted' && item.id !== null) accepted.add(item.id);
        if (answer !== undefined && accepted.size > 2_000) child.kill('SIGKILL');
        isAlive = child.exitCode === null && child.signalCode === null;
      }
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(sender));
    expect(accepted.size).toBeGreaterThan(2_000);
    const stored = await storedIds();
    expect([...accepted].filter((id) => !stored.has(id))).toEqual([]);
  });
});
