import { describe, expect, it } from '@jest/globals';
import { type ComparisonQuery, type ComparisonSums, MemoryFeedbackStore } from '@rampart/feedback-store';
import { comparisonQuery } from '../definitions/definition-in-force.js';
import { arriving, dirtyHistory } from '../results/rows.examples.js';
import { ComparisonTotals } from './comparison-totals.js';

const definition = { ...dirtyHistory, environment: { ...dirtyHistory.environment, kind: 'live' as const } };
const { rows, at } = arriving(200, definition.environment.key);
const query = (knownUntilUs: number, change: Partial<ComparisonQuery> = {}): ComparisonQuery => ({
  ...comparisonQuery(definition, knownUntilUs),
  ...change,
});

/** Says how it was asked, and may lie about changes. */
class Asked extends MemoryFeedbackStore {
  readonly asked: string[] = [];
  filling = 'first';
  lie: ComparisonSums | undefined;
  override async sums(of: ComparisonQuery) {
    this.asked.push(`sums of ${of.experiment} until ${of.knownUntilUs}`);
    return super.sums(of);
  }
  override async delta(of: readonly ComparisonQuery[], sinceUs: number) {
    this.asked.push(`delta of ${of.length} since ${sinceUs}`);
    const before = this.asked.length;
    const deltas = await super.delta(of, sinceUs);
    this.asked.length = before;
    return this.lie === undefined ? deltas : of.map(() => this.lie as ComparisonSums);
  }
  override async identity() {
    return this.filling;
  }
}

const watched = async () => {
  const store = new Asked();
  await store.insert(rows, []);
  return { store, totals: new ComparisonTotals(store), half: at(0.5), last: at(1) };
};

const one = (of: ComparisonQuery) => new Map([['one', of]]);

describe('the totals of watched comparisons', () => {
  it('are counted once and then moved by what changed, to the same sums', async () => {
    const { store, totals, half, last } = await watched();
    await totals.at(one(query(half)));
    const moved = (await totals.at(one(query(last)))).get('one');
    expect(store.asked).toEqual([`sums of button until ${half}`, `delta of 1 since ${half}`]);
    expect(moved).toEqual(await store.sums(query(last)));
  });

  it('are counted anew when one of their units was erased, and only then', async () => {
    const { store, totals, half, last } = await watched();
    await totals.at(one(query(half)));
    const counted = rows.find(({ row, knownAtUs }) => row.kind === 'exposure' && knownAtUs <= half);
    if (counted === undefined) throw new Error('no unit was exposed by then');
    const erase = (experiment: Partial<typeof counted.row>, position: bigint) =>
      store.insert([{ ...counted, row: { ...counted.row, kind: 'erasure', name: '', ...experiment }, position, knownAtUs: last - 1 }], []);
    await erase({ environment: 'another' }, 1n << 50n);
    expect(await store.lastErasureUs()).toBeNull();
    await erase({}, 1n << 50n);
    const after = (await totals.at(one(query(last)))).get('one');
    expect(store.asked.at(-1)).toBe(`sums of button until ${last}`);
    expect(after).toEqual(await store.sums(query(last)));
    expect(after).not.toEqual(await watched().then(({ store: whole }) => whole.sums(query(last))));
    store.asked.length = 0;
    await totals.at(one(query(last + 1)));
    expect(store.asked).toEqual([`delta of 1 since ${last}`]);
  });

  it('do not wait for newcomers: these are counted a few at a look', async () => {
    const { store, half, last } = await watched();
    const totals = new ComparisonTotals(store, 0);
    const all = (knownUntilUs: number) => new Map(['one', 'two', 'three'].map((key) => [key, query(knownUntilUs)]));
    expect([...(await totals.at(all(half))).keys()]).toEqual(['one']);
    expect([...(await totals.at(all(half))).keys()].sort()).toEqual(['one', 'two']);
    const whole = await totals.at(all(last));
    expect([...whole.keys()].sort()).toEqual(['one', 'three', 'two']);
    expect(whole.get('one')).toEqual(whole.get('three'));
  });

  it('are counted anew for another definition, for another filling of the store, and backwards', async () => {
    const { store, totals, half, last } = await watched();
    await totals.at(one(query(half)));
    await totals.at(one(query(last, { multipleExposure: 'first' })));
    expect(store.asked.at(-1)).toBe(`sums of button until ${last}`);
    store.filling = 'second';
    await totals.at(one(query(last, { multipleExposure: 'first' })));
    await totals.at(one(query(half, { multipleExposure: 'first' })));
    expect(store.asked.slice(-2)).toEqual([`sums of button until ${last}`, `sums of button until ${half}`]);
  });

  it('are moved beside order statistics, which are counted whole, each in its turn', async () => {
    const { store, half, last } = await watched();
    const totals = new ComparisonTotals(store, 0);
    const ranked = (knownUntilUs: number): ComparisonQuery => {
      const { metrics, ...rest } = query(knownUntilUs, { quantiles: true, quantileLadder: true });
      const [first] = metrics;
      if (first === undefined) throw new Error('the example has metrics');
      const latency = { ...first.definition, type: 'quantile', quantileLevel: 0.5, quantileOf: 'units', aggregate: 'sum' } as const;
      return { ...rest, metrics: [...metrics, { version: 1, definition: latency }] };
    };
    const all = (knownUntilUs: number) => new Map(['one', 'two'].map((key) => [key, ranked(knownUntilUs)]));
    await totals.at(all(half));
    await totals.at(all(half));
    store.asked.length = 0;
    const [early, late] = [await totals.at(all(last - 1)), await totals.at(all(last))];
    expect([...early.keys(), ...late.keys()].sort()).toEqual(['one', 'two']);
    expect([...late.values()]).toEqual([await store.sums(ranked(last))]);
    expect(late.values().next().value?.quantiles?.[0]?.arms[0]?.ladder?.length).toBeGreaterThan(10);
    expect(store.asked.slice(0, 2)).toEqual([`delta of 2 since ${half}`, `delta of 2 since ${last - 1}`]);
    expect(await totals.recount('one', ranked(last))).toBe(true);
  });

  it('move together those that were looked at together, and count a newcomer', async () => {
    const { store, totals, half, last } = await watched();
    await totals.at(
      new Map([
        ['one', query(half)],
        ['two', query(half)],
      ]),
    );
    await totals.at(
      new Map([
        ['one', query(last)],
        ['two', query(last)],
        ['three', query(last)],
      ]),
    );
    expect(store.asked.slice(-2).sort()).toEqual([`delta of 2 since ${half}`, `sums of button until ${last}`]);
  });

  it('that went wrong are found by a recount, and replaced by it', async () => {
    const { store, totals, half, last } = await watched();
    await totals.at(one(query(half)));
    expect(await totals.recount('one', query(half))).toBe(true);
    store.lie = { cells: [], population: [], lateExposures: 7, crossedLate: 0 };
    await totals.at(one(query(last)));
    store.lie = undefined;
    expect(await totals.recount('one', query(last))).toBe(false);
    expect((await totals.at(one(query(last)))).get('one')).toEqual(await store.sums(query(last)));
  });
});
