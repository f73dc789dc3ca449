import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DEAD_LETTERS, INGEST_STATS, topicSpecs } from '@rampart/contracts';
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

  it('say that their offset lies outside of the log, where a person must decide', async () => {
    await log.append(INGEST_STATS, [{ partition: 0, value: null }]);
    while (log.stats().consumers.find(({ topic }) => topic === INGEST_STATS)?.partitions[0]?.next !== 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    log.store.topics.get(INGEST_STATS)?.truncate(0, 0);
    await eventually(/has read to offset 1 of ingest-stats.v1\/0, but the log now ends at 0/);
  });
});
