import { describe, expect, it } from '@jest/globals';
import { MemoryFeedbackStore, type PlacedRow } from '@rampart/feedback-store';
import { comparisonQuery } from '../definitions/definition-in-force.js';
import { EvidenceOf, OneDefinition } from './evidence.examples.js';
import { ResultsService } from './results.service.js';
import { dirtyHistory, dirtyRows } from './rows.examples.js';

const UNITS = 500;

const resultsOf = async (...deliveries: readonly (readonly PlacedRow[])[]) => {
  const store = new MemoryFeedbackStore();
  for (const delivery of deliveries) await store.insert(delivery, []);
  const sums = new Map<number, Awaited<ReturnType<MemoryFeedbackStore['sums']>>>();
  const query = comparisonQuery(dirtyHistory, 8_640_000_000_000_000);
  sums.set(query.knownUntilUs, await store.sums(query));
  const evidence = new EvidenceOf({
    watermarkUs: 2,
    completedAtUs: 1,
    sumsAt: (until) => sums.get(until) ?? { cells: [], population: [], lateExposures: 0, crossedLate: 0 },
  });
  const service = new ResultsService(new OneDefinition(dirtyHistory), evidence);
  return service.results({ project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: 2 });
};

describe('a dirty history of 500 units', () => {
  it('counts the randomised and says why others are not', async () => {
    const { population, srm } = await resultsOf(dirtyRows(UNITS));
    // Of each 50: index 1 chose, 2 was seen in both arms, 3 saw a variant that does not exist.
    expect(population).toMatchObject({ units: 500, counted: 470 });
    expect(population.rows.map(({ variant, exposed, counted, excluded }) => [variant, exposed, counted, excluded])).toEqual([
      ['A', 250, 240, expect.objectContaining({ 'two-arms': 10, 'own-choice': 0 })],
      ['B', 240, 230, expect.objectContaining({ 'two-arms': 0, 'own-choice': 10 })],
      ['(not in the definition)', 10, 0, expect.objectContaining({ 'unknown-variant': 10 })],
    ]);
    expect(srm.observed).toEqual({ A: 240, B: 230 });
  });

  it('is invalid: 10 of 480 units were seen in two arms', async () => {
    const { verdict } = await resultsOf(dirtyRows(UNITS));
    expect(verdict).toMatchObject({ verdict: 'invalid', rule: 'quality-failed' });
    expect(verdict.sentence).toContain('10 of 480 units were seen in two arms (2.08 % ≥ 1 %)');
  });

  it('takes totals per unit, capped, with covariate and ratio', async () => {
    const { metrics } = await resultsOf(dirtyRows(UNITS));
    const counted = (parity: number) =>
      Array.from({ length: UNITS }, (_, index) => index).filter((index) => index % 2 === parity && ![1, 2, 3].includes(index % 50));
    const buyers = counted(0).filter((index) => index % 3 === 0);
    const spend = buyers.map((index) => Math.min(40, (index % 50) + 0.25));
    expect(metrics[0]?.arms[0]).toMatchObject({ n: 240, sum: String(buyers.length) });
    expect(metrics[1]?.arms[0]?.sum).toBe(String(spend.reduce((sum, value) => sum + value, 0)));
    expect(metrics[1]?.cuped).toMatchObject({ units: 470, unitsWithoutCovariate: 0, covariate: 'history' });
    const visits = counted(0).reduce((sum, index) => sum + (index % 4 === 0 ? 2 : 1), 0);
    const uncapped = buyers.reduce((sum, index) => sum + (index % 50) + 0.25, 0);
    expect(metrics[2]?.arms[0]?.mean).toBeCloseTo(uncapped / visits, 12);
  });

  it('has the same digest whatever order and however often its rows arrive', async () => {
    const rows = dirtyRows(UNITS);
    const { evidenceDigest } = await resultsOf(rows);
    const again = await resultsOf([...rows].reverse(), rows.slice(0, 350));
    expect(again.evidenceDigest).toBe(evidenceDigest);
    const fewer = await resultsOf(rows.slice(0, -1));
    expect(fewer.evidenceDigest).not.toBe(evidenceDigest);
  });
});

describe('a comparison that begins anew', () => {
  it('leaves those who reported no segment to the one in which they were exposed', () => {
    const seed = { coverage: 1, seed: 's', hashVersion: 2 } as const;
    const segments = [
      { ...seed, segment: 1, comparison: 1, startedAtUs: 1_000 },
      { ...seed, segment: 2, comparison: 1, startedAtUs: 2_000 },
      { ...seed, segment: 3, comparison: 2, startedAtUs: 3_000 },
    ];
    const { state } = dirtyHistory;
    if (state === null) throw new RangeError('the example has started');
    const query = comparisonQuery({ ...dirtyHistory, state: { ...state, segments } }, 9_000);
    expect(query.segments).toEqual([3]);
    expect(query.timeline).toEqual([
      { segment: 1, fromUs: 1_000 },
      { segment: 2, fromUs: 2_000 },
      { segment: 3, fromUs: 3_000 },
    ]);
  });
});
