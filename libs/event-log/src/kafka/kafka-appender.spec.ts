import { describe, expect, it } from '@jest/globals';
import { LogUnavailableError } from '../log-errors.js';
import { KafkaAppender } from './kafka-appender.js';
import type { KafkaCluster, RawBroker } from './kafka-cluster.js';

const PATIENCE_MS = 300;

/** Values by partition, in the order in which they were sent; what `answer` does decides about each request. */
const brokerThat = (answer: (partition: number, attempt: number) => Promise<void>, patienceMs = PATIENCE_MS) => {
  const sent = new Map<number, string[][]>();
  const produce = async (request: object) => {
    const [{ partitions }] = (request as { topicData: [{ partitions: [{ partition: number; messages: { value: string }[] }] }] }).topicData;
    const [{ partition, messages }] = partitions;
    const requests = sent.get(partition) ?? [];
    sent.set(partition, requests);
    requests.push(messages.map(({ value }) => value));
    await answer(partition, requests.length);
    return { topics: [{ partitions: [{ baseOffset: '0' }] }] };
  };
  const broker = { produce } as unknown as RawBroker;
  const cluster = { leader: async () => broker, worked: () => undefined, refresh: async () => undefined } as unknown as KafkaCluster;
  const appender = new KafkaAppender({ cluster, maxQueuedBytes: 1e9, patienceMs, stampMs: undefined });
  return { appender, valuesOf: (partition: number) => (sent.get(partition) ?? []).flat() };
};

const over = (value: string, ...partitions: readonly number[]) => partitions.map((partition) => ({ partition, value }));
const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const unavailable = { name: LogUnavailableError.name, retriable: true, retryAfterMs: 1_000 };

describe('an append over several partitions', () => {
  it('is refused whole where one of them is slow: the others get nothing of it', async () => {
    const { appender, valuesOf } = brokerThat((partition) => (partition === 1 ? after(PATIENCE_MS * 0.8) : after(0)));
    const large = 'x'.repeat(3_000_000);
    // Whether these two are in time is the machine's affair.
    await Promise.allSettled([appender.append('t', over(large, 1))]);
    const waiting = Promise.allSettled([appender.append('t', over(large, 1))]);
    await expect(appender.append('t', over('both', 0, 1))).rejects.toMatchObject(unavailable);
    await appender.append('t', over('alone', 0));
    await waiting;
    expect([valuesOf(0), valuesOf(1)]).toEqual([['alone'], expect.not.arrayContaining(['both'])]);
    // What was given up while it was being sent is there until its answer comes.
    while (appender.stats().queuedBytes > 0) await after(10);
  });

  it('is not sent to one of them any more once another has refused it', async () => {
    const { appender, valuesOf } = brokerThat(async (partition) => {
      if (partition === 1) throw Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' });
      await after(PATIENCE_MS / 3);
    }, 60_000);
    const first = appender.append('t', over('first', 0));
    await after(0);
    await expect(appender.append('t', over('both', 0, 1))).rejects.toMatchObject({ code: 'message-refused' });
    await first;
    await appender.append('t', over('last', 0));
    expect([valuesOf(0), valuesOf(1)]).toEqual([['first', 'last'], ['both']]);
    expect(appender.stats().queuedBytes).toBe(0);
  });
});

describe('what nobody waits for any more', () => {
  it('is not tried again', async () => {
    const { appender, valuesOf } = brokerThat(async () => {
      await after(PATIENCE_MS / 3);
      throw new Error('Request Produce timed out');
    });
    await expect(appender.append('t', over('a', 0))).rejects.toMatchObject(unavailable);
    await after(PATIENCE_MS);
    const tried = valuesOf(0).length;
    expect(tried).toBeGreaterThan(0);
    await after(PATIENCE_MS * 3);
    expect(valuesOf(0)).toHaveLength(tried);
    expect(appender.stats().queuedBytes).toBe(0);
  });
});

describe('an append whose connection is closed under it by another request', () => {
  it('is sent again: nothing was wrong with it', async () => {
    const { appender, valuesOf } = brokerThat(async (_, attempt) => {
      // What kafkajs runs into, word for word.
      if (attempt === 1) throw new TypeError("Cannot read properties of null (reading 'brokers')");
    });
    await appender.append('t', over('a', 0));
    expect(valuesOf(0)).toEqual(['a', 'a']);
  });
});
