import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LogBatch, LogMessage, PoisonMessage } from '../event-log.js';
import { positionOf } from '../positions.js';
import { type Delivery, DeliveryAborted, defaultRetry, deliver, pauseMs } from './deliver.js';

const message = (offset: number): LogMessage => ({
  offset,
  position: positionOf(0, offset),
  knownAtUs: offset,
  appendedAtUs: offset,
  key: null,
  value: null,
  headers: {},
});
const batchOf = (count: number): LogBatch => ({
  topic: 't',
  partition: 0,
  generation: 0,
  messages: Array.from({ length: count }, (_, offset) => message(offset)),
});
const final = () => Object.assign(new Error('never'), { retriable: false });
const offsetsOf = (batch: LogBatch) => batch.messages.map(({ offset }) => offset);

/** A handler that refuses batches with a message that `isBad`. */
const attentive = (isBad: (offset: number) => boolean, changes: Partial<Delivery> = {}) => {
  const taken: number[] = [];
  const poison: number[] = [];
  const troubles: (string | undefined)[] = [];
  const delivery: Delivery = {
    retry: { firstMs: 0, maxMs: 0 },
    signal: new AbortController().signal,
    onBatch: async (batch) => {
      if (offsetsOf(batch).some(isBad)) throw final();
      taken.push(...offsetsOf(batch));
    },
    onPoison: async ({ message: { offset } }: PoisonMessage) => {
      poison.push(offset);
    },
    onTrouble: (trouble) => troubles.push(trouble?.error),
    ...changes,
  };
  return { delivery, taken, poison, troubles };
};

describe('delivering a batch', () => {
  it('takes every good message once and in order, and isolates every bad one, whichever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }), async (isBad) => {
        const { delivery, taken, poison } = attentive((offset) => isBad[offset] === true);
        const count = await deliver(batchOf(isBad.length), delivery);
        const all = isBad.map((_, offset) => offset);
        expect(taken).toEqual(all.filter((offset) => !isBad[offset]));
        expect(poison).toEqual(all.filter((offset) => isBad[offset]));
        expect(count).toBe(poison.length);
      }),
    );
  });

  it('asks a few times only for one bad message among a thousand', async () => {
    let calls = 0;
    const { delivery, taken } = attentive((offset) => offset === 617);
    const counting = {
      ...delivery,
      onBatch: (batch: LogBatch, isRepeat: boolean) => {
        calls += 1;
        return delivery.onBatch(batch, isRepeat);
      },
    };
    await deliver(batchOf(1_000), counting);
    expect(taken).toHaveLength(999);
    expect(calls).toBeLessThanOrEqual(21);
  });

  it('retries an error that does not call itself final, however often', async () => {
    let attempts = 0;
    const { delivery, poison, troubles } = attentive(() => false, {
      onBatch: async () => {
        attempts += 1;
        if (attempts < 5) throw new TypeError('fetch failed');
      },
    });
    await deliver(batchOf(3), delivery);
    expect([attempts, poison]).toEqual([5, []]);
    expect(troubles).toEqual([...Array(4).fill('fetch failed'), undefined]);
  });

  it('does not lose the poison while the dead letters are away', async () => {
    let attempts = 0;
    const { delivery, taken, poison } = attentive((offset) => offset === 1);
    const flaky = {
      ...delivery,
      onPoison: async (one: PoisonMessage) => {
        attempts += 1;
        if (attempts < 3) throw final();
        await delivery.onPoison?.(one);
      },
    };
    await deliver(batchOf(3), flaky);
    expect([taken, poison]).toEqual([[0, 2], [1]]);
  });

  it('retries even a final error when nobody takes poison', async () => {
    let attempts = 0;
    const { delivery } = attentive(() => false, {
      onBatch: async () => {
        attempts += 1;
        if (attempts < 3) throw final();
      },
    });
    const { onPoison: _, ...without } = delivery;
    expect(await deliver(batchOf(1), without)).toBe(0);
    expect(attempts).toBe(3);
  });

  it('says what was tried before: a later attempt, and every part of what was refused', async () => {
    const tries: string[] = [];
    let isAway = true;
    const { delivery, poison } = attentive(() => false, {
      onBatch: async (batch, isRepeat) => {
        tries.push(`${offsetsOf(batch).join()}${isRepeat ? ' again' : ''}`);
        if (isAway) {
          isAway = false;
          throw new Error('away');
        }
        if (offsetsOf(batch).includes(1)) throw final();
      },
    });
    await deliver(batchOf(2), delivery);
    expect([tries, poison]).toEqual([['0,1', '0,1 again', '0 again', '1 again'], [1]]);
    await deliver(batchOf(1), delivery);
    await deliver(batchOf(1), delivery, true);
    expect(tries.slice(4)).toEqual(['0', '0 again']);
  });

  it('gives up between two attempts when it is told to', async () => {
    const abort = new AbortController();
    const { delivery } = attentive(() => false, {
      retry: { firstMs: 60_000, maxMs: 60_000 },
      signal: abort.signal,
      onBatch: () => Promise.reject(new Error('no')),
      onTrouble: () => setImmediate(() => abort.abort()),
    });
    await expect(deliver(batchOf(1), delivery)).rejects.toBeInstanceOf(DeliveryAborted);
  });

  it('doubles its pauses up to the longest', () => {
    expect([1, 2, 3, 8, 100].map((attempts) => pauseMs({ firstMs: 100, maxMs: 10_000 }, attempts))).toEqual([
      100, 200, 400, 10_000, 10_000,
    ]);
  });

  it('notices the end of an outage within two seconds, however long it was', () => {
    const pauses = Array.from({ length: 200 }, (_, attempt) => pauseMs(defaultRetry, attempt + 1));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(2_000);
  });
});
