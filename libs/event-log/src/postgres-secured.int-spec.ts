/** The log in a PostgreSQL that takes encrypted connections only: `?sslmode=verify-full&sslrootcert=…` in its address. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type FreshDatabase,
  freshDatabase,
  type OwnCertificates,
  type OwnPostgres,
  ownCertificates,
  ownPostgres,
} from '@rampart/test-engines';
import { eventually, freshTopic, Recorder } from './contract/harness.js';
import { PostgresEventLog } from './postgres-event-log.js';

let certificates: OwnCertificates;
let strangers: OwnCertificates;
let onlyLocalhost: OwnCertificates;
let server: OwnPostgres;
let misnamed: OwnPostgres;
let unencrypted: FreshDatabase;

beforeAll(async () => {
  certificates = ownCertificates();
  strangers = ownCertificates();
  // Of a server at an address nothing but that address may be believed, though many clients fall back to this name.
  onlyLocalhost = ownCertificates({ names: 'DNS:localhost' });
  unencrypted = await freshDatabase();
  server = await ownPostgres({ tls: certificates });
  misnamed = await ownPostgres({ tls: onlyLocalhost });
}, 90_000);

afterAll(async () => {
  await Promise.all([server?.remove(), misnamed?.remove(), unencrypted?.drop()]);
  for (const one of [certificates, strangers, onlyLocalhost]) one?.remove();
});

const believing = (url: string, { ca }: OwnCertificates) => `${url}${url.includes('?') ? '&' : '?'}sslmode=verify-full&sslrootcert=${ca}`;

it('the log works when its authority is named', async () => {
  const log = new PostgresEventLog({ url: believing(server.url, certificates) });
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
    ['speaks without encryption', () => server.url, /no encryption/],
    ['believes another authority', () => believing(server.url, strangers), /certificate/],
    ['believes only what the system trusts', () => `${server.url}?sslmode=verify-full`, /certificate/],
    ['meets a server of another name', () => believing(misnamed.url, onlyLocalhost), /altnames/],
    ['meets a server without encryption', () => believing(unencrypted.url, certificates), /does not support SSL/],
  ])('%s', async (_, url, why) => {
    const log = new PostgresEventLog({ url: url() });
    try {
      await expect(log.createTopic({ topic: 'refused', partitions: 1, compacted: false })).rejects.toThrow(why);
    } finally {
      await log.close();
    }
  });
});
