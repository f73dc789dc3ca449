import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Following, LogMessage } from '../event-log.js';
import { MemoryEventLog } from '../memory-event-log.js';
import { FollowedTopic } from './followed-topic.js';

const TOPIC = 'choices.v1';

let log: MemoryEventLog;
let taken: string[];

const followedIn = (from: Pick<MemoryEventLog, 'follow' | 'offsets'>) =>
  new FollowedTopic(from, { topic: TOPIC, what: 'choices', take: ({ value }: LogMessage) => void taken.push(String(value)) });
const tell = (value: string, partition = 0) => log.append(TOPIC, [{ partition, value }]);

beforeEach(async () => {
  taken = [];
  log = new MemoryEventLog();
  await log.createTopic({ topic: TOPIC, partitions: 2, compacted: false });
});

afterEach(async () => {
  await log.close();
});

describe('a followed topic', () => {
  it('is in trouble until everything that was there has been taken, and says so', async () => {
    await tell('49');
    const followed = followedIn(log);
    expect(followed.trouble()).toBe('choices are still being read');
    await expect(followed.caughtUp).rejects.toThrow('choices are not read yet');
    followed.start();
    expect(await followed.settled(2_000)).toBeUndefined();
    expect(taken).toEqual(['49']);
    await followed.close();
  });

  it('does not wait longer than asked, and says what it waited for', async () => {
    expect(await followedIn(log).settled(30)).toBe('choices are still being read');
  });

  it('is read to the end of every partition as of the call', async () => {
    const followed = followedIn(log);
    followed.start();
    await followed.settled(2_000);
    await tell('49');
    await tell('50', 1);
    await followed.readToTheEnd(2_000);
    expect(taken.sort()).toEqual(['49', '50']);
    await followed.close();
  });

  it('is started once, and after it was closed from the beginning', async () => {
    await tell('49');
    const followed = followedIn(log);
    followed.start();
    followed.start();
    await followed.settled(2_000);
    expect(taken).toEqual(['49']);
    await followed.close();
    expect(followed.trouble()).toBe('choices are still being read');
    followed.start();
    await followed.settled(2_000);
    expect(taken).toEqual(['49', '49']);
    await followed.close();
  });

  it('that stopped says why, and nobody waits for it', async () => {
    const stopped = Promise.reject(new Error('offset 9 is beyond the end 3'));
    stopped.catch(() => undefined);
    const ended: Following = { done: stopped, caughtUp: stopped, stats: () => ({ ...ofNobody }), close: async () => undefined };
    const followed = followedIn({ follow: () => ended, offsets: async () => [] });
    followed.start();
    const beforeMs = performance.now();
    expect(await followed.settled(60_000)).toBe('choices are no longer read: offset 9 is beyond the end 3');
    expect(performance.now() - beforeMs).toBeLessThan(5_000);
    await followed.close();
  });
});

const ofNobody = { topic: TOPIC, group: undefined, state: 'stopped', error: undefined, partitions: [] } as const;
