import { describe, expect, it } from '@jest/globals';
import type { ComparisonSums, MetricSums, TrackedCount } from '@rampart/feedback-store';
import { comparisonQuery, type DefinitionInForce } from '../definitions/definition-in-force.js';
import { concluded, converted, definitionOf, onDay, ones } from '../figures/conclusion.examples.js';
import { type ExampleMetric, exampleComparison, wholeSums } from '../figures/figures.examples.js';
import { withSegments } from './across-segments.js';
import { CountedEvidence, type ExampleUnit } from './counted-evidence.examples.js';
import { OneDefinition } from './evidence.examples.js';
import { qualityOf, qualityWarnings } from './quality.js';
import { ResultsService } from './results.service.js';

const counted = (metrics: readonly ExampleMetric[], sums: ComparisonSums, definition: DefinitionInForce = definitionOf({ metrics })) => {
  const query = comparisonQuery(definition, onDay(8));
  const { figures } = concluded({ metrics, cells: [], sums });
  return { definition, query, sums, figures, tracked: null as readonly TrackedCount[] | null };
};
const quality = (metrics: readonly ExampleMetric[], sums: ComparisonSums) => qualityOf(counted(metrics, sums));

describe('pre-exposure balance', () => {
  const spent: ExampleMetric = {
    input: { key: 'spent', type: 'mean', windowUs: 86_400_000_000, covariate: { lookbackUs: 86_400_000_000 } },
  };
  /** Outcomes of 0 and 2, covariates about the given mean. */
  const arm = (units: number, mean: number): MetricSums =>
    wholeSums(units, units, 2 * units, {
      covariate: {
        units,
        sum: BigInt(units) * 1_000_000n,
        sumSquares: BigInt(2 * units) * 1_000_000_000_000n,
        covariateSum: BigInt(Math.round(units * mean * 1_000_000)),
        covariateSumSquares: BigInt(Math.round(units * (mean * mean + 25) * 1_000_000)) * 1_000_000n,
        covariateCrossSum: BigInt(Math.round(units * mean * 1_000_000)) * 1_000_000n,
      },
    });

  it('holds where chance explains the difference, and fails where it does not', () => {
    const even = quality([spent], exampleComparison([[arm(5000, 10)], [arm(5000, 10.1)]]));
    expect(even.balance).toMatchObject([
      { metric: 'spent', treatment: 'B', means: { control: 10, treatment: 10.1 }, test: { failed: false } },
    ]);
    expect(qualityWarnings(even)).toEqual([]);
    const odd = quality([spent], exampleComparison([[arm(5000, 10)], [arm(5000, 10.8)]]));
    expect(odd.balance[0]?.test).toMatchObject({ failed: true, logE: expect.any(Number) });
    expect(qualityWarnings(odd)).toEqual([
      expect.stringContaining('the covariate of spent differed between control and B before the experiment'),
    ]);
  });

  it('asks each of several covariates, and names the one that is off', () => {
    const covariates = ['visited', 'complaint'].map((event) => ({ selector: { event }, lookbackUs: 86_400_000_000 }));
    const several: ExampleMetric = { input: { key: 'spent', type: 'mean', windowUs: 86_400_000_000, covariates } };
    /** Outcomes of 0 and 2; covariates about these means, each with a variance of 25, and unrelated. */
    const own = (means: readonly [number, number]): MetricSums => {
      const [n, million] = [5000, 1_000_000];
      const sums = [1, ...means].map((mean) => BigInt(Math.round(n * mean * million)));
      const product = (a: number, b: number, variance = 0) => BigInt(Math.round(n * (a * b + variance) * million)) * BigInt(million);
      const [v, c] = means;
      const products = [product(1, 1, 1), product(1, v), product(1, c), product(v, v, 25), product(v, c), product(c, c, 25)];
      return wholeSums(n, n, 2 * n, { joint: { units: n, sums, products } });
    };
    const found = quality([several], exampleComparison([[own([10, 3])], [own([10.1, 3.8])]]));
    expect(found.balance).toMatchObject([
      { covariate: 'visited', treatment: 'B', means: { control: 10, treatment: 10.1 }, test: { failed: false } },
      { covariate: 'complaint', treatment: 'B', means: { control: 3, treatment: 3.8 }, test: { failed: true } },
    ]);
    expect(qualityWarnings(found)).toEqual([expect.stringContaining('the covariate complaint of spent differed between control and B')]);
  });

  it('is not tested before its burn-in, and is not there without a covariate', () => {
    expect(quality([spent], exampleComparison([[arm(50, 10)], [arm(50, 20)]])).balance[0]?.test).toEqual({
      refused: 'NOT_ENOUGH_DATA',
      have: 50,
      needed: 100,
    });
    expect(quality([converted], exampleComparison([[ones(10, 1)], [ones(10, 1)]])).balance).toEqual([]);
  });
});

describe('the ratio by hop', () => {
  const crashed: ExampleMetric = {
    input: { key: 'crashed', type: 'first-error', windowUs: null, direction: 'decrease', population: 'assigned' },
    use: { role: 'guardrail' },
  };
  type Pair = readonly [number, number];
  const hops = (assigned: Pair, exposed: Pair, tracked: Pair = [2000, 2010]) => {
    const sums = exampleComparison([0, 1].map((arm) => [ones(exposed[arm] ?? 0, 100), ones(assigned[arm] ?? 0, 2)]));
    const found = tracked.map((units, cell) => ({ cell, segment: 1, units }));
    return qualityOf({ ...counted([converted, crashed], sums), tracked: found });
  };

  it('names the first hop that loses units', () => {
    expect(hops([5000, 5010], [4000, 4010]).brokenHop).toBeNull();
    const lost = hops([5000, 5010], [4000, 3300]);
    expect(lost.hops.map(({ hop, observed }) => [hop, observed])).toEqual([
      ['assigned', { A: 5000, B: 5010 }],
      ['exposed', { A: 4000, B: 3300 }],
      ['tracked', { A: 2000, B: 2010 }],
    ]);
    expect(lost.brokenHop).toBe('exposed');
    expect(qualityWarnings(lost)).toEqual([expect.stringContaining('holds among the assigned and is off among the exposed')]);
    expect(qualityWarnings(hops([5000, 4200], [4000, 3300]))).toEqual([expect.stringContaining('off among the assigned already')]);
  });

  it('holds the tracked against the design, and calls them no broken hop', () => {
    const failed = (found: ReturnType<typeof hops>) => found.hops.map(({ hop, test }) => [hop, 'failed' in test && test.failed]);
    expect(failed(hops([5000, 5010], [4000, 4010]))).toEqual([
      ['assigned', false],
      ['exposed', false],
      ['tracked', false],
    ]);
    const silent = hops([5000, 5010], [4000, 4010], [2000, 1200]);
    expect(failed(silent).at(-1)).toEqual(['tracked', true]);
    expect(silent.brokenHop).toBeNull();
    expect(qualityWarnings(silent)).toEqual([]);
  });

  it('counts the tracked where they are asked for', async () => {
    const units = Array.from(
      { length: 60 },
      (_, index): ExampleUnit => ({
        variant: index % 2 === 0 ? 'A' : 'B',
        events: index % 3 === 0 ? { converted: [1] } : { other: [1] },
      }),
    );
    const service = new ResultsService(
      new OneDefinition(definitionOf({ metrics: [converted], kind: 'historical' })),
      new CountedEvidence(units, { completedAtUs: 50_000_000 }),
    );
    const asked = { project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: 100_000_000 };
    const { quality: found } = await service.results({ ...asked, hops: 'tracked' });
    expect(found.hops.map(({ hop, observed }) => [hop, observed])).toEqual([
      ['exposed', { A: 30, B: 30 }],
      ['tracked', { A: 10, B: 10 }],
    ]);
    expect((await service.results(asked)).quality.hops.map(({ hop }) => hop)).toEqual(['exposed']);
  });

  it('says how many were seen in two arms', () => {
    expect(hops([5000, 5010], [4000, 4010]).multipleExposure).toEqual({ units: 0, of: 8010, failed: false });
  });
});

/** Three segments, a week apart, with the treatment's rate in each. */
const inSegments = (rates: readonly number[], unitsOfB: readonly number[] = [2000, 2000, 2000]) => {
  const definition = definitionOf({ metrics: [converted] });
  const [first] = definition.state?.segments ?? [];
  if (definition.state === null || first === undefined) throw new Error('the example runs');
  const segments = rates.map((_, index) => ({ ...first, segment: index + 1, startedAtUs: onDay(7 * index), coverage: 0.1 * (index + 1) }));
  const sums: ComparisonSums = {
    cells: rates.flatMap((rate, index) => {
      const units = unitsOfB[index] ?? 0;
      return [ones(2000, 200), ones(units, Math.round(units * rate))].map((one, cell) => ({
        cell,
        segment: index + 1,
        stratum: '',
        metrics: [one],
      }));
    }),
    population: rates.flatMap((_, index) =>
      [2000, unitsOfB[index] ?? 0].map((units, cell) => ({ cell, segment: index + 1, kind: 'counted' as const, units })),
    ),
    lateExposures: 0,
    crossedLate: 0,
  };
  return counted([converted], sums, { ...definition, state: { ...definition.state, segments } });
};

describe('segments', () => {
  it('are held against the designed ratio one by one', () => {
    const { segments } = qualityOf(inSegments([0.1, 0.1, 0.1], [2000, 1600, 2010]));
    expect(segments.map(({ segment, test }) => [segment, 'failed' in test && test.failed])).toEqual([
      [1, false],
      [2, true],
      [3, false],
    ]);
  });

  const across = (rates: readonly number[]) => {
    const world = inSegments(rates);
    return withSegments(world.figures.metrics, world)[0];
  };

  it('with one effect say nothing', () => {
    const result = across([0.11, 0.112, 0.108]);
    expect(result?.notes).toEqual(['variance per unit is m(1 − m)']);
    expect(result?.acrossSegments).toMatchObject([
      { treatment: 'B', heterogeneity: { df: 2 }, isSimpson: false, trend: { isMoving: false } },
    ]);
  });

  it('with different effects say so, and an effect that fades is told as a trend', () => {
    const [found] = across([0.2, 0.15, 0.1])?.acrossSegments ?? [];
    expect(found?.heterogeneity.p).toBeLessThan(0.01);
    expect(found?.trend).toMatchObject({ isMoving: true, perDay: expect.closeTo(-0.1 / 14, 3) });
    expect(across([0.2, 0.15, 0.1])?.notes.join(' ')).toMatch(/differs between segments .* a day lower/);
    // A single one that is off is no trend, and is drawn back.
    const [middle] = across([0.1, 0.2, 0.1])?.acrossSegments ?? [];
    expect(middle?.trend?.isMoving).toBe(false);
    expect(middle?.segments[1]?.shrunk).toBeLessThan(middle?.segments[1]?.estimate ?? 0);
  });

  it('that are alone have nothing to be compared with', () => {
    expect(across([0.2])).not.toHaveProperty('acrossSegments');
  });
});
