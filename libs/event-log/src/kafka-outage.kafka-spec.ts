/** The log on a Kafka whose brokers are killed: kill -9 under load, one of one and one of three. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type OwnKafka, ownKafka } from '@rampart/test-engines';
import { eventually, freshTopic, Recorder, textOf } from './contract/harness.js';
import type { EventLog } from './event-log.js';
import { KafkaCluster } from './kafka/kafka-cluster.js';
import { KafkaMembership } from './kafka/kafka-membership.js';
import { KafkaEventLog } from './kafka-event-log.js';
import { LogUnavailableError } from './log-errors.js';

const startMs = 90_000;
const timeoutMs = 120_000;
const partitions = [0, 1, 2, 3];
/** Each lane appends a hundred times a second at most: enough to be in flight at any moment, little enough to be checked in no time. */
const pauseMs = 10;

const opened = ({ brokers }: OwnKafka, options: { readonly patienceMs?: number } = {}) =>
  new KafkaEventLog({ brokers: brokers.split(','), roundMs: 100, sessionMs: 3_000, ...options });

/** Appends "0", "1", … to each partition, several calls in flight; what was refused is appended again later. */
const loadOn = (log: EventLog, topic: string) => {
  const giveUpAt = Date.now() + timeoutMs;
  const acknowledged = new Set<string>();
  let refused = 0;
  let isOver = false;
  const write = async (partition: number, lane: number) => {
    for (let n = 0; !isOver && Date.now() < giveUpAt; n += 1) {
      const value = `${lane}:${n}`;
      while (!acknowledged.has(`${partition}/${value}`) && Date.now() < giveUpAt) {
        try {
          await log.append(topic, [{ partition, value }]);
          acknowledged.add(`${partition}/${value}`);
          await sleep(pauseMs);
        } catch (error) {
          if (!(error instanceof LogUnavailableError)) throw error;
          refused += 1;
          await sleep(50);
        }
      }
    }
  };
  const lanes = Promise.all(partitions.flatMap((partition) => [0, 1, 2].map((lane) => write(partition, lane))));
  const end = async () => {
    isOver = true;
    await lanes;
  };
  return { acknowledged, refused: () => refused, end };
};

/** Everything acknowledged is there, and the first arrivals of each lane are in order. */
const checkStored = async (log: EventLog, topic: string, acknowledged: ReadonlySet<string>) => {
  const seen = new Set<string>();
  const next = new Map<string, number>();
  const outOfOrder: string[] = [];
  let lastKnown: readonly [partition: number, at: number] = [-1, 0];
  for await (const message of log.readAll(topic)) {
    const [lane = '', n = ''] = (textOf(message) ?? '').split(':');
    const name = `${message.partition}/${lane}:${n}`;
    if (message.partition === lastKnown[0]) expect(message.knownAtUs).toBeGreaterThan(lastKnown[1]);
    lastKnown = [message.partition, message.knownAtUs];
    if (seen.has(name)) continue;
    seen.add(name);
    const expected = next.get(`${message.partition}/${lane}`) ?? 0;
    if (Number(n) !== expected) outOfOrder.push(name);
    next.set(`${message.partition}/${lane}`, Number(n) + 1);
  }
  expect([...acknowledged].filter((name) => !seen.has(name))).toEqual([]);
  expect(outOfOrder).toEqual([]);
};

/** Another process's member, which is heard of no more once the group has shared with it. */
const joinedAndKilled = async ({ brokers }: OwnKafka, groupId: string, topic: string): Promise<void> => {
  const cluster = new KafkaCluster({ brokers: brokers.split(','), clientId: 'killed', patienceMs: 10_000 });
  const identity = { memberId: '', held: [] };
  const killed = new KafkaMembership({
    ...{ cluster, groupId, topic, sessionMs: 8_000, identity },
    onUnrest: () => undefined,
    onLost: () => undefined,
  });
  await killed.join();
  killed.drop();
  await cluster.close();
};

const delivered = (recorder: Recorder, acknowledged: ReadonlySet<string>) =>
  eventually(
    'everything delivered',
    () => {
      const told = new Set(recorder.messages.map((message) => `${message.partition}/${textOf(message)}`));
      return [...acknowledged].every((name) => told.has(name));
    },
    30_000,
  );

describe('the log on one broker that is killed', () => {
  let kafka: OwnKafka;
  beforeAll(async () => {
    kafka = await ownKafka();
  }, startMs);
  afterAll(async () => kafka?.stop(), startMs);

  it(
    'keeps what it acknowledged, in order, and consumers go on when it is back',
    async () => {
      const log = opened(kafka, { patienceMs: 2_000 });
      const topic = await freshTopic(log, { partitions: 4 });
      const recorder = new Recorder();
      const consumer = log.consume(recorder.options(topic, 'g'));
      const load = loadOn(log, topic);
      await eventually('some load', () => load.acknowledged.size > 200, 30_000);
      await kafka.kill(0);
      // Whoever waits is told within the patience, and then at once.
      await eventually('more refusals than lanes', () => load.refused() > 12, 30_000);
      const before = load.acknowledged.size;
      await kafka.restart(0);
      await eventually('acknowledged again', () => load.acknowledged.size > before + 200, 60_000);
      await load.end();
      await checkStored(log, topic, load.acknowledged);
      await delivered(recorder, load.acknowledged);
      await eventually('a running consumer', () => consumer.stats().state === 'running');
      await log.close();
    },
    timeoutMs,
  );

  it(
    'is no trouble any more when it answers, though the group still waits for a member that was killed just before',
    async () => {
      const log = new KafkaEventLog({ brokers: kafka.brokers.split(','), roundMs: 100, sessionMs: 8_000 });
      const topic = await freshTopic(log);
      const consumer = log.consume(new Recorder().options(topic, 'g'));
      await eventually('a running consumer', () => consumer.stats().state === 'running', 30_000);
      await joinedAndKilled(kafka, `g.${topic}`, topic);
      await eventually('both have shared', () => consumer.stats().state === 'running', 30_000);
      await kafka.kill(0);
      await eventually('its trouble', () => consumer.stats().error !== undefined, 30_000);
      await kafka.restart(0);
      await eventually('no trouble', () => consumer.stats().error === undefined, 30_000);
      expect(consumer.stats().state).toBe('connecting');
      await eventually('a running consumer again', () => consumer.stats().state === 'running', 30_000);
      await log.close();
    },
    timeoutMs,
  );

  it(
    'closes within its patience while the broker is away, and says of each append what became of it',
    async () => {
      const log = opened(kafka, { patienceMs: 1_500 });
      const topic = await freshTopic(log);
      await log.append(topic, [{ partition: 0, value: 'a' }]);
      log.consume(new Recorder().options(topic, 'g'));
      await kafka.kill(0);
      const late = log.append(topic, [{ partition: 0, value: 'b' }]);
      const began = performance.now();
      await Promise.all([expect(late).rejects.toMatchObject({ name: 'LogUnavailableError', retriable: true }), log.close()]);
      expect(performance.now() - began).toBeLessThan(10_000);
    },
    timeoutMs,
  );
});

describe('the log on three brokers of which one is killed', () => {
  let kafka: OwnKafka;
  beforeAll(async () => {
    kafka = await ownKafka({ brokers: 3 });
  }, startMs);
  afterAll(async () => kafka?.stop(), startMs);

  it(
    'goes on, keeps what it acknowledged in order, and hands nobody over who still lives',
    async () => {
      const log = opened(kafka);
      const topic = await freshTopic(log, { partitions: 4 });
      const recorder = new Recorder();
      log.consume(recorder.options(topic, 'g'));
      const load = loadOn(log, topic);
      await eventually('some load', () => load.acknowledged.size > 200, 30_000);
      await kafka.kill(1);
      const before = load.acknowledged.size;
      await eventually('acknowledged with two brokers', () => load.acknowledged.size > before + 300, 60_000);
      await load.end();
      await checkStored(log, topic, load.acknowledged);
      await delivered(recorder, load.acknowledged);
      await log.close();
    },
    timeoutMs,
  );
});
