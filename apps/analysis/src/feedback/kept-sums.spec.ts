import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { type ComparisonQuery, END_OF_TIME, MemoryFeedbackStore } from '@rampart/feedback-store';
import { comparisonQuery } from '../definitions/definition-in-force.js';
import { arriving, dirtyHistory } from '../results/rows.examples.js';
import { KeptSums } from './kept-sums.js';

const definition = { ...dirtyHistory, environment: { ...dirtyHistory.environment, kind: 'live' as const } };
const { rows, at } = arriving(200, definition.environment.key);
const query = (knownUntilUs: number, change: Partial<ComparisonQuery> = {}): ComparisonQuery => ({
  ...comparisonQuery(definition, knownUntilUs),
  ...change,
});

/** Counts how it is asked. */
class Asked extends MemoryFeedbackStore {
  counted = 0;
  moved = 0;
  private isInside = false;
  override async sums(of: ComparisonQuery) {
    if (!this.isInside) this.counted += 1;
    return super.sums(of);
  }
  override async delta(of: readonly ComparisonQuery[], sinceUs: number) {
    this.moved += 1;
    // No two answers come at one moment.
    await sleep(3 * (this.moved % 4));
    // The model makes its changes of two counts.
    this.isInside = true;
    try {
      return await super.delta(of, sinceUs);
    } finally {
      this.isInside = false;
    }
  }
}

const filled = async () => {
  const store = new Asked();
  await store.insert(rows, []);
  return store;
};

describe('kept sums', () => {
  it('are a recount’s to the integer at every moment, and are counted once', async () => {
    const [store, model] = [await filled(), await filled()];
    const kept = new KeptSums(store);
    for (let step = 0; step <= 20; step++)
      expect([step, await kept.sums(query(at(step / 20)))]).toEqual([step, await model.sums(query(at(step / 20)))]);
    expect([store.counted, store.moved]).toEqual([1, 20]);
  });

  it('are right for many who ask at once, of several moments and meanings', async () => {
    const [store, model] = [await filled(), await filled()];
    const kept = new KeptSums(store);
    // All of them have the same sums to start from.
    for (const change of [{}, { multipleExposure: 'first' }] as const) await kept.sums(query(at(0.1), change));
    const queries = [0.9, 0.2, 0.5, 0.5, 1, 0.7].flatMap((share) => [query(at(share)), query(at(share), { multipleExposure: 'first' })]);
    const answers = await Promise.all(queries.map((one) => kept.sums(one)));
    expect(answers).toEqual(await Promise.all(queries.map((one) => model.sums(one))));
  });

  it('stay where they are when somebody looks back', async () => {
    const store = await filled();
    const kept = new KeptSums(store);
    await kept.sums(query(at(0.5)));
    await kept.sums(query(at(0.1)));
    expect(await kept.sums(query(at(1)))).toEqual(await (await filled()).sums(query(at(1))));
    expect([store.counted, store.moved]).toEqual([2, 1]);
  });

  it('are never those of a history that is still coming in', async () => {
    const store = await filled();
    const kept = new KeptSums(store);
    for (const one of [query(END_OF_TIME), query(END_OF_TIME)]) await kept.sums(one);
    expect([store.counted, store.moved]).toEqual([2, 0]);
  });

  it('are moved beside order statistics, which are counted each time', async () => {
    const store = await filled();
    const kept = new KeptSums(store);
    const ranked = (knownUntilUs: number) => query(knownUntilUs, { quantiles: true, quantileLadder: true });
    await kept.sums(ranked(at(0.5)));
    expect(await kept.sums(ranked(at(1)))).toEqual(await (await filled()).sums(ranked(at(1))));
    expect([store.counted, store.moved]).toEqual([1, 1]);
  });

  it('are forgotten of whoever was not asked for lately, and after a failure', async () => {
    const store = await filled();
    const kept = new KeptSums(store, 1);
    await kept.sums(query(at(0.5)));
    await kept.sums(query(at(0.5), { multipleExposure: 'first' }));
    await kept.sums(query(at(0.6)));
    expect([store.counted, store.moved]).toEqual([3, 0]);
    store.delta = () => Promise.reject(new Error('the store is away'));
    await expect(kept.sums(query(at(0.7)))).rejects.toThrow('the store is away');
    store.delta = MemoryFeedbackStore.prototype.delta;
    expect(await kept.sums(query(at(0.8)))).toEqual(await (await filled()).sums(query(at(0.8))));
  });
});
