import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { INGEST_STATS, type IngestStats } from '@rampart/contracts';
import { PostgresEventLog } from '@rampart/event-log/postgres';
import { purchase } from '../intake/event.examples.js';
import { isReady, key, type StartedIngestion, startIngestion } from './started-ingestion.examples.js';

let ingestion: StartedIngestion;

beforeEach(async () => {
  ingestion = await startIngestion();
  await isReady(ingestion);
}, 60_000);
afterEach(async () => {
  await ingestion.stop();
  await ingestion.drop();
});

describe('ingestion whose log goes away', () => {
  it('refuses whole requests with 503 and when to come back, stays alive and says what is wrong', async () => {
    expect((await ingestion.send([purchase()])).status).toBe(202);
    await ingestion.drop();
    const answer = await ingestion.send([purchase(), purchase({}, { value: 'x' })]);
    expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    // What 503 asks to be sent again has cost nothing: else the retry would be refused with 429.
    const batch = Array.from({ length: 100 }, () => purchase());
    for (let tries = 0; tries < 3; tries += 1) expect((await ingestion.send(batch, key('limited'))).status).toBe(503);
    expect((await ingestion.call('GET', '/livez')).status).toBe(200);
    const deadline = Date.now() + 10_000;
    let ready = await ingestion.call('GET', '/readyz');
    while (ready.status === 200 && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      ready = await ingestion.call('GET', '/readyz');
    }
    expect(ready).toMatchObject({ status: 503, body: { reasons: { log: expect.any(String) } } });
  }, 30_000);
});

describe('ingestion that is stopped', () => {
  it('leaves its last counts in the log', async () => {
    const reader = new PostgresEventLog({ url: ingestion.databaseUrl });
    await ingestion.send([purchase({}, { name: 'last' })]);
    await ingestion.stop();
    const counted: unknown[] = [];
    for await (const { value } of reader.readAll(INGEST_STATS)) {
      const { counts } = JSON.parse(Buffer.from(value ?? []).toString()) as IngestStats;
      counted.push(...counts.filter(({ name }) => name === 'last'));
    }
    await reader.close();
    expect(counted).toEqual([expect.objectContaining({ accepted: 1 })]);
  });
});
