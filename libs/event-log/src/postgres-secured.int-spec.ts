/** The log in a PostgreSQL that takes encrypted connections only: `?sslmode=verify-full&sslrootcert=…` in its address. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { refusedClients, type SecuredPostgres, securedPostgres } from '@rampart/test-engines';
import { eventually, freshTopic, Recorder } from './contract/harness.js';
import { PostgresEventLog } from './postgres-event-log.js';

let server: SecuredPostgres;

beforeAll(async () => {
  server = await securedPostgres();
}, 90_000);

afterAll(async () => {
  await server?.remove();
});

it('the log works when its authority is named', async () => {
  const log = new PostgresEventLog({ url: server.url });
  try {
    const topic = await freshTopic(log, { partitions: 1 });
    await log.append(topic, [{ partition: 0, value: 'a' }]);
    const read = new Recorder();
    const consumer = log.consume(read.options(topic, 'g'));
    await eventually('it was read', () => read.texts.length === 1);
    await consumer.close();
    expect(read.texts).toEqual(['a']);
  } finally {
    await log.close();
  }
});

describe('the log is not there for whoever', () => {
  it.each(refusedClients)('%s', async (client, why) => {
    const log = new PostgresEventLog({ url: server.refused[client] });
    try {
      await expect(log.createTopic({ topic: 'refused', partitions: 1, compacted: false })).rejects.toThrow(why);
    } finally {
      await log.close();
    }
  });
});
