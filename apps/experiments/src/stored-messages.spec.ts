import { expect, it } from '@jest/globals';
import { AUDIT } from '@rampart/contracts';
import { MemoryEventLog, MemoryStore } from '@rampart/event-log/memory';
import { nowUs } from './clock.js';
import { dropStored } from './stored-messages.js';

const DAY = 86_400_000_000;

it('messages that were stored leave the log when they are old, and none that was not', async () => {
  const memory = new MemoryStore();
  const log = new MemoryEventLog({ store: memory });
  await log.createTopic({ topic: AUDIT, partitions: 1, compacted: false });
  const today = nowUs();
  for (let day = 60; day > 0; day--) {
    memory.nowUs = () => today - day * DAY + DAY / 2;
    await log.append(AUDIT, [{ partition: 0, value: `${day}` }]);
  }
  let most = 10;
  const reading = log.consume({
    topic: AUDIT,
    group: 'g',
    maxMessages: 10,
    onBatch: async ({ messages }) => {
      // It stands after the first ten until it is let go on.
      while ((messages[0]?.offset ?? 0) >= most) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    onPoison: async () => undefined,
  });
  const reaches = async (next: number) => {
    while ((reading.stats().partitions[0]?.next ?? 0) < next) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const begin = async () => (await log.offsets(AUDIT))[0]?.earliest;
  await reaches(10);
  await dropStored({ log, topic: AUDIT, reading, keepDays: 30 });
  expect(await begin()).toBe(10);
  most = 100;
  await reaches(60);
  await dropStored({ log, topic: AUDIT, reading, keepDays: 30 });
  expect(await begin()).toBe(30);
  await log.close();
});
