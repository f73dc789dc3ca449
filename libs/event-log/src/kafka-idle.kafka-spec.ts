/** What kafkajs costs while nothing happens: without the patch of patches/ an idle connection arms about 900 timers a second. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import { kafkaAddress } from '@rampart/test-engines';
import { freshTopic } from './contract/harness.js';
import { KafkaEventLog } from './kafka-event-log.js';

describe('an idle connection to Kafka', () => {
  it('arms no timers', async () => {
    const log = new KafkaEventLog({ brokers: kafkaAddress().split(',') });
    const topic = await freshTopic(log);
    await log.append(topic, [{ partition: 0, value: 'a' }]);
    await log.read({ topic, partition: 0, offset: 0, limit: 1 });
    await sleep(500);
    const timers = jest.spyOn(globalThis, 'setTimeout');
    try {
      await new Promise((resolve) => setImmediate(resolve));
      const before = timers.mock.calls.length;
      const until = performance.now() + 1_000;
      while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
      expect(timers.mock.calls.length - before).toBeLessThan(20);
    } finally {
      timers.mockRestore();
    }
    await log.close();
  });
});
