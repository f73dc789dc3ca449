import { describe, expect, it } from '@jest/globals';
import { type AnalysisPlan, canonicalJson, type SufficientStatistics } from '@rampart/contracts';
import { comparisonQuery } from '../definitions/definition-in-force.js';
import { statisticsCsv } from '../results/statistics-csv.js';
import { nearestName } from '../results/warnings.js';
import { unitsPerOne } from './arm-sums.js';
import { type ExampleMetric, exampleComparison, exampleDefinition, exampleSums, noDuplicates, wholeSums } from './figures.examples.js';
import { comparedPairs, metricResults } from './metric-results.js';
import { populationOf, sampleRatio } from './population.js';

const define = (metrics: readonly ExampleMetric[], plan: Partial<AnalysisPlan> = {}) =>
  exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A', plan }, metrics);

const results = (metrics: readonly ExampleMetric[], cells: Parameters<typeof exampleComparison>[0]) => {
  const definition = define(metrics);
  return metricResults(definition, comparisonQuery(definition, 0), exampleComparison(cells));
};

describe('what cannot be compared', () => {
  const orders = { input: { key: 'orders', type: 'mean' } } as const;

  it('has a reason and, where both arms have a unit, the plain difference', () => {
    const [result] = results([orders], [[wholeSums(1, 2, 4)], [wholeSums(1, 5, 25)]]);
    expect(result?.comparisons[0]).toMatchObject({
      absolute: { refused: 'INSUFFICIENT_UNITS', difference: 3 },
      normal: null,
      pooledProportion: null,
      adjustedP: null,
    });
    expect(result?.arms[0]).toMatchObject({ n: 1, mean: 2, variance: null });
  });

  it('has null means without units, never NaN', () => {
    const [result] = results([orders], [[wholeSums(0, 0, 0)], [wholeSums(3, 5, 25)]]);
    expect(result?.arms[0]).toMatchObject({ n: 0, mean: null, variance: null, sum: '0' });
    expect(JSON.stringify(result)).not.toContain('NaN');
  });

  it('keeps the absolute effect where control’s mean is 0', () => {
    const [result] = results([orders], [[wholeSums(100, 0, 50)], [wholeSums(100, 25, 60)]]);
    expect(result?.comparisons[0]?.absolute).toMatchObject({ estimate: 0.25 });
    expect(result?.comparisons[0]?.relative).toEqual({ refused: 'ZERO_BASELINE', difference: 0.25 });
  });

  it('refuses where one arm has no spread', () => {
    const [result] = results([orders], [[wholeSums(100, 0, 0)], [wholeSums(100, 25, 60)]]);
    expect(result?.comparisons[0]?.absolute).toEqual({ refused: 'ZERO_VARIANCE', difference: 0.25 });
  });
});

describe('a proportion', () => {
  it('has the variance m(1 − m)', () => {
    const [result] = results([{ input: { key: 'bought', type: 'proportion' } }], [[wholeSums(100, 20, 20)], [wholeSums(100, 30, 30)]]);
    expect(result?.arms[0]?.variance).toBeCloseTo(0.16, 15);
    expect(result?.notes).toContain('variance per unit is m(1 − m)');
  });
});

describe('a ratio', () => {
  it('is sum over sum, with the variance of the linearised value', () => {
    // Four units an arm with (numerator, denominator): A (1,1) (2,2) (2,1) (3,4), B (2,1) (2,2) (4,2) (4,3).
    const ratio = (sum: number, squares: number, below: number, belowSquares: number, cross: number) =>
      wholeSums(4, sum, squares, {
        denominatorSum: BigInt(below) * 1_000_000n,
        denominatorSumSquares: BigInt(belowSquares) * 1_000_000_000_000n,
        crossSum: BigInt(cross) * 1_000_000_000_000n,
      });
    const input = { key: 'per_visit', type: 'ratio', denominator: { event: 'visit' } } as const;
    const [result] = results([{ input }], [[ratio(8, 18, 8, 22, 19)], [ratio(12, 40, 8, 18, 26)]]);
    expect(result?.arms.map((arm) => arm.mean)).toEqual([1, 1.5]);
    // A: Σ(M − D)² = 18 − 38 + 22 = 2, mean denominator 2: 2/3/4. B: Σ(M − 1.5 D)² = 40 − 78 + 40.5 = 2.5: 2.5/3/4.
    expect(result?.arms[0]?.variance).toBeCloseTo(2 / 12, 14);
    expect(result?.arms[1]?.variance).toBeCloseTo(2.5 / 12, 14);
    expect(result?.comparisons[0]?.pooledProportion).toBeNull();
  });
});

describe('a scale beyond what a double counts', () => {
  it('divides exactly: 1.5 and 2.5 at 1e12', () => {
    const scale = 1_000_000_000_000;
    const one = 1_000_000n * BigInt(scale);
    const [result] = results(
      [{ input: { key: 'tiny', type: 'mean', scale } }],
      [[exampleSums(2, 4n * one, (17n * one * one) / 2n)], [exampleSums(2, 4n * one, (17n * one * one) / 2n)]],
    );
    expect(result?.arms[0]).toMatchObject({ sum: '4', sumSquares: '8.5', mean: 2, variance: 0.5 });
  });

  it('does not apply to what is counted', () => {
    const [metric] = define([{ input: { key: 'visits', type: 'count', scale: 1000 } }]).metrics;
    if (metric === undefined) throw new Error('no metric');
    expect(unitsPerOne(metric.definition, 'numerator')).toBe(1_000_000n);
    expect(unitsPerOne({ ...metric.definition, type: 'mean' }, 'numerator')).toBe(1_000_000_000n);
  });
});

describe('pairs', () => {
  it('are treatments with control, or all of them with the earlier as control', () => {
    expect(comparedPairs(['A', 'B', 'C'], 'to-control')).toEqual([
      ['A', 'B'],
      ['A', 'C'],
    ]);
    expect(comparedPairs(['A', 'B', 'C'], 'all-pairs')).toEqual([
      ['A', 'B'],
      ['A', 'C'],
      ['B', 'C'],
    ]);
  });
});

describe('Holm', () => {
  it('is for success metrics only', () => {
    const metrics = [
      { input: { key: 'orders', type: 'mean' } },
      { input: { key: 'clicks', type: 'mean' }, use: { role: 'guardrail' } },
    ] as const;
    const cell = [wholeSums(100, 10, 10), wholeSums(100, 10, 10)];
    const [orders, clicks] = results(metrics, [cell, [wholeSums(100, 30, 30), wholeSums(100, 30, 30)]]);
    expect(orders?.comparisons[0]?.absolute).toMatchObject({ p: orders?.comparisons[0]?.adjustedP });
    expect(orders?.comparisons[0]?.adjustedP).toBeLessThan(0.001);
    expect(clicks?.comparisons[0]?.adjustedP).toBeNull();
  });
});

describe('the population', () => {
  const { experiment } = define([{ input: { key: 'orders', type: 'mean' } }]);
  const count = (cell: number, kind: 'counted' | 'two-arms' | 'own-choice' | 'unknown-variant', units: number) => ({
    cell,
    segment: 1,
    kind,
    units,
  });
  const sums = {
    cells: [],
    population: [
      count(0, 'counted', 90),
      count(0, 'two-arms', 6),
      count(1, 'counted', 80),
      count(1, 'own-choice', 4),
      count(-1, 'unknown-variant', 3),
    ],
    lateExposures: 0,
    crossedLate: 2,
  };
  const population = populationOf(experiment, sums, noDuplicates);

  it('accounts for every unit', () => {
    expect(population).toMatchObject({ units: 183, counted: 170, crossedLate: 2 });
    expect(population.rows.map(({ variant, exposed, counted }) => [variant, exposed, counted])).toEqual([
      ['A', 96, 90],
      ['B', 84, 80],
      ['(not in the definition)', 3, 0],
    ]);
    for (const row of population.rows)
      expect(row.counted + Object.values(row.excluded).reduce((sum, units) => sum + units, 0)).toBe(row.exposed);
  });

  it('tests the ratio over counted units, and not with too few', () => {
    expect(sampleRatio(experiment, population).observed).toEqual({ A: 90, B: 80 });
    const few = populationOf(experiment, { ...sums, population: [count(0, 'counted', 4), count(1, 'counted', 5)] }, noDuplicates);
    expect(sampleRatio(experiment, few).test).toEqual({ refused: 'TOO_FEW_UNITS' });
    expect(sampleRatio(experiment, populationOf(experiment, { ...sums, population: [] }, noDuplicates)).test).toEqual({
      refused: 'NO_UNITS',
    });
  });
});

describe('texts', () => {
  it('canonical JSON sorts keys and leaves out what is undefined', () => {
    expect(canonicalJson({ b: 1e21, a: ['ü', null, true], c: undefined })).toBe('{"a":["ü",null,true],"b":1e+21}');
    expect(() => canonicalJson({ a: Number.NaN })).toThrow(RangeError);
  });

  it('the nearest name is one that differs in a third of its letters at most', () => {
    expect(nearestName('purchse', ['checkout', 'purchase'])).toBe('purchase');
    expect(nearestName('Purchase', ['purchase'])).toBe('purchase');
    expect(nearestName('purchase', ['checkout'])).toBeUndefined();
  });

  it('a table has a row per cell, quotes what needs it and disarms formulas', () => {
    const row: SufficientStatistics = {
      metric: 'orders',
      version: 1,
      variant: '=A, "x"',
      arm: 'A',
      segment: 1,
      stratum: '',
      scale: '1000000',
      units: 3,
      sum: '-5000000',
      sumSquares: '9',
    };
    const [header, line] = statisticsCsv([row]).split('\r\n');
    expect(header?.split(',')).toHaveLength(29);
    expect(line).toBe(`orders,1,"'=A, ""x""",A,1,,1000000,3,-5000000,9,,,,,,,,,,,,,,,,,,,`);
  });
});
