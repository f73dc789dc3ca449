import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEAD_LETTERS, DROPPED_BEFORE_HEADER, ERASURE_HEADER, ERASURES, INGEST_STATS, topicSpecs } from '@rampart/contracts';
import { positionOf } from '@rampart/event-log';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { ClickhouseFeedbackViews } from '@rampart/feedback-store';
import { createLog } from '@rampart/service-kit';
import { ViewConsumers } from './view.consumers.js';

let log: MemoryEventLog;
let views: ClickhouseFeedbackViews;
let consumers: ViewConsumers;

beforeEach(async () => {
  log = new MemoryEventLog();
  for (const spec of topicSpecs(1)) await log.createTopic(spec);
  // Nobody listens there.
  views = new ClickhouseFeedbackViews({ url: 'http://127.0.0.1:1' });
  consumers = new ViewConsumers(log, views, createLog('analysis', 'silent'));
  consumers.start('f1');
});
afterEach(async () => {
  await consumers.stop();
  await log.close();
  await views.close();
});

const eventually = async (expected: RegExp): Promise<void> => {
  const deadline = Date.now() + 5_000;
  while (!expected.test(consumers.trouble() ?? '') && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(consumers.trouble()).toMatch(expected);
};

describe('counters and dead letters on their way into the store', () => {
  it('say nothing while all is well', () => {
    expect(consumers.trouble()).toBeUndefined();
  });

  it('say that the store does not take them', async () => {
    await log.append(DEAD_LETTERS, [{ partition: 0, value: JSON.stringify({ project: 'shop', environment: 'live', code: 'missing' }) }]);
    await eventually(/ClickHouse does not answer/);
  });

  it('say of every erasure that a mark names that the letters before it are shown no longer, once they are not', async () => {
    const dropped: (readonly [number, bigint])[] = [];
    views.dropDeadLetters = async (partition, before) => void dropped.push([partition, before]);
    const told = async () => (await log.read({ topic: ERASURES, partition: 0, offset: 0, limit: 10 })).map(({ key }) => key);
    await log.append(DEAD_LETTERS, [{ partition: 0, value: null, headers: { [DROPPED_BEFORE_HEADER]: '3', [ERASURE_HEADER]: 'e1,e2' } }]);
    const deadline = Date.now() + 5_000;
    while ((await told()).length < 2 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await told()).toEqual(['e1/dead-letters/store', 'e2/dead-letters/store']);
    expect(dropped).toEqual([[0, positionOf(0, 3, 0)]]);
  });

  it('say that their offset lies outside of the log, where a person must decide', async () => {
    await log.append(INGEST_STATS, [{ partition: 0, value: null }]);
    while (log.stats().consumers.find(({ topic }) => topic === INGEST_STATS)?.partitions[0]?.next !== 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    log.store.topics.get(INGEST_STATS)?.truncate(0, 0);
    await eventually(/has read to offset 1 of ingest-stats.v1\/0, but the log now ends at 0/);
  });
});
