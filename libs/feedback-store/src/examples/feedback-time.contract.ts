/** What "known until" means in every feedback store, while partitions are read unevenly, again after a restart, and anew into an empty store. */
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ComparisonQuery, ComparisonSums, FeedbackStore, PlacedRow, Progress } from '../feedback-store.js';
import { MemoryFeedbackStore } from '../memory-feedback-store.js';
import { type World, worlds } from './random-worlds.js';

const PARTITIONS = 2;

/** What a reader does next: take the next message of a partition, or start again so many messages before. */
interface Step {
  readonly partition: number;
  readonly back: number;
}

const readings = fc.record({
  world: worlds.filter(({ query }) => !query.historical),
  steps: fc.array(fc.record({ partition: fc.nat(PARTITIONS - 1), back: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 3) }), {
    minLength: 20,
    maxLength: 60,
    size: 'max',
  }),
});

interface Message {
  readonly rows: readonly PlacedRow[];
  readonly progress: Progress;
}

export const feedbackTimeContract = (name: string, create: () => Promise<FeedbackStore>, numRuns: number): void => {
  describe(`the time of a feedback store, by ${name}`, () => {
    let store: FeedbackStore;
    let topics = 0;

    afterAll(async () => {
      await store?.close();
    });

    it('is the least that all partitions have reached: up to there everything is counted, at every watermark and as of each before', async () => {
      await fc.assert(
        fc.asyncProperty(readings, async ({ world, steps }) => {
          store ??= await create();
          const topic = `topic${++topics}`;
          const rows = inEnvironment(world, topic);
          const model = new MemoryFeedbackStore();
          await model.insert(rows, []);
          const sumsAt = (of: FeedbackStore, environment: string, knownUntilUs: number) =>
            of.sums(askedOf(world, environment, knownUntilUs));
          const seen = new Map<number, ComparisonSums>();
          for (const message of delivered(partitioned(rows, topic), steps)) {
            await store.insert(message.rows, [message.progress]);
            const reached = await store.progress(topic);
            if (reached.length < PARTITIONS) continue;
            const watermarkUs = Math.min(...reached.map(({ knownAtUs }) => knownAtUs));
            if (seen.has(watermarkUs)) continue;
            const expected = await sumsAt(model, topic, watermarkUs);
            expect(await sumsAt(store, topic, watermarkUs)).toEqual(expected);
            const [earlierUs = watermarkUs] = seen.keys();
            expect(await sumsAt(store, topic, earlierUs)).toEqual(seen.get(earlierUs) ?? expected);
            seen.set(watermarkUs, expected);
          }
          const rebuilt = `${topic}-rebuilt`;
          await store.insert(inEnvironment({ ...world, rows: world.rows.toReversed() }, rebuilt), []);
          for (const [watermarkUs, expected] of seen) expect(await sumsAt(store, rebuilt, watermarkUs)).toEqual(expected);
        }),
        // A reading takes half a minute on a busy machine: what fails is told before the time for making it smaller is up.
        { numRuns, interruptAfterTimeLimit: 400_000 },
      );
    }, 600_000);
  });
};

/** Of the comparison by whose arms it is divided, too. */
const askedOf = ({ query }: World, environment: string, knownUntilUs: number): ComparisonQuery => {
  const { strata } = query;
  const there = { environment, knownUntilUs };
  const moved = strata !== undefined && 'armIn' in strata ? { strata: { armIn: { ...strata.armIn, ...there } } } : {};
  return { ...query, ...there, ...moved };
};

const inEnvironment = ({ rows }: World, environment: string): readonly PlacedRow[] =>
  rows.map((placed) => ({ ...placed, row: { ...placed.row, environment } }));

const partitionOf = ({ row }: PlacedRow): number => Number.parseInt(row.unit.slice(0, 2), 16) % PARTITIONS;

/** Each partition's messages in their order: the rows of its units. */
const partitioned = (rows: readonly PlacedRow[], topic: string): readonly (readonly Message[])[] =>
  Array.from({ length: PARTITIONS }, (_, partition) => {
    const own = rows.filter((placed) => partitionOf(placed) === partition).map((placed) => ({ ...placed, partition }));
    const offsets = [...new Set(own.map(({ position }) => position >> 12n))];
    return offsets.map((offset) => {
      const inside = own.filter(({ position }) => position >> 12n === offset);
      const knownAtUs = inside[0]?.knownAtUs ?? 0;
      return { rows: inside, progress: { topic, partition, generation: 0, offset, knownAtUs } };
    });
  });

/** As the steps say, and then the rest: a partition that has ended is behind no more, which a tick says. */
const delivered = (partitions: readonly (readonly Message[])[], steps: readonly Step[]): readonly Message[] => {
  const next = partitions.map(() => 0);
  const taken: Message[] = [];
  const take = (partition: number): boolean => {
    const message = partitions[partition]?.[next[partition] ?? 0];
    if (message === undefined) return false;
    taken.push(message);
    next[partition] = (next[partition] ?? 0) + 1;
    return true;
  };
  for (const { partition, back } of steps) {
    next[partition] = Math.max(0, (next[partition] ?? 0) - back);
    take(partition);
  }
  for (const partition of partitions.keys()) while (take(partition));
  return taken;
};
