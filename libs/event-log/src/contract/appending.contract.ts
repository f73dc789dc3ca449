/** What every log promises to those who append. */
import { describe, expect, it } from '@jest/globals';
import { LogError, LogUnavailableError } from '../log-errors.js';
import { partsOfPosition, positionOf } from '../positions.js';
import { isTick, offsetsIn, startTicks } from '../ticks.js';
import { appendTexts, eventually, freshName, freshTopic, type LogHarness, Recorder, textOf } from './harness.js';

export const topicContract = (harness: () => LogHarness): void =>
  describe('a topic', () => {
    it('is created once, whoever asks and however often', async () => {
      const [one, other] = [harness().open(), harness().open()];
      const spec = { topic: freshName(), partitions: 3, compacted: false };
      const states = await Promise.all([one, other, one, other].map((log) => log.createTopic(spec)));
      expect(new Set(states.map((state) => JSON.stringify(state)))).toEqual(new Set([JSON.stringify({ ...states[0] })]));
      expect(states[0]).toMatchObject({ ...spec, generation: 0 });
      await Promise.all([one.close(), other.close()]);
    });

    it('is created and described while others ask for some that are not there', async () => {
      const log = harness().open();
      const fresh = Array.from({ length: 4 }, () => freshName());
      const asked = fresh.map((topic) => log.describeTopic(`${topic}-absent`).catch(({ code }: { code?: string }) => code));
      const created = await Promise.all(fresh.map((topic) => log.createTopic({ topic, partitions: 1, compacted: false })));
      expect(created.map(({ topic }) => topic)).toEqual(fresh);
      expect(await Promise.all(asked)).toEqual(fresh.map(() => 'unknown-topic'));
      await log.close();
    });

    it('is refused with another partition count or kind', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { partitions: 4 });
      await expect(log.createTopic({ topic, partitions: 6, compacted: false })).rejects.toThrow(/4 partitions, but 6/);
      await expect(log.createTopic({ topic, partitions: 4, compacted: true })).rejects.toMatchObject({
        code: 'topic-differs',
        retriable: false,
      });
      await log.close();
    });

    it('must exist before it is used', async () => {
      const log = harness().open();
      await expect(appendTexts(log, 'nobody-made-it.v1', ['a'])).rejects.toMatchObject({ code: 'unknown-topic' });
      await expect(log.offsets('nobody-made-it.v1')).rejects.toBeInstanceOf(LogError);
      await log.close();
    });

    it('continues in a new generation: greater positions, later known times, more partitions', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { partitions: 2 });
      const [before] = await appendTexts(log, topic, ['old'], 1);
      await harness().setClock(1);
      expect(await log.startGeneration(topic, { partitions: 3 })).toMatchObject({ generation: 1, partitions: 3 });
      const after = await log.append(
        topic,
        [0, 1, 2].map((partition) => ({ partition, value: 'new' })),
      );
      await harness().setClock(undefined);
      const [old] = await log.read({ topic, partition: 1, offset: before?.offset ?? -1, limit: 1 });
      expect(partsOfPosition(old?.position ?? -1n)).toEqual({ generation: 0, offset: 0, row: 0 });
      for (const { partition, offset } of after) {
        const [fresh] = await log.read({ topic, partition, offset, limit: 1 });
        expect(fresh?.position).toBe(positionOf(1, offset));
        expect(fresh?.knownAtUs).toBeGreaterThan(old?.knownAtUs ?? Number.NaN);
      }
      const tick = harness().marksGenerations === true ? 1 : 0;
      expect(after.map(({ offset }) => offset)).toEqual([tick, 1 + tick, tick]);
      await expect(log.startGeneration(topic, { partitions: 2 })).rejects.toMatchObject({ code: 'topic-differs' });
      await log.close();
    });
  });

export const appendContract = (harness: () => LogHarness): void =>
  describe('append', () => {
    it('keeps bytes, keys and headers as they are', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      const bytes = Uint8Array.from([0, 255, 1, 0, 128]);
      await log.append(topic, [
        { partition: 0, key: 'schlüssel', value: bytes, headers: { a: 'ä"\\', tick: '1' } },
        { partition: 0, value: 'Grüße 🌋' },
        { partition: 0, value: null },
        { partition: 0, key: null, value: '' },
      ]);
      const [first, second, third, fourth] = await log.read({ topic, partition: 0, offset: 0, limit: 10 });
      expect(first).toMatchObject({ offset: 0, key: 'schlüssel', headers: { a: 'ä"\\', tick: '1' } });
      expect([...(first?.value ?? [])]).toEqual([...bytes]);
      expect([second, third, fourth].map((message) => message && textOf(message))).toEqual(['Grüße 🌋', null, '']);
      expect(second?.headers).toEqual({});
      await log.close();
    });

    it('gives dense offsets, in the order of the calls within each partition, also when the log was just opened', async () => {
      const [maker, log] = [harness().open(), harness().open()];
      const topic = await freshTopic(maker, { partitions: 2 });
      await maker.close();
      const calls = Array.from({ length: 200 }, (_, call) =>
        log.append(
          topic,
          [0, 1, 0].map((partition, m) => ({ partition, value: `${call}.${m}` })),
        ),
      );
      const appended = await Promise.all(calls);
      for (const partition of [0, 1]) {
        const stored = await log.read({ topic, partition, offset: 0, limit: 1_000 });
        expect(stored.map(({ offset }) => offset)).toEqual(stored.map((_, index) => index));
        const told = appended.flat().filter((one) => one.partition === partition);
        expect(told.map(({ offset }) => offset)).toEqual(stored.map(({ offset }) => offset));
        for (const { offset, knownAtUs } of told) if (knownAtUs !== undefined) expect(knownAtUs).toBe(stored[offset]?.knownAtUs);
        const calls = stored.map((message) => Number((textOf(message) ?? '').split('.')[0]));
        expect(calls).toEqual([...calls].sort((a, b) => a - b));
      }
      await log.close();
    });

    it('refuses alone the call that can never be taken', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      const compacted = await freshTopic(log, { compacted: true });
      const [good, badPartition, noKey] = await Promise.allSettled([
        appendTexts(log, topic, ['good']),
        appendTexts(log, topic, ['bad'], 7),
        log.append(compacted, [{ partition: 0, value: 'no key' }]),
      ]);
      expect(good.status).toBe('fulfilled');
      expect(badPartition).toMatchObject({ reason: { code: 'unknown-partition', retriable: false } });
      expect(noKey).toMatchObject({ reason: { code: 'message-refused', retriable: false } });
      expect((await log.offsets(topic))[0]?.end).toBe(1);
      await log.close();
    });

    it('refuses at once, retriably, what does not fit into its queue', async () => {
      const log = harness().open({ maxQueuedBytes: 100_000 });
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['first']);
      const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => appendTexts(log, topic, ['x'.repeat(10_000)])));
      const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      expect(refused.length).toBeGreaterThan(30);
      for (const reason of refused) {
        expect(reason).toBeInstanceOf(LogUnavailableError);
        expect(reason).toMatchObject({ retriable: true, retryAfterMs: expect.any(Number) });
      }
      expect(log.stats().append).toMatchObject({ overflowed: refused.length, queuedBytes: 0 });
      expect((await log.offsets(topic))[0]?.end).toBe(1 + 50 - refused.length);
      await appendTexts(log, topic, ['fits again']);
      await log.close();
    });

    it('settles what is in hand when it is closed, and loses nothing that it acknowledged', async () => {
      const [log, reader] = [harness().open(), harness().open()];
      const topic = await freshTopic(log);
      await appendTexts(log, topic, ['first']);
      const busy = Array.from({ length: 100 }, (_, index) => appendTexts(log, topic, [`${index}`]));
      const closed = log.close();
      const outcomes = await Promise.allSettled(busy);
      await closed;
      await expect(appendTexts(log, topic, ['too late'])).rejects.toMatchObject({ code: 'log-closed' });
      const acknowledged = outcomes.filter(({ status }) => status === 'fulfilled').length;
      expect((await reader.offsets(topic))[0]?.end).toBe(1 + acknowledged);
      await reader.close();
    });
  });

export const knownTimeContract = (harness: () => LogHarness): void =>
  describe('known time', () => {
    it('is the append time, and one microsecond more than its predecessor while the clock stands or steps back', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { partitions: 2 });
      const start = 1_800_000_000_000_000;
      const told: (number | undefined)[] = [];
      for (const clock of [start, start, start - 5_000_000, start + 10_000]) {
        await harness().setClock(clock);
        told.push(...(await appendTexts(log, topic, ['a', 'b'])).map(({ knownAtUs }) => knownAtUs));
      }
      await appendTexts(log, topic, ['c'], 1);
      await harness().setClock(undefined);
      const stored = await log.read({ topic, partition: 0, offset: 0, limit: 10 });
      const known = stored.map(({ knownAtUs }) => knownAtUs);
      expect(known.map((at) => at - start)).toEqual([0, 1, 2, 3, 4, 5, 10_000, 10_001]);
      for (const [index, at] of told.entries()) if (at !== undefined) expect(at).toBe(known[index]);
      expect(stored[4]?.appendedAtUs).toBe(start - 5_000_000);
      const [elsewhere] = await log.read({ topic, partition: 1, offset: 0, limit: 1 });
      expect(elsewhere?.knownAtUs).toBe(start + 10_000);
    });

    it('is the same for whoever reads: from the start, from the middle, in a group, as a follower, page by page', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      const start = 1_800_000_000_000_000;
      for (const [round, clock] of [
        start,
        start - 9_000_000,
        start - 9_000_000,
        start + 1_000,
        start + 1_000,
        start - 60_000_000,
      ].entries()) {
        await harness().setClock(clock);
        await appendTexts(log, topic, [`${round}a`, `${round}b`, `${round}c`]);
      }
      await harness().setClock(undefined);
      const all = (await log.read({ topic, partition: 0, offset: 0, limit: 100 })).map(({ knownAtUs }) => knownAtUs);
      expect(all).toHaveLength(18);
      expect(all.every((at, index) => index === 0 || at > (all[index - 1] ?? Number.NaN))).toBe(true);
      const other = harness().open();
      for (const offset of [17, 4, 9]) {
        const rest = await other.read({ topic, partition: 0, offset, limit: 100 });
        expect(rest.map(({ knownAtUs }) => knownAtUs)).toEqual(all.slice(offset));
      }
      const [member, heir, follower] = [new Recorder(), new Recorder(), new Recorder()];
      other.follow({ topic, from: [7], onBatch: follower.options(topic, '-').onBatch });
      let closed: Promise<void> | undefined;
      const options = member.options(topic, 'g', () => {
        if (member.batches.length === 1) closed = first.close();
      });
      const first = log.consume({ ...options, maxMessages: 5 });
      await first.done;
      await closed;
      other.consume(heir.options(topic, 'g'));
      await Promise.all([eventually('the end', () => heir.messages.some(({ offset }) => offset === 17)), follower.until(11)]);
      // At least once: what is repeated has the same known time again.
      for (const { offset, knownAtUs } of [...member.messages, ...heir.messages]) expect(knownAtUs).toBe(all[offset]);
      expect(new Set([...member.messages, ...heir.messages].map(({ offset }) => offset)).size).toBe(18);
      expect(follower.messages.map(({ knownAtUs }) => knownAtUs)).toEqual(all.slice(7));
      await other.close();
    });

    it('stays what it was when the messages before are dropped', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      const start = 1_800_000_000_000_000;
      for (const clock of [start, start - 9_000_000, start - 8_000_000]) {
        await harness().setClock(clock);
        await appendTexts(log, topic, ['a', 'b']);
      }
      const before = await log.read({ topic, partition: 0, offset: 3, limit: 10 });
      expect(await log.dropBefore({ topic, partition: 0, offset: 3 })).toBe(3);
      const other = harness().open();
      expect(await other.offsets(topic)).toEqual([{ partition: 0, earliest: 3, end: 6 }]);
      expect(await other.read({ topic, partition: 0, offset: 3, limit: 10 })).toEqual(before);
      await harness().setClock(undefined);
      await other.close();
      await log.close();
    });

    it('rises over concurrent writers', async () => {
      const logs = [harness().open(), harness().open()];
      const topic = await freshTopic(logs[0] ?? harness().open());
      await Promise.all(logs.flatMap((log) => Array.from({ length: 50 }, () => appendTexts(log, topic, ['a', 'b']))));
      const times = (await logs[0]?.read({ topic, partition: 0, offset: 0, limit: 1_000 }))?.map(({ knownAtUs }) => knownAtUs) ?? [];
      expect(times).toHaveLength(200);
      expect(times.every((at, index) => index === 0 || at > (times[index - 1] ?? Number.NaN))).toBe(true);
      await Promise.all(logs.map((log) => log.close()));
    });
  });

export const tickContract = (harness: () => LogHarness): void =>
  describe('ticks', () => {
    it('reach every partition and are told from events', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { partitions: 3 });
      await appendTexts(log, topic, ['event'], 1);
      const ticks = startTicks(log, topic, 20);
      await eventually('two ticks', async () => (await log.offsets(topic)).every(({ end }) => end >= 2));
      await ticks.stop();
      const ends = await log.offsets(topic);
      const messages = await log.read({ topic, partition: 1, offset: 0, limit: 10 });
      expect(messages.slice(0, 2).map(isTick)).toEqual([false, true]);
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(await log.offsets(topic)).toEqual(ends);
      expect(ticks.trouble()).toBeUndefined();
      await log.close();
    });

    it('that are older than an hour become one where nothing lies between them, and nobody misses an offset', async () => {
      const log = harness().open();
      const topic = await freshTopic(log);
      const now = 1_800_000_000_000_000;
      const tick = { partition: 0, value: null, headers: { tick: '1' } };
      const ticks = (count: number) => log.append(topic, new Array(count).fill(tick));
      await harness().setClock(now);
      await ticks(3);
      await appendTexts(log, topic, ['a']);
      await ticks(5);
      await appendTexts(log, topic, ['b']);
      await ticks(1);
      const before = await log.read({ topic, partition: 0, offset: 0, limit: 100 });
      expect(await log.compact(topic)).toBe(0);
      await harness().setClock(now + 3_601_000_000);
      if (harness().compactsInItsTime === true) {
        expect(await log.compact(topic)).toBe(0);
        await harness().setClock(undefined);
        return log.close();
      }
      expect(await log.compact(topic)).toBe(5);
      const after = await log.read({ topic, partition: 0, offset: 0, limit: 100 });
      expect(after.map((message) => [message.offset, offsetsIn(message)])).toEqual([
        [0, 1],
        [2, 2],
        [3, 1],
        [8, 5],
        [9, 1],
        [10, 1],
      ]);
      const known = new Map(before.map(({ offset, knownAtUs, position }) => [offset, { knownAtUs, position }]));
      for (const { offset, knownAtUs, position } of after) expect({ knownAtUs, position }).toEqual(known.get(offset));
      await ticks(2);
      await harness().setClock(now + 7_300_000_000);
      expect(await log.compact(topic)).toBe(2);
      expect(await log.compact(topic)).toBe(0);
      await harness().setClock(undefined);
      const later = new Recorder();
      // Who stood among them when they were folded.
      log.follow({ topic, from: [6], onBatch: later.options(topic, '-').onBatch });
      await later.until(3);
      expect(later.messages.map((message) => [message.offset, offsetsIn(message)])).toEqual([
        [8, 5],
        [9, 1],
        [12, 3],
      ]);
      const all = new Recorder();
      log.consume(all.options(topic, 'all'));
      await all.until(6);
      expect(all.messages.map(textOf).filter((text) => text !== null)).toEqual(['a', 'b']);
      await log.close();
    });

    it('take one place in a compacted topic, however many there were', async () => {
      const log = harness().open();
      const topic = await freshTopic(log, { compacted: true });
      const ticks = startTicks(log, topic, 10);
      await eventually('three ticks', async () => ((await log.offsets(topic))[0]?.end ?? 0) >= 3);
      await ticks.stop();
      const ticked = await log.read({ topic, partition: 0, offset: 0, limit: 10 });
      expect(new Set(ticked.map(({ key }) => key)).size).toBe(1);
      if (harness().compactsInItsTime !== true) expect(ticked).toHaveLength(1);
      await log.close();
    });
  });
