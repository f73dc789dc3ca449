import { describe, expect, it } from '@jest/globals';
import { FEEDBACK, topicSpecs } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log/memory';
import { MemoryFeedbackStore } from '@rampart/feedback-store';
import { emptied } from './emptied-store.js';

describe('a store that is to be filled anew', () => {
  it('is emptied only where the log has all of its rows', async () => {
    const log = new MemoryEventLog();
    for (const spec of topicSpecs(2)) await log.createTopic(spec);
    for (const value of ['[]', '[]']) await log.append(FEEDBACK, [{ partition: 1, value }]);
    const store = new MemoryFeedbackStore();
    const first = await store.identity();
    const { filling } = await emptied(store, log);
    expect(filling).not.toBe(first);
    await log.dropBefore({ topic: FEEDBACK, partition: 1, offset: 1 });
    await expect(emptied(store, log)).rejects.toMatchObject({ code: 'rebuild-loses-rows', details: { partition: 1, earliest: 1 } });
    expect(await store.identity()).toBe(filling);
    await log.close();
  });
});
