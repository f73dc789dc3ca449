import { describe, expect, it } from '@jest/globals';
import { LogUnavailableError } from '../log-errors.js';
import { GroupCommit, type GroupCommitOptions } from './group-commit.js';

const options = (commit: GroupCommitOptions<string, string>['commit']): GroupCommitOptions<string, string> => ({
  commit,
  isBlameable: (error) => !(error instanceof LogUnavailableError),
  maxQueuedBytes: 100,
  maxGroupBytes: 30,
  maxGroupItems: 3,
});
const isBad = (item: string) => item.startsWith('bad');

describe('a group commit', () => {
  it('has one transaction in flight, and gathers what comes meanwhile up to its limits', async () => {
    const groups: (readonly string[])[] = [];
    let inFlight = 0;
    const queue = new GroupCommit<string, string>(
      options(async (items) => {
        inFlight += 1;
        expect(inFlight).toBe(1);
        groups.push(items);
        await new Promise((resolve) => setImmediate(resolve));
        inFlight -= 1;
        return items.map((item) => `${item}!`);
      }),
    );
    const results = await Promise.all(
      ['a', 'b', 'c', 'd'].map((item) => queue.submit(item, 5)).concat(['e', 'f'].map((item) => queue.submit(item, 20))),
    );
    expect(results).toEqual(['a!', 'b!', 'c!', 'd!', 'e!', 'f!']);
    expect(groups).toEqual([['a', 'b', 'c'], ['d', 'e'], ['f']]);
    expect(queue.queuedBytes).toBe(0);
  });

  it('refuses at once what is more than the queue holds, but takes anything when it is empty', async () => {
    const queue = new GroupCommit<string, string>(options(async (items) => items));
    const large = queue.submit('large', 1_000);
    await expect(queue.submit('one more', 1)).rejects.toMatchObject({ retriable: true, retryAfterMs: 1_000 });
    expect(await large).toBe('large');
    expect(await queue.submit('one more', 1)).toBe('one more');
  });

  it('refuses at once what would wait too long for a log that has become slow, and takes it when that is over', async () => {
    let ms = 200;
    const slow = async (items: readonly string[]) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return items;
    };
    const queue = new GroupCommit<string, string>({ ...options(slow), maxQueuedBytes: 10_000, mostWaitMs: 1_000 });
    await queue.submit('first', 30);
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, item) => queue.submit(`${item}`, 30)));
    expect(outcomes[0]).toMatchObject({ status: 'fulfilled' });
    expect(outcomes.at(-1)).toMatchObject({ status: 'rejected', reason: { retriable: true, retryAfterMs: 1_000 } });
    ms = 0;
    await queue.submit('d', 30);
    expect(await Promise.all(['e', 'f', 'g'].map((item) => queue.submit(item, 30)))).toEqual(['e', 'f', 'g']);
  });

  it('lets only the item fail that is to blame', async () => {
    const queue = new GroupCommit<string, string>(
      options(async (items) => {
        if (items.some(isBad)) throw new Error('no');
        return items;
      }),
    );
    const outcomes = await Promise.allSettled(['a', 'bad', 'c'].map((item) => queue.submit(item, 1)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('fails the whole group once when the log is away', async () => {
    let calls = 0;
    const queue = new GroupCommit<string, string>(
      options(async () => {
        calls += 1;
        throw new LogUnavailableError('away', 1);
      }),
    );
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((item) => queue.submit(item, 1)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect([calls, queue.queuedBytes]).toEqual([1, 0]);
  });

  it('settles what it has before it is closed, and takes nothing more', async () => {
    const queue = new GroupCommit<string, string>(options(async (items) => items));
    const submitted = ['a', 'b', 'c', 'd', 'e'].map((item) => queue.submit(item, 1));
    await queue.close();
    expect(await Promise.all(submitted)).toEqual(['a', 'b', 'c', 'd', 'e']);
    await expect(queue.submit('late', 1)).rejects.toMatchObject({ code: 'log-closed', retriable: false });
  });
});
