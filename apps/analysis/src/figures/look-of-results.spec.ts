import { describe, expect, it } from '@jest/globals';
import { type ArmTest, type Evidence, planState } from '@rampart/domain';
import fc from 'fast-check';
import { comparisonQuery, type DefinitionInForce } from '../definitions/definition-in-force.js';
import type { UsedMargin } from './effects.js';
import { type ExampleMetric, exampleComparison, exampleDefinition, noDuplicates, wholeSums } from './figures.examples.js';
import { lookOf } from './look-of-results.js';
import { metricResults } from './metric-results.js';
import { populationOf, sampleRatio } from './population.js';

const due = planState({
  historical: true,
  importing: false,
  method: 'fixed-horizon',
  startedAtUs: 0,
  minimumRunUs: 0,
  plannedEndUs: null,
  closedAtUs: null,
  knownUntilUs: 0,
});

const lookAt = (definition: DefinitionInForce, sums: ReturnType<typeof exampleComparison>) => {
  const population = populationOf(definition.experiment, sums, noDuplicates);
  const figures = {
    metrics: metricResults(definition, comparisonQuery(definition, 0), sums),
    population,
    srm: sampleRatio(definition.experiment, population),
  };
  return lookOf(definition, figures, { plan: due, knownUntilUs: 0, isSeen: () => true });
};

const define = (metric: ExampleMetric) => exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A' }, [metric]);

const onlyTest = (
  metric: ExampleMetric,
  a: [number, number, number],
  b: [number, number, number],
): Extract<ArmTest, { kind: 'tested' }> => {
  const test = lookAt(define(metric), exampleComparison([[wholeSums(...a)], [wholeSums(...b)]])).metrics[0]?.arms[0];
  if (test?.kind !== 'tested') throw new Error(`not tested: ${JSON.stringify(test)}`);
  return test;
};

const pOf = (evidence: Evidence): number => (evidence.kind === 'p' ? evidence.p : Number.NaN);

describe('the direction of a test', () => {
  const orders = { key: 'orders', type: 'mean' } as const;

  it('gives half of the two-sided p to the side that the data lean to', () => {
    // 10 of 100 against 30 of 100: one-sided p of a gain is small, of a loss its complement.
    const gain = onlyTest({ input: orders }, [100, 10, 10], [100, 30, 30]);
    expect(pOf(gain.better)).toBeLessThan(0.001);
    expect(pOf(gain.better) + pOf(gain.worse)).toBeCloseTo(1, 12);
    expect(gain.gain).toEqual({ relative: expect.closeTo(2, 12) });
  });

  it('turns around where less is better', () => {
    const loss = onlyTest({ input: { ...orders, direction: 'decrease' } }, [100, 10, 10], [100, 30, 30]);
    expect(pOf(loss.worse)).toBeLessThan(0.001);
    expect(loss.gain).toEqual({ relative: expect.closeTo(-2, 12) });
  });

  it('speaks in the metric’s unit where control’s mean is 0', () => {
    // Values −1, 0 and 1 in control, so that its mean is 0 but not its spread.
    const test = onlyTest({ input: orders }, [100, 0, 50], [100, 25, 60]);
    expect(test.gain).toEqual({ absolute: 0.25 });
  });
});

describe('a margin', () => {
  const figures = fc.record({
    control: fc.integer({ min: 2000, max: 4000 }),
    treatment: fc.integer({ min: 1500, max: 4500 }),
    spread: fc.integer({ min: 1, max: 400 }),
    share: fc.constantFrom(0.001, 0.01, 0.05, 0.3),
    direction: fc.constantFrom('increase' as const, 'decrease' as const),
    isRelative: fc.boolean(),
  });

  it('is kept exactly when the largest loss that α does not exclude lies within it', () => {
    let kept = 0;
    fc.assert(
      fc.property(figures, ({ control, treatment, spread, share, direction, isRelative }) => {
        const margin: UsedMargin = isRelative ? { relative: share } : { absolute: share * 30 };
        const arm = (sum: number): [number, number, number] => [100, sum, Math.ceil((sum * sum) / 100) + 100 * spread];
        const use = { role: 'guardrail', margin } as const;
        const test = onlyTest({ input: { key: 'latency', type: 'mean', direction }, use }, arm(control), arm(treatment));
        if (test.nonInferiority?.kind !== 'tested' || test.nonInferiority.couldLose === null) throw new Error('no margin test');
        const limit = isRelative ? share : share * 30;
        expect(test.nonInferiority.couldLose < limit).toBe(pOf(test.nonInferiority.evidence) < 0.05);
        if (pOf(test.nonInferiority.evidence) < 0.05) kept++;
      }),
      { numRuns: 500, seed: 5 },
    );
    // Both sides were met.
    expect(kept).toBeGreaterThan(50);
    expect(kept).toBeLessThan(450);
  });
});

describe('quality', () => {
  it('counts units in two arms against all that were randomised', () => {
    const definition = define({ input: { key: 'orders', type: 'mean' } });
    const sums = exampleComparison([[wholeSums(500, 10, 10)], [wholeSums(500, 30, 30)]]);
    const crossed = { cell: 0, segment: 1, kind: 'two-arms' as const, units: 11 };
    const look = lookAt(definition, { ...sums, population: [...sums.population, crossed] });
    expect(look.quality.map((check) => [check.check, check.outcome])).toEqual([
      ['sample-ratio', 'passed'],
      ['multiple-exposure', 'failed'],
    ]);
    expect(look.quality[1]?.sentence).toContain('11 of 1,011 units');
  });
});
