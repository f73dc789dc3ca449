/** The log on a Kafka that wants TLS and a password. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type OwnCertificates, type OwnKafka, ownCertificates, ownKafka } from '@rampart/test-engines';
import { type KafkaSecurityChoice, openEventLog } from './configured-event-log.js';
import { eventually, freshTopic, Recorder, textOf } from './contract/harness.js';
import { LogUnavailableError } from './log-errors.js';

const user = { username: 'rampart', password: 'a-password-of-this-spec' };
let certificates: OwnCertificates;
let strangers: OwnCertificates;
let kafka: OwnKafka;

beforeAll(async () => {
  certificates = ownCertificates();
  strangers = ownCertificates();
  kafka = await ownKafka({ security: { keystore: certificates.both, truststore: certificates.ca, ...user } });
}, 90_000);

afterAll(async () => {
  await kafka?.stop();
  certificates?.remove();
  strangers?.remove();
});

const open = (kafkaSecurity: KafkaSecurityChoice) => openEventLog({ kafkaBrokers: kafka.brokers, kafkaSecurity });

describe.each(['plain', 'scram-sha-512'] as const)('with its authority and a password by %s', (mechanism) => {
  it('what is appended is read, by a group and by a follower', async () => {
    const log = await open({ tls: { caFile: certificates.ca }, sasl: { mechanism, ...user } });
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
  }, 60_000);
});

describe('is not there for whoever', () => {
  const wrong: readonly (readonly [string, () => KafkaSecurityChoice])[] = [
    ['speaks without encryption', () => ({})],
    ['believes another authority', () => ({ tls: { caFile: strangers.ca }, sasl: { mechanism: 'plain', ...user } })],
    ['believes only what the system trusts', () => ({ tls: {}, sasl: { mechanism: 'plain', ...user } })],
    ['has no password', () => ({ tls: { caFile: certificates.ca } })],
    [
      'has a wrong one',
      () => ({ tls: { caFile: certificates.ca }, sasl: { mechanism: 'scram-sha-512', username: 'rampart', password: 'wrong' } }),
    ],
  ];
  it.each(wrong)(
    '%s',
    async (_, security) => {
      const log = await open(security());
      try {
        await expect(log.createTopic({ topic: 'refused', partitions: 1, compacted: false })).rejects.toThrow(LogUnavailableError);
      } finally {
        await log.close();
      }
    },
    60_000,
  );

  it('names a file that is not there', async () => {
    await expect(open({ tls: { caFile: '/nowhere/ca.pem' } })).rejects.toThrow('/nowhere/ca.pem, which secures the connections to Kafka');
  });
});
