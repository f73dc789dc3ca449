import { describe, expect, it } from '@jest/globals';
import type { Timeseries } from '@rampart/contracts';
import { MemoryEventLog } from '@rampart/event-log';
import { type ComparisonQuery, type ComparisonSums, MemoryFeedbackStore } from '@rampart/feedback-store';
import { comparisonQuery, shownQuantiles } from '../definitions/definition-in-force.js';
import { exampleDefinition } from '../figures/figures.examples.js';
import { DecisionLog } from '../looks/decision-log.js';
import { EvidenceOf, OneDefinition } from '../results/evidence.examples.js';
import { arriving } from '../results/rows.examples.js';
import { askedAt } from './counted-moments.js';
import { pointOf } from './points.js';
import { TimeseriesService } from './timeseries.service.js';

const running = exampleDefinition(
  {
    variants: [{ key: 'A' }, { key: 'B' }],
    control: 'A',
    assignment: 'rampart',
    plan: { method: 'sequential', plannedUnits: 400, minimumRunUs: 0 },
  },
  [
    { input: { key: 'bought', type: 'proportion', numerator: { event: 'purchase' }, windowUs: 60_000_000 } },
    {
      input: {
        key: 'spend',
        type: 'quantile',
        quantileOf: 'units',
        quantileLevel: 0.8,
        numerator: { event: 'purchase' },
        windowUs: 60_000_000,
      },
    },
  ],
  'live',
);
const { rows, at } = arriving(400, running.environment.key);
const [startUs, watermarkUs] = [at(0), at(0.6)];
const definition =
  running.state === null
    ? running
    : {
        ...running,
        state: {
          ...running.state,
          startedAtUs: startUs,
          segments: running.state.segments.map((segment) => ({ ...segment, startedAtUs: startUs })),
        },
      };

/** Order statistics take as long as the gate is shut. */
class Gated extends MemoryFeedbackStore {
  readonly asked: number[] = [];
  wholeCounts = 0;
  isBroken = false;
  open: () => void = () => undefined;
  private gate: Promise<void> = Promise.resolve();
  shut(): void {
    this.gate = new Promise((resolve) => {
      this.open = resolve;
    });
  }
  override async quantiles(query: ComparisonQuery) {
    this.asked.push(query.knownUntilUs);
    await this.gate;
    if (this.isBroken) throw new Error('the store is away');
    return super.quantiles(query);
  }
  override sums(query: ComparisonQuery): Promise<ComparisonSums> {
    this.wholeCounts += 1;
    return super.sums(query);
  }
}

const series = async () => {
  const store = new Gated();
  await store.insert(rows, []);
  const evidence = new EvidenceOf({ watermarkUs, sumsAt: () => ({ cells: [], population: [], lateExposures: 0, crossedLate: 0 }) });
  const service = new TimeseriesService(new OneDefinition(definition), evidence, store, new DecisionLog(new MemoryEventLog()));
  const place = { project: definition.project, environment: definition.environment.key, experiment: definition.experiment.key };
  return { store, ask: () => service.timeseries({ ...place, fromUs: null, untilUs: null, points: 6 }) };
};

const spendOf = ({ points }: Timeseries) =>
  points.map(({ metrics }) => metrics.find(({ metric }) => metric === 'spend')?.comparisons[0]?.estimate ?? null);
const boughtOf = ({ points }: Timeseries) =>
  points.map(({ metrics }) => metrics.find(({ metric }) => metric === 'bought')?.comparisons[0]?.estimate ?? null);

describe('quantiles as of successive moments', () => {
  it('are what a count of all that was known then says', async () => {
    const { store, ask } = await series();
    const found = await ask();
    expect(found.counting).toBe(0);
    expect(found.points.length).toBeGreaterThan(3);
    expect(spendOf(found).filter((estimate) => estimate !== null).length).toBeGreaterThan(2);
    const query = { ...comparisonQuery(definition, watermarkUs), ...shownQuantiles(definition) };
    for (const point of found.points) {
      const atUs = Date.parse(point.asOf) * 1_000;
      const then = askedAt(query, atUs);
      expect(point.metrics).toEqual(pointOf(definition, then, await store.sums(then), atUs).metrics);
    }
  });

  it('are told when they are there: all else does not wait for them, and nothing is counted twice', async () => {
    const { store, ask } = await series();
    store.shut();
    const early = await ask();
    expect(early.counting).toBe(early.points.length);
    expect(spendOf(early)).toEqual(early.points.map(() => null));
    expect(boughtOf(early).at(-1)).not.toBeNull();
    store.open();
    const later = await ask();
    expect(later.counting).toBe(0);
    expect(spendOf(later).at(-1)).not.toBeNull();
    expect(boughtOf(later)).toEqual(boughtOf(early));
    expect(await ask()).toEqual(later);
    expect(store.wholeCounts).toBe(1);
    const moments = later.points.map(({ asOf }) => Date.parse(asOf) * 1_000);
    expect(store.asked).toEqual(moments.toReversed());
  });

  it('are counted again for whoever asks again after the store was away', async () => {
    const { store, ask } = await series();
    store.isBroken = true;
    const without = await ask();
    expect(without.counting).toBe(without.points.length);
    store.isBroken = false;
    expect((await ask()).counting).toBe(0);
  });
});
