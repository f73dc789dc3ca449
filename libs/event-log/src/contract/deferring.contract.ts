/** What every log promises to a handler that is done with a batch later than it returns. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { ConsumeOptions, EventLog } from '../event-log.js';
import { appendTexts, eventually, FinalError, freshTopic, type LogHarness, Recorder, textOf } from './harness.js';

interface Given {
  readonly texts: string;
  readonly isRepeat: boolean;
  done(): void;
  fail(error: Error): void;
}

/** Defers every batch but repeats, of which it refuses those with a text. */
class Deferring {
  readonly given: Given[] = [];
  readonly poison: (string | null)[] = [];

  options(topic: string, refuses?: string): ConsumeOptions {
    return {
      topic,
      group: 'g',
      retry: { firstMs: 5, maxMs: 20 },
      // A batch each.
      maxMessages: 1,
      onBatch: async ({ messages }, { isRepeat, defer }) => {
        const texts = messages.map(textOf).join('');
        let [done, fail]: [() => void, (error: Error) => void] = [() => undefined, () => undefined];
        const later = new Promise<void>((resolve, reject) => {
          [done, fail] = [resolve, reject];
        });
        this.given.push({ texts, isRepeat, done, fail });
        if (!isRepeat) defer(later);
        else if (refuses !== undefined && texts.includes(refuses)) throw new FinalError('never');
      },
      onPoison: async ({ message }) => {
        this.poison.push(textOf(message));
      },
    };
  }

  get texts(): string {
    return this.given.map(({ texts }) => texts).join('');
  }

  one(text: string): Given {
    const found = this.given.find(({ texts }) => texts === text);
    if (found === undefined) throw new Error(`${text} was not given`);
    return found;
  }

  async until(texts: string): Promise<void> {
    await eventually(`${texts} (${this.texts} so far)`, () => this.texts === texts);
  }
}

const committed = (consumer: ReturnType<EventLog['consume']>) => consumer.stats().partitions[0]?.next;
/** Until whoever did not wait would have gone on. */
const aWhile = () => sleep(60);

export const deferringContract = (harness: () => LogHarness): void =>
  describe('a handler that is done later', () => {
    it('is given what follows meanwhile; what it is done with is committed in order, however it ends', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b', 'c', 'd']);
      const handler = new Deferring();
      const consumer = log.consume(handler.options(topic));
      await handler.until('abcd');
      expect(consumer.stats().partitions[0]).toMatchObject({ next: 0, delivered: 0 });
      await eventually('four bytes in hand', () => (consumer.stats().partitions[0]?.heldBytes ?? 0) >= 4);
      for (const text of ['b', 'c']) handler.one(text).done();
      await aWhile();
      expect(committed(consumer)).toBe(0);
      handler.one('a').done();
      await eventually('three committed', () => committed(consumer) === 3);
      handler.one('d').done();
      await eventually('all committed', () => committed(consumer) === 4);
      expect(consumer.stats().partitions[0]).toMatchObject({ delivered: 4, poisoned: 0, lag: 0 });
      await eventually('nothing in hand', () => consumer.stats().partitions[0]?.heldBytes === 0);
      await log.close();
    });

    it('gets what failed and all behind it once more, as repeats that it can not defer, and goes on as before', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b', 'c', 'd']);
      const handler = new Deferring();
      const consumer = log.consume(handler.options(topic, 'c'));
      await handler.until('abcd');
      handler.one('a').done();
      await eventually('the first is committed', () => committed(consumer) === 1);
      handler.one('b').fail(new Error('away'));
      await aWhile();
      // Whoever works on one of them still is waited for.
      expect(handler.texts).toBe('abcd');
      handler.one('d').done();
      handler.one('c').fail(new Error('away'));
      await handler.until('abcdbcd');
      expect(handler.given.map(({ isRepeat }) => isRepeat)).toEqual([false, false, false, false, true, true, true]);
      await eventually('all committed', () => committed(consumer) === 4);
      expect(handler.poison).toEqual(['c']);
      await appendTexts(log, topic, ['e']);
      await handler.until('abcdbcde');
      expect(handler.given.at(-1)?.isRepeat).toBe(false);
      handler.one('e').done();
      await eventually('the last is committed', () => committed(consumer) === 5);
      expect(consumer.stats().partitions[0]).toMatchObject({ delivered: 5, poisoned: 1 });
      await log.close();
    });

    it('is waited for when its consumer closes, and another one goes on behind what it was done with', async () => {
      const [log, other] = [harness().open(), harness().open()];
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b', 'c']);
      const handler = new Deferring();
      const consumer = log.consume(handler.options(topic));
      await handler.until('abc');
      let isClosed = false;
      const closed = consumer.close().then(() => {
        isClosed = true;
      });
      handler.one('a').done();
      handler.one('b').done();
      await aWhile();
      expect(isClosed).toBe(false);
      handler.one('c').fail(new Error('away'));
      await closed;
      const after = new Recorder();
      other.consume(after.options(topic, 'g'));
      await after.until(1);
      expect(after.texts).toEqual(['c']);
      await Promise.all([log.close(), other.close()]);
    });

    it('loses nothing where the connection breaks before it is done', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b']);
      const handler = new Deferring();
      const consumer = log.consume(handler.options(topic));
      await handler.until('ab');
      await harness().cut();
      const [first, second] = handler.given;
      first?.done();
      second?.done();
      await appendTexts(log, topic, ['c']).catch(() => appendTexts(log, topic, ['c']));
      await eventually('the new one is given', () => handler.texts.endsWith('c'));
      for (const { done } of handler.given) done();
      await eventually('all are committed', () => {
        for (const { done } of handler.given) done();
        return committed(consumer) === 3;
      });
      await log.close();
    });
  });
