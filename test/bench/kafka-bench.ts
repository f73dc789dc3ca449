/** The log's adapter for Kafka beside kafkajs as it comes, on one broker in one run; the embedded log beside both. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '@rampart/event-log';
import { KafkaEventLog } from '@rampart/event-log/kafka';
import { PostgresEventLog } from '@rampart/event-log/postgres';
import { ownKafka } from '@rampart/test-engines';
import { Kafka, logLevel } from 'kafkajs';
import { remove, scratchFolder, startPostgres } from './engines.js';
import { count, type Measurement, median, ratioOf } from './table.js';

const PARTITIONS = 4;
const LATENCY_SAMPLES = 300;

interface Shape {
  readonly name: string;
  readonly bytes: number;
  readonly messages: number;
  /** Of one append, in one partition. */
  readonly perAppend: number;
  /** Events in a message. */
  readonly events: number;
}

/** What ingestion appends, a hundred events a message, and what a service writes that sends one event a message. */
const shapes: readonly Shape[] = [
  { name: '30 KB (a hundred events)', bytes: 30_000, messages: 4_000, perAppend: 10, events: 100 },
  { name: '300 B', bytes: 300, messages: 200_000, perAppend: 200, events: 1 },
];

interface Rates {
  readonly produced: number;
  readonly consumed: number;
}

const contentOf = ({ bytes }: Shape): Buffer =>
  Buffer.from('{"value":"12500000","key":"purchase"},'.repeat(Math.ceil(bytes / 38)).slice(0, bytes));

const topicOf = (shape: Shape, who: string): string => `bench-${who}-${shape.bytes}.v1`;

const perSecond = async (messages: number, act: () => Promise<void>): Promise<number> => {
  const begun = performance.now();
  await act();
  return messages / ((performance.now() - begun) / 1000);
};

/** Each partition has one append in flight, as kafkajs's `send` must have to lose nothing. */
const inEachPartition = async ({ messages, perAppend }: Shape, append: (partition: number) => Promise<unknown>): Promise<void> => {
  const rounds = messages / PARTITIONS / perAppend;
  await Promise.all(
    Array.from({ length: PARTITIONS }, async (_, partition) => {
      for (let round = 0; round < rounds; round++) await append(partition);
    }),
  );
};

/** Resolves when so many messages have come. */
const counter = (goal: number) => {
  let seen = 0;
  let reach: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const add = (more: number) => {
    seen += more;
    if (seen >= goal) reach();
  };
  return { reached, add };
};

const onPoison = async () => undefined;

const ratesOfLog = async (log: EventLog, shape: Shape): Promise<Rates> => {
  const topic = topicOf(shape, 'log');
  await log.createTopic({ topic, partitions: PARTITIONS, compacted: false });
  const value = contentOf(shape);
  const append = (partition: number) =>
    log.append(
      topic,
      Array.from({ length: shape.perAppend }, () => ({ partition, value })),
    );
  const produced = await perSecond(shape.messages, () => inEachPartition(shape, append));
  const { reached, add } = counter(shape.messages);
  const onBatch = async ({ messages }: { readonly messages: readonly unknown[] }) => add(messages.length);
  const begun = performance.now();
  const consumer = log.consume({ topic, group: 'bench', onBatch, onPoison });
  await reached;
  const consumed = shape.messages / ((performance.now() - begun) / 1000);
  await consumer.close();
  return { produced, consumed };
};

const ratesOfKafkajs = async (kafka: Kafka, shape: Shape): Promise<Rates> => {
  const topic = topicOf(shape, 'bare');
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }] });
  await admin.disconnect();
  const value = contentOf(shape);
  const producer = kafka.producer();
  await producer.connect();
  const send = (partition: number) =>
    producer.send({ topic, acks: -1, messages: Array.from({ length: shape.perAppend }, () => ({ partition, value })) });
  const produced = await perSecond(shape.messages, () => inEachPartition(shape, send));
  await producer.disconnect();
  const { reached, add } = counter(shape.messages);
  const consumer = kafka.consumer({ groupId: `bare-${shape.bytes}`, maxWaitTimeInMs: 100 });
  const begun = performance.now();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({ eachBatch: async ({ batch }) => add(batch.messages.length) });
  await reached;
  const consumed = shape.messages / ((performance.now() - begun) / 1000);
  await consumer.disconnect();
  return { produced, consumed };
};

/** From the call of `append` to `onBatch`, one message at a time, sorted, in milliseconds. */
const latenciesOf = async (log: EventLog, shape: Shape): Promise<readonly number[]> => {
  const topic = topicOf(shape, 'latency');
  await log.createTopic({ topic, partitions: 1, compacted: false });
  const value = contentOf(shape);
  let arrived: () => void = () => undefined;
  const consumer = log.consume({ topic, group: 'bench', onBatch: async () => arrived(), onPoison });
  const found: number[] = [];
  for (let sample = -20; sample < LATENCY_SAMPLES; sample++) {
    const there = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const begun = performance.now();
    await Promise.all([log.append(topic, [{ partition: 0, value }]), there]);
    if (sample >= 0) found.push(performance.now() - begun);
    await sleep(5);
  }
  await consumer.close();
  return found.sort((a, b) => a - b);
};

const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
const inMs = (sorted: readonly number[]): string => `p50 ${median(sorted).toFixed(1)}, p99 ${p99(sorted).toFixed(1)} ms`;
const rateText = (rate: number, { events }: Shape): string =>
  events === 1 ? `${count(rate)} messages/s` : `${count(rate)} messages/s = ${count(rate * events)} events/s`;

const rowsOf = async (shape: Shape, logs: { readonly onKafka: EventLog; readonly embedded: EventLog; readonly kafka: Kafka }) => {
  const bare = await ratesOfKafkajs(logs.kafka, shape);
  const ours = await ratesOfLog(logs.onKafka, shape);
  const embedded = await ratesOfLog(logs.embedded, shape);
  const row = (what: string, kind: keyof Rates): Measurement => ({
    what: `log on Kafka, ${what}, messages of ${shape.name}`,
    figure: `${rateText(ours[kind], shape)}; embedded log ${count(embedded[kind])} messages/s`,
    target: 'stated',
    meets: true,
    yardstick: `bare kafkajs ${count(bare[kind])} messages/s`,
    ratio: ratioOf(ours[kind], bare[kind]),
  });
  return [row('append', 'produced'), row('consume', 'consumed')];
};

const latencyRow = async (onKafka: EventLog, embedded: EventLog): Promise<Measurement> => {
  const shape = { ...shapes[0], bytes: 30_000 } as Shape;
  const [ours, theirs] = [await latenciesOf(onKafka, shape), await latenciesOf(embedded, shape)];
  return {
    what: 'log on Kafka, from append to `onBatch`, one message of 30 KB at a time',
    figure: inMs(ours),
    target: 'stated',
    meets: true,
    yardstick: `embedded log ${inMs(theirs)}`,
    ratio: ratioOf(median(ours), median(theirs)),
  };
};

export const kafkaBench = async (say: (line: string) => void): Promise<readonly Measurement[]> => {
  const broker = await ownKafka();
  const folder = scratchFolder('kafka');
  const postgres = await startPostgres(join(folder, 'p'));
  const onKafka = new KafkaEventLog({ brokers: [broker.brokers] });
  const embedded = new PostgresEventLog({ url: postgres.url });
  const kafka = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING });
  try {
    const rows: Measurement[] = [];
    for (const shape of shapes) {
      say(`kafka: messages of ${shape.name}`);
      rows.push(...(await rowsOf(shape, { onKafka, embedded, kafka })));
    }
    say('kafka: latency');
    return [...rows, await latencyRow(onKafka, embedded)];
  } finally {
    await Promise.all([onKafka.close(), embedded.close()]);
    await Promise.all([postgres.stop(), broker.stop()]);
    remove(folder);
  }
};
