/** The log on a Kafka that wants TLS and a password, and on one that wants a certificate of its clients too. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type OwnCertificates, type OwnKafka, ownCertificates, ownKafka } from '@rampart/test-engines';
import { type KafkaSecurityChoice, openEventLog } from './configured-event-log.js';
import { eventually, freshTopic, Recorder, textOf } from './contract/harness.js';
import type { EventLog } from './event-log.js';
import { LogUnavailableError } from './log-errors.js';

const user = { username: 'rampart', password: 'a-password-of-this-spec' };
let certificates: OwnCertificates;
let strangers: OwnCertificates;
let kafka: OwnKafka;

beforeAll(async () => {
  certificates = ownCertificates();
  strangers = ownCertificates();
  kafka = await ownKafka({ security: secured() });
}, 90_000);

afterAll(async () => {
  await kafka?.stop();
  certificates?.remove();
  strangers?.remove();
});

const secured = () => ({ keystore: certificates.both, truststore: certificates.ca, ...user });

const open = (kafkaSecurity: KafkaSecurityChoice, { brokers } = kafka) => openEventLog({ kafkaBrokers: brokers, kafkaSecurity });

const isRefused = async (opened: Promise<EventLog>) => {
  const log = await opened;
  try {
    await expect(log.createTopic({ topic: 'refused', partitions: 1, compacted: false })).rejects.toThrow(LogUnavailableError);
  } finally {
    await log.close();
  }
};

/** Makes a topic, appends, reads as a group and follows: each has connections of its own. */
const isAtWork = async (opened: Promise<EventLog>) => {
  const log = await opened;
  try {
    const topic = await freshTopic(log, { partitions: 2 });
    await log.append(topic, [
      { partition: 0, value: 'a' },
      { partition: 1, value: 'b' },
    ]);
    const read = new Recorder();
    const followed: (string | null)[] = [];
    const consumer = log.consume(read.options(topic, `${topic}-group`));
    const following = log.follow({ topic, onBatch: async ({ messages }) => void followed.push(...messages.map(textOf)) });
    await eventually('both have read', () => read.texts.length === 2 && followed.length === 2);
    expect([[...read.texts].sort(), followed.sort()]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    await consumer.close();
    await following.close();
  } finally {
    await log.close();
  }
};

it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
  'with its authority and a password by %s, what is appended is read, by a group and by a follower',
  (mechanism) => isAtWork(open({ tls: { caFile: certificates.ca }, sasl: { mechanism, ...user } })),
  60_000,
);

describe('is not there for whoever', () => {
  const wrong: readonly (readonly [string, () => KafkaSecurityChoice])[] = [
    ['speaks without encryption', () => ({})],
    ['believes another authority', () => ({ tls: { caFile: strangers.ca }, sasl: { mechanism: 'plain', ...user } })],
    ['believes only what the system trusts', () => ({ tls: {}, sasl: { mechanism: 'plain', ...user } })],
    ['has no password', () => ({ tls: { caFile: certificates.ca } })],
    [
      'has a wrong one by scram-sha-256',
      () => ({ tls: { caFile: certificates.ca }, sasl: { mechanism: 'scram-sha-256', username: 'rampart', password: 'wrong' } }),
    ],
    [
      'has a wrong one by scram-sha-512',
      () => ({ tls: { caFile: certificates.ca }, sasl: { mechanism: 'scram-sha-512', username: 'rampart', password: 'wrong' } }),
    ],
  ];
  it.each(wrong)('%s', (_, security) => isRefused(open(security())), 60_000);

  it('names a file that is not there', async () => {
    await expect(open({ tls: { caFile: '/nowhere/ca.pem' } })).rejects.toThrow('/nowhere/ca.pem, which secures the connections to Kafka');
  });
});

describe('where brokers want a certificate of their clients', () => {
  let demanding: OwnKafka;

  beforeAll(async () => {
    demanding = await ownKafka({ security: { ...secured(), wantsCertificate: true } });
  }, 90_000);

  afterAll(() => demanding?.stop());

  const showing = (certificate: { readonly certFile?: string; readonly keyFile?: string }) =>
    open({ tls: { caFile: certificates.ca, ...certificate }, sasl: { mechanism: 'scram-sha-512', ...user } }, demanding);

  it('the log works with one that their authority signed', async () => {
    await isAtWork(showing({ certFile: certificates.cert, keyFile: certificates.key }));
  }, 60_000);

  it('it is not there for whoever shows none', async () => {
    await isRefused(showing({}));
  }, 60_000);

  it('it is not there for whoever shows one of another authority', async () => {
    await isRefused(showing({ certFile: strangers.cert, keyFile: strangers.key }));
  }, 60_000);
});
