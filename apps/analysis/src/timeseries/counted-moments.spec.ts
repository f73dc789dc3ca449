import { describe, expect, it } from '@jest/globals';
import { type ComparisonQuery, type ComparisonSums, MemoryFeedbackStore } from '@rampart/feedback-store';
import { comparisonQuery } from '../definitions/definition-in-force.js';
import { dirtyHistory, dirtyRows } from '../results/rows.examples.js';
import { askedAt, CountedMoments } from './counted-moments.js';

const definition = { ...dirtyHistory, environment: { ...dirtyHistory.environment, kind: 'live' as const } };
const rows = dirtyRows(200, definition.environment.key);
const instants = [...new Set(rows.map(({ knownAtUs }) => knownAtUs))].sort((a, b) => a - b);
const moments = [0.2, 0.4, 0.6, 0.8].map((share) => instants[Math.floor(share * instants.length)] ?? 0);
const query = (knownUntilUs: number): ComparisonQuery => comparisonQuery(definition, knownUntilUs);

class Asked extends MemoryFeedbackStore {
  readonly asked: string[] = [];
  atOnce = 0;
  most = 0;
  override async sums(of: ComparisonQuery): Promise<ComparisonSums> {
    this.asked.push('sums');
    return this.busy(() => super.sums(of));
  }
  override async delta(of: readonly ComparisonQuery[], sinceUs: number): Promise<readonly ComparisonSums[]> {
    this.asked.push('delta');
    const before = this.asked.length;
    const deltas = await this.busy(() => super.delta(of, sinceUs));
    this.asked.length = before;
    return deltas;
  }
  private async busy<T>(work: () => Promise<T>): Promise<T> {
    this.atOnce += 1;
    this.most = Math.max(this.most, this.atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    return work().finally(() => {
      this.atOnce -= 1;
    });
  }
}

const counting = async () => {
  const store = new Asked();
  await store.insert(rows, []);
  return { store, counted: new CountedMoments(store) };
};

describe('the sums of successive moments', () => {
  it('are counted once, and from then on moved by what changed, to what a count of each says', async () => {
    const { store, counted } = await counting();
    for (const atUs of moments) {
      const sums = await counted.at(query(atUs));
      const asked = store.asked.length;
      expect(sums).toEqual(await store.sums(query(atUs)));
      store.asked.length = asked;
    }
    expect(store.asked).toEqual(['sums', 'delta', 'delta', 'delta']);
  });

  it('are moved from the newest one also for who asks later, and counted for a moment before it', async () => {
    const { store, counted } = await counting();
    const [first = 0, second = 0, third = 0] = moments;
    await counted.at(query(second));
    await counted.at(query(third));
    await counted.at(query(third));
    await counted.at(query(first));
    expect(store.asked).toEqual(['sums', 'delta', 'sums']);
    expect(await counted.at({ ...query(third), multipleExposure: 'first' })).toEqual(
      await store.sums({ ...query(third), multipleExposure: 'first' }),
    );
  });

  it('take the store one after another, whoever asks, and one that fails stops no other', async () => {
    const { store, counted } = await counting();
    const [first = 0, second = 0] = moments;
    const refused = counted.at({ ...query(first), knownUntilUs: Number.NaN, cells: undefined as unknown as ComparisonQuery['cells'] });
    const all = Promise.all([counted.at(query(first)), counted.at(query(second)), counted.at(query(first))]);
    await expect(refused).rejects.toThrow();
    const [one, , again] = await all;
    expect(one).toEqual(again);
    expect(store.most).toBe(1);
  });
});

describe('what was asked at a moment', () => {
  const later = (segment: number, fromUs: number): ComparisonQuery => ({
    ...query(1_000),
    segments: [1, segment],
    timeline: [
      { segment: 1, fromUs: 0 },
      { segment, fromUs },
    ],
  });

  it('does not know the stages that began after it, so that a new one leaves earlier points as they are', () => {
    expect(askedAt(later(2, 500), 499)).toEqual({ ...query(499), segments: [1], timeline: [{ segment: 1, fromUs: 0 }] });
    expect(askedAt(later(2, 500), 500)).toEqual({ ...later(2, 500), knownUntilUs: 500 });
    expect(askedAt(later(2, 500), 499)).toEqual(askedAt(later(3, 900), 499));
  });

  it('has a segment also before the first of its comparison began', () => {
    const second = { ...later(2, 500), segments: [2] };
    expect(askedAt(second, 499).segments).toEqual([2]);
  });
});
