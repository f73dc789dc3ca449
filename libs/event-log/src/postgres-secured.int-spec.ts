/** The log in a PostgreSQL that takes encrypted connections only: `?sslmode=verify-full&sslrootcert=…` in its address. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type OwnCertificates, type OwnPostgres, ownCertificates, ownPostgres } from '@rampart/test-engines';
import { eventually, freshTopic, Recorder } from './contract/harness.js';
import { PostgresEventLog } from './postgres-event-log.js';

let certificates: OwnCertificates;
let strangers: OwnCertificates;
let server: OwnPostgres;

beforeAll(async () => {
  certificates = ownCertificates();
  strangers = ownCertificates();
  server = await ownPostgres({ tls: certificates });
}, 60_000);

afterAll(async () => {
  await server?.remove();
  certificates?.remove();
  strangers?.remove();
});

const opened = (query: string) => new PostgresEventLog({ url: `${server.url}${query}` });

it('the log works when its authority is named', async () => {
  const log = opened(`?sslmode=verify-full&sslrootcert=${certificates.ca}`);
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
  it.each([
    ['speaks without encryption', () => '', /no encryption/],
    ['believes another authority', () => `?sslmode=verify-full&sslrootcert=${strangers.ca}`, /certificate/],
    ['believes only what the system trusts', () => '?sslmode=verify-full', /certificate/],
  ])('%s', async (_, query, why) => {
    const log = opened(query());
    try {
      await expect(log.createTopic({ topic: 'refused', partitions: 1, compacted: false })).rejects.toThrow(why);
    } finally {
      await log.close();
    }
  });
});
