import { describe, expect, it } from '@jest/globals';
import { positionOf } from '../positions.js';
import { DeferredBatches } from './deferred-batches.js';

const at = (offset: number, done: Promise<void> = Promise.resolve()) => ({
  done,
  last: { offset, position: positionOf(0, offset), knownAtUs: offset, appendedAtUs: offset },
  ...{ messages: 1, bytes: 10 },
});

describe('batches that are done later', () => {
  it('are committed one after the other, though one is added in the very turn in which a commit ends', async () => {
    for (let hops = 0; hops < 12; hops++) {
      const committed: number[] = [];
      let end: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        end = resolve;
      });
      const batches = new DeferredBatches({
        commit: async ({ offset }) => {
          committed.push(offset);
          await held;
        },
        onFailure: () => undefined,
      });
      batches.add(at(1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      end();
      for (let hop = 0; hop < hops; hop++) await Promise.resolve();
      batches.add(at(2));
      expect(await batches.settled()).toBe(true);
      expect([committed, batches.bytes]).toEqual([[1, 2], 0]);
    }
  });

  it('are committed together where they are done together, up to the first that is not', async () => {
    const committed: string[] = [];
    const batches = new DeferredBatches({
      commit: async ({ offset }, messages) => void committed.push(`${messages} to ${offset}`),
      onFailure: () => undefined,
    });
    let finish: () => void = () => undefined;
    const open = new Promise<void>((resolve) => {
      finish = resolve;
    });
    for (const offset of [1, 2, 3]) batches.add(at(offset));
    batches.add(at(4, open));
    batches.add(at(5));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([committed, batches.bytes]).toEqual([['3 to 3'], 20]);
    finish();
    expect(await batches.settled()).toBe(true);
    expect(committed).toEqual(['3 to 3', '2 to 5']);
  });

  it('are given up from the first that fails, once, and a commit that fails is thrown', async () => {
    let failures = 0;
    const onFailure = () => {
      failures += 1;
    };
    const failing = new DeferredBatches({ commit: async () => undefined, onFailure });
    const failed = Promise.reject(new Error('away'));
    failing.add(at(1, failed));
    failing.add(at(2, failed));
    expect([await failing.settled(), failing.hasFailed, failures]).toEqual([false, true, 1]);
    const uncommitted = new DeferredBatches({ commit: () => Promise.reject(new Error('the log is away')), onFailure });
    uncommitted.add(at(1));
    await expect(uncommitted.settled()).rejects.toThrow('the log is away');
    expect([uncommitted.hasFailed, failures]).toEqual([true, 2]);
  });
});
