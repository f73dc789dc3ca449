/** What every log promises to the consumers of a group. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { LogBatch } from '../event-log.js';
import { partsOfPosition } from '../positions.js';
import { appendTexts, eventually, FinalError, freshTopic, type LogHarness, Recorder, textOf } from './harness.js';

const holds = (batch: LogBatch, text: string): boolean => batch.messages.some((message) => textOf(message) === text);

export const deliveryContract = (harness: () => LogHarness): void =>
  describe('a consumer', () => {
    it('gets everything in order per key, what was there and what comes', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { partitions: 3 });
      const keyed = (from: number) =>
        Array.from({ length: 60 }, (_, index) => ({ partition: index % 3, key: `k${index % 6}`, value: `${from + index}` }));
      await log.append(topic, keyed(0));
      const recorder = new Recorder();
      log.consume({ ...recorder.options(topic, 'g'), maxMessages: 7 });
      await recorder.until(60);
      await log.append(topic, keyed(60));
      await recorder.until(120);
      for (let key = 0; key < 6; key += 1) {
        const values = recorder.messages.filter((message) => message.key === `k${key}`).map((message) => Number(textOf(message)));
        expect(values).toEqual(Array.from({ length: 20 }, (_, index) => key + index * 6));
      }
      expect(Math.max(...recorder.batches.map(({ messages }) => messages.length))).toBe(7);
      await log.close();
    });

    it('gets all that lies between, where ticks stand behind a batch that is full of bytes', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      const tick = { partition: 0, value: null, headers: { tick: '1' } };
      for (let round = 0; round < 4; round += 1) {
        await log.append(topic, [
          ...Array.from({ length: 10 }, (_, index) => ({ partition: 0, value: `${round}${index}`.padEnd(100, '.') })),
          tick,
        ]);
      }
      const recorder = new Recorder();
      log.consume({ ...recorder.options(topic, 'g'), maxBytes: 350 });
      await recorder.until(44);
      expect(recorder.messages.map(({ offset }) => offset)).toEqual(Array.from({ length: 44 }, (_, offset) => offset));
      expect(Math.max(...recorder.batches.map(({ messages }) => messages.length))).toBeLessThanOrEqual(5);
      await log.close();
    });

    it('says how many bytes it holds of a batch that is not taken yet', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(
        log,
        topic,
        Array.from({ length: 10 }, (_, index) => `${index}`.padEnd(100, '.')),
      );
      let isAway = true;
      const recorder = new Recorder();
      const options = recorder.options(topic, 'g', () => {
        if (isAway) throw new Error('away');
      });
      const consumer = log.consume({ ...options, maxBytes: 350 });
      const held = () => consumer.stats().partitions.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
      await eventually('a batch is held', () => held() >= 400);
      isAway = false;
      await recorder.until(10);
      await eventually('nothing is held', () => held() === 0);
      await log.close();
    });

    it('begins where it is told as long as its group has no offset, and goes on where the group is after that', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { partitions: 2 });
      await log.append(
        topic,
        Array.from({ length: 12 }, (_, index) => ({ partition: index % 2, value: `${index}` })),
      );
      const first = new Recorder();
      const consumer = log.consume({ ...first.options(topic, 'told'), from: [4, undefined] });
      await first.until(8);
      await consumer.close();
      expect(first.messages.map((message) => Number(textOf(message))).sort((a, b) => a - b)).toEqual([1, 3, 5, 7, 8, 9, 10, 11]);
      await log.append(topic, [{ partition: 0, value: '12' }]);
      const later = new Recorder();
      log.consume({ ...later.options(topic, 'told'), from: [0, 0] });
      await later.until(1);
      expect(later.messages.map(textOf)).toEqual(['12']);
      const beyond = log.consume({ ...new Recorder().options(topic, 'beyond'), from: [99] });
      await expect(beyond.done).rejects.toMatchObject({ code: 'offset-beyond-end' });
      await log.close();
    });

    it('is given a batch again until it takes it, and shows meanwhile what fails', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b']);
      const recorder = new Recorder();
      let isBroken = true;
      const consumer = log.consume(
        recorder.options(topic, 'g', () => {
          if (isBroken) throw new Error('the store is away');
        }),
      );
      await eventually('two attempts', () => (consumer.stats().partitions[0]?.failing?.attempts ?? 0) >= 2);
      expect(consumer.stats().partitions[0]).toMatchObject({ next: 0, lag: 2, failing: { error: 'the store is away' } });
      isBroken = false;
      await recorder.until(2);
      await eventually('no failure any more', () => consumer.stats().partitions[0]?.failing === undefined);
      expect(recorder.poison).toEqual([]);
      await log.close();
    });

    it('hands only the poisonous message to the dead letters, and each good one to the handler', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b', 'bad', 'c', 'd', 'worse', 'e']);
      const recorder = new Recorder();
      const options = recorder.options(topic, 'g', (batch) => {
        if (holds(batch, 'bad') || holds(batch, 'worse')) throw new FinalError('not a number');
      });
      const consumer = log.consume(options);
      await recorder.until(5);
      await eventually('an end', () => consumer.stats().partitions[0]?.next === 7);
      expect(recorder.texts).toEqual(['a', 'b', 'c', 'd', 'e']);
      expect(recorder.poison.map(({ message }) => [message.offset, textOf(message)])).toEqual([
        [2, 'bad'],
        [5, 'worse'],
      ]);
      expect(recorder.poison[0]).toMatchObject({ topic, partition: 0, generation: 0, error: { message: 'not a number' } });
      expect(consumer.stats().partitions[0]).toMatchObject({ delivered: 7, poisoned: 2 });
      await log.close();
    });

    it('keeps other partitions going while one fails', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { partitions: 2 });
      await log.append(topic, [
        { partition: 0, value: 'stuck' },
        { partition: 1, value: 'free' },
      ]);
      const recorder = new Recorder();
      log.consume(
        recorder.options(topic, 'g', ({ partition }) => {
          if (partition === 0) throw new Error('no');
        }),
      );
      await recorder.until(1);
      await appendTexts(log, topic, ['free too'], 1);
      await recorder.until(2);
      expect(recorder.texts).toEqual(['free', 'free too']);
      await log.close();
    });

    it('never gets messages of two generations in one batch', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b']);
      await log.startGeneration(topic);
      await appendTexts(log, topic, ['c']);
      const recorder = new Recorder();
      log.consume(recorder.options(topic, 'g'));
      const mark = harness().marksGenerations === true ? 1 : 0;
      await recorder.until(3 + mark);
      const positions = recorder.messages.map(({ position }) => position);
      expect(positions).toEqual([...positions].sort((one, other) => (one < other ? -1 : 1)));
      expect(new Set(recorder.batches.map(({ generation }) => generation))).toEqual(new Set([0, 1]));
      for (const { generation, messages } of recorder.batches) {
        for (const { position } of messages) expect(partsOfPosition(position).generation).toBe(generation);
      }
      await log.close();
    });
  });

export const growthContract = (harness: () => LogHarness): void =>
  describe('a topic that grows', () => {
    it('gives its new partitions to consumers and followers that run already', async () => {
      const [log, other] = [harness().open(), harness().open()];
      const topic = await freshTopic(log);
      const [recorder, follower] = [new Recorder(), new Recorder()];
      const consumer = log.consume(recorder.options(topic, 'g'));
      log.follow({ topic, onBatch: follower.options(topic, '-').onBatch });
      await appendTexts(other, topic, ['a']);
      await recorder.until(1);
      await log.startGeneration(topic, { partitions: 2 });
      await appendTexts(other, topic, ['b'], 1);
      await eventually('both events for both', () => recorder.events.length === 2 && follower.events.length === 2);
      expect(recorder.events).toEqual(['a', 'b']);
      await eventually(
        'both commits',
        () =>
          consumer
            .stats()
            .partitions.map(({ next, lag }) => next > 0 && lag === 0)
            .join() === 'true,true',
      );
      await Promise.all([log.close(), other.close()]);
    });
  });

export const resumeContract = (harness: () => LogHarness): void =>
  describe('a group', () => {
    it('goes on where it closed, and lets the batch in hand end before', async () => {
      const [first, second] = [harness().open(), harness().open()];
      const topic = await freshTopic(first);
      await appendTexts(first, topic, ['a', 'b']);
      const [before, after] = [new Recorder(), new Recorder()];
      let isIn = false;
      const consumer = first.consume(
        before.options(topic, 'g', async () => {
          isIn = true;
          await sleep(50);
        }),
      );
      await eventually('a batch in hand', () => isIn);
      await consumer.close();
      await consumer.done;
      expect(before.texts).toEqual(['a', 'b']);
      await appendTexts(first, topic, ['c']);
      second.consume(after.options(topic, 'g'));
      await after.until(1);
      expect(after.texts).toEqual(['c']);
      await Promise.all([first.close(), second.close()]);
    });

    it('gets a batch again whose commit a broken connection prevented, and goes on by itself', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a']);
      const recorder = new Recorder();
      const consumer = log.consume(
        recorder.options(topic, 'g', async () => {
          if (recorder.batches.length === 0) await harness().cut();
        }),
      );
      const again = harness().commitsOverNewConnections === true ? ['a'] : ['a', 'a'];
      await recorder.until(again.length);
      expect(recorder.texts).toEqual(again);
      await appendTexts(log, topic, ['b']).catch(() => appendTexts(log, topic, ['b']));
      await recorder.until(again.length + 1);
      expect(recorder.texts).toEqual([...again, 'b']);
      await eventually('running again', () => consumer.stats().state === 'running');
      await log.close();
    });

    it('shares the partitions among its consumers, and hands over when one joins or leaves', async () => {
      const [one, other] = [harness().open(), harness().open()];
      const topic = await freshTopic(one, { partitions: 4 });
      const [first, second] = [new Recorder(), new Recorder()];
      const firstConsumer = one.consume(first.options(topic, 'g'));
      const owned = (consumer: typeof firstConsumer) => consumer.stats().partitions.map(({ partition }) => partition);
      await eventually('all partitions', () => owned(firstConsumer).length === 4);
      const secondConsumer = other.consume(second.options(topic, 'g'));
      await eventually('two each', () => owned(firstConsumer).length === 2 && owned(secondConsumer).length === 2);
      expect([...owned(firstConsumer), ...owned(secondConsumer)].sort()).toEqual([0, 1, 2, 3]);
      const all = [0, 1, 2, 3].map((partition) => ({ partition, value: `${partition}` }));
      await one.append(topic, all);
      await Promise.all([first.until(2), second.until(2)]);
      await firstConsumer.close();
      await eventually('all partitions handed over', () => owned(secondConsumer).length === 4);
      await one.append(topic, all);
      await second.until(6);
      expect([first.messages.length, second.messages.length]).toEqual([2, 6]);
      await Promise.all([one.close(), other.close()]);
    });

    it('has two consumers of one process, and other groups beside it', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { partitions: 2 });
      const recorders = [new Recorder(), new Recorder(), new Recorder()];
      const groups = ['g', 'g', 'another'];
      const consumers = recorders.map((recorder, index) => log.consume(recorder.options(topic, groups[index] ?? 'g')));
      await eventually('shares of 1, 1, 2', () => consumers.map((one) => one.stats().partitions.length).join() === '1,1,2');
      await log.append(
        topic,
        [0, 1].map((partition) => ({ partition, value: `${partition}` })),
      );
      await Promise.all([recorders[0]?.until(1), recorders[1]?.until(1), recorders[2]?.until(2)]);
      await sleep(30);
      expect(recorders.map(({ messages }) => messages.length)).toEqual([1, 1, 2]);
      await log.close();
    });

    it('stops with a sentence when its offset lies beyond the end, and resets nothing', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b', 'c']);
      const recorder = new Recorder();
      const consumer = log.consume(recorder.options(topic, 'g'));
      await recorder.until(3);
      await consumer.close();
      await harness().truncate(topic, 0, 1);
      const again = log.consume(recorder.options(topic, 'g'));
      await expect(again.done).rejects.toThrow(/"g" stands at offset 3 of .*\/0, but the log ends at 1/);
      expect(again.stats()).toMatchObject({ state: 'stopped', error: expect.stringContaining('ends at 1') });
      await appendTexts(log, topic, ['d', 'e', 'f']);
      const restored = log.consume(recorder.options(topic, 'g'));
      await recorder.until(4);
      expect(recorder.texts.at(-1)).toBe('f');
      await restored.close();
      await log.close();
    });

    it('stops with a sentence when the log loses its end while it runs', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b', 'c']);
      const recorder = new Recorder();
      const consumer = log.consume(recorder.options(topic, 'g'));
      await recorder.until(3);
      await harness().truncate(topic, 0, 1);
      await expect(consumer.done).rejects.toMatchObject({ code: 'offset-beyond-end' });
      await log.close();
    });

    it('stops with a sentence when messages are dropped before its eyes', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      for (let index = 0; index < 20; index += 1) await appendTexts(log, topic, [`${index}`]);
      const recorder = new Recorder();
      const options = recorder.options(topic, 'g', async () => {
        await log.dropBefore({ topic, partition: 0, offset: 19 });
      });
      // A log may have read ahead a little.
      const consumer = log.consume({ ...options, maxMessages: 1, maxBytes: 1 });
      await expect(consumer.done).rejects.toThrow(/go on at offset \d+, but goes on at 19/);
      expect(recorder.texts[0]).toBe('0');
      expect(recorder.texts.length).toBeLessThan(15);
      await log.close();
    });

    it('stops with a sentence when messages that it has not read were dropped', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['a', 'b', 'c', 'd']);
      const recorder = new Recorder();
      let closed: Promise<void> | undefined;
      const onBatch = async () => {
        closed = consumer.close();
      };
      const consumer = log.consume({ ...recorder.options(topic, 'g'), maxMessages: 1, onBatch });
      await consumer.done;
      await closed;
      expect(await log.dropBefore({ topic, partition: 0, offset: 3 })).toBe(3);
      const again = log.consume(recorder.options(topic, 'g'));
      await expect(again.done).rejects.toMatchObject({ code: 'offset-before-start' });
      const fresh = log.consume(recorder.options(topic, 'a-new-group'));
      await recorder.until(1);
      expect(recorder.texts).toEqual(['d']);
      await fresh.close();
      await log.close();
    });
  });
