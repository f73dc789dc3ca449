/** What every log promises to those who keep a replica of a topic, and of compacted topics. */
import { describe, expect, it } from '@jest/globals';
import type { EventLog } from '../event-log.js';
import { appendTexts, eventually, freshTopic, type LogHarness, Recorder, textOf } from './harness.js';

const aDayUs = 24 * 3_600 * 1_000_000;
const put = (log: EventLog, topic: string, entries: readonly (readonly [string, string | null])[]) =>
  log.append(
    topic,
    entries.map(([key, value]) => ({ partition: 0, key, value })),
  );
const pairs = async (log: EventLog, topic: string) => {
  const found: [string | null, string | null][] = [];
  for await (const message of log.readAll(topic)) found.push([message.key, textOf(message)]);
  return found;
};

export const followContract = (harness: () => LogHarness): void =>
  describe('a follower', () => {
    it('has caught up when all that was there at its start is delivered, and goes on', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { partitions: 2 });
      await appendTexts(log, topic, ['a', 'b', 'c']);
      const recorder = new Recorder();
      const following = log.follow({ topic, maxMessages: 2, onBatch: recorder.options(topic, '-').onBatch });
      await following.caughtUp;
      expect(recorder.texts).toEqual(['a', 'b', 'c']);
      await appendTexts(log, topic, ['d'], 1);
      await recorder.until(4);
      expect(recorder.texts[3]).toBe('d');
      await log.close();
    });

    it('has caught up at once with an empty topic', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { partitions: 3 });
      await log.follow({ topic, onBatch: async () => undefined }).caughtUp;
      await log.close();
    });

    it('gets everything, beside other followers, and from where it wants', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b', 'c']);
      const [all, rest] = [new Recorder(), new Recorder()];
      const followers = [
        log.follow({ topic, onBatch: all.options(topic, '-').onBatch }),
        log.follow({ topic, from: [2], onBatch: rest.options(topic, '-').onBatch }),
      ];
      await Promise.all(followers.map(({ caughtUp }) => caughtUp));
      expect([all.texts, rest.texts]).toEqual([['a', 'b', 'c'], ['c']]);
      await log.close();
    });

    it('is given a batch again until it takes it, whatever the error says', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b']);
      const recorder = new Recorder();
      let attempts = 0;
      const options = recorder.options(topic, '-', () => {
        attempts += 1;
        if (attempts < 3) throw Object.assign(new Error('no'), { retriable: false });
      });
      await log.follow({ topic, retry: { firstMs: 5, maxMs: 5 }, onBatch: options.onBatch }).caughtUp;
      expect([attempts, recorder.texts]).toEqual([3, ['a', 'b']]);
      await log.close();
    });

    it('says so when it is closed before it has caught up', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a']);
      const following = log.follow({ topic, onBatch: () => Promise.reject(new Error('no')) });
      await eventually('an attempt', () => following.stats().partitions[0]?.failing !== undefined);
      await following.close();
      await expect(following.caughtUp).rejects.toMatchObject({ code: 'log-closed' });
      await following.done;
      await log.close();
    });

    it('stops with a sentence when it is to start beyond the end', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a']);
      const following = log.follow({ topic, from: [5], onBatch: async () => undefined });
      await expect(following.done).rejects.toMatchObject({ code: 'offset-beyond-end' });
      await expect(following.caughtUp).rejects.toMatchObject({ code: 'offset-beyond-end' });
      await log.close();
    });
  });

export const compactionContract = (harness: () => LogHarness): void =>
  describe('a compacted topic', () => {
    it('keeps the newest value of each key, at its own offset', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { compacted: true });
      await put(log, topic, [
        ['a', '1'],
        ['b', '1'],
        ['a', '2'],
      ]);
      await put(log, topic, [
        ['b', '2'],
        ['c', '1'],
      ]);
      const current = [
        [2, 'a', '2'],
        [3, 'b', '2'],
        [4, 'c', '1'],
      ];
      const found: unknown[] = [];
      for await (const { offset, key, value } of log.readAll(topic)) found.push([offset, key, textOf({ value })]);
      expect(found).toEqual(current);
      if (harness().compactsInItsTime !== true) {
        const messages = await log.read({ topic, partition: 0, offset: 0, limit: 10 });
        expect(messages.map(({ offset, key, value }) => [offset, key, textOf({ value })])).toEqual(current);
        expect(await log.offsets(topic)).toEqual([{ partition: 0, earliest: 2, end: 5 }]);
      }
      await log.close();
    });

    it('shows a removal for a day, and forgets it then', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { compacted: true });
      const now = 1_800_000_000_000_000;
      await harness().setClock(now);
      await put(log, topic, [
        ['a', '1'],
        ['b', '1'],
        ['b', null],
      ]);
      expect(await pairs(log, topic)).toEqual([['a', '1']]);
      if (harness().compactsInItsTime === true) {
        expect(await log.compact(topic)).toBe(0);
        await harness().setClock(undefined);
        return log.close();
      }
      await harness().setClock(now + aDayUs - 1_000_000);
      expect(await log.compact(topic)).toBe(0);
      expect(await log.read({ topic, partition: 0, offset: 0, limit: 10 })).toHaveLength(2);
      await harness().setClock(now + aDayUs + 1_000_000);
      expect(await log.compact(topic)).toBe(1);
      await harness().setClock(undefined);
      expect(await log.read({ topic, partition: 0, offset: 0, limit: 10 })).toHaveLength(1);
      const recorder = new Recorder();
      const following = log.follow({ topic, onBatch: recorder.options(topic, '-').onBatch });
      await following.caughtUp;
      expect(following.stats().partitions[0]).toMatchObject({ next: 3, lag: 0 });
      expect(recorder.texts).toEqual(['1']);
      await log.close();
    });

    it('lets consumers and followers pass its gaps', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { compacted: true });
      const recorder = new Recorder();
      const consumer = log.consume({ ...recorder.options(topic, 'g'), maxMessages: 1 });
      await put(log, topic, [
        ['a', '1'],
        ['a', '2'],
        ['b', '1'],
      ]);
      await recorder.until(2);
      await consumer.close();
      await put(log, topic, [
        ['c', '1'],
        ['b', '2'],
        ['c', '2'],
      ]);
      log.consume(recorder.options(topic, 'g'));
      await eventually('the last one', () => recorder.messages.some(({ offset }) => offset === 5));
      const newest = new Map(recorder.messages.map((message) => [message.key, textOf(message)]));
      expect([...newest].sort()).toEqual([
        ['a', '2'],
        ['b', '2'],
        ['c', '2'],
      ]);
      if (harness().compactsInItsTime !== true) expect(recorder.texts).toEqual(['2', '1', '2', '2']);
      expect(await pairs(log, topic)).toEqual([
        ['a', '2'],
        ['b', '2'],
        ['c', '2'],
      ]);
      await log.close();
    });

    it('is read as a whole over many reads, up to the end as of the call', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { compacted: true });
      await put(
        log,
        topic,
        Array.from({ length: 2_500 }, (_, index) => [`k${index}`, `${index}`] as const),
      );
      let count = 0;
      for await (const { offset } of log.readAll(topic)) {
        expect(offset).toBe(count);
        count += 1;
        if (count === 1) await put(log, topic, [['later', 'x']]);
      }
      expect(count).toBe(2_500);
      await log.close();
    });
  });
