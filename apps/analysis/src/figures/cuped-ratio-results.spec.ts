import { describe, expect, it } from '@jest/globals';
import type { Comparison, CupedResult, EffectEstimate } from '@rampart/contracts';
import type { MetricSums } from '@rampart/feedback-store';
import { comparisonQuery } from '../definitions/definition-in-force.js';
import { covariatePair } from './cuped-results.js';
import { type ExampleMetric, exampleComparison, exampleDefinition, exampleSums } from './figures.examples.js';
import { metricResults } from './metric-results.js';

/** Clicks and views of a unit, then clicks and views before it was exposed. */
type Unit = readonly [number, number, number, number];

const unitsOf = (seed: number, lift: number): readonly Unit[] =>
  Array.from({ length: 240 }, (_, i) => {
    const wave = (period: number) => 1 + Math.sin((i + seed) / period);
    const [views, before] = [1 + Math.round(6 * wave(7)), 1 + Math.round(5 * wave(3.1))];
    const taste = wave(11) / 2;
    return [Math.round(views * taste + lift * wave(2.3)), views, Math.round(before * taste), before];
  });
const [control, treatment] = [unitsOf(0, 0), unitsOf(500, 0.4)];

const sumsOf = (units: readonly Unit[], scale = 1n): MetricSums => {
  const per = [1_000_000n * scale, 1_000_000n, 1_000_000n * scale, 1_000_000n];
  const exact = units.map((unit) => unit.map((value, place) => BigInt(value) * (per[place] ?? 0n)));
  const total = (of: (values: readonly bigint[]) => bigint) => exact.reduce((sum, values) => sum + of(values), 0n);
  const at = (values: readonly bigint[], place: number) => values[place] ?? 0n;
  const product = (i: number, j: number) => total((values) => at(values, i) * at(values, j));
  const sums = [0, 1, 2, 3].map((i) => total((values) => at(values, i)));
  const products = [0, 1, 2, 3].flatMap((i) => [0, 1, 2, 3].slice(i).map((j) => product(i, j)));
  return exampleSums(units.length, sums[0] ?? 0n, product(0, 0), {
    denominatorSum: sums[1] ?? 0n,
    denominatorSumSquares: product(1, 1),
    crossSum: product(0, 1),
    joint: { units: units.length, sums, products },
  });
};

const clickRate = (more: Partial<ExampleMetric['input']> = {}): ExampleMetric => ({
  input: {
    key: 'click_rate',
    type: 'ratio',
    denominator: { event: 'view' },
    denominatorAggregate: 'count',
    covariate: { lookbackUs: 1_000_000 },
    ...more,
  },
  use: { role: 'guardrail', margin: { relative: 0.05 } },
});

const resultOf = (metric: ExampleMetric, sums: readonly MetricSums[]) => {
  const definition = exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A' }, [metric]);
  const [result] = metricResults(definition, comparisonQuery(definition, 0), exampleComparison(sums.map((one) => [one])));
  if (result === undefined) throw new Error('no result');
  return result;
};

const metricInUse = () => {
  const [metric] = exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A' }, [clickRate()]).metrics;
  if (metric === undefined) throw new Error('no metric');
  return metric;
};

const adjustedOf = (metric = clickRate(), sums = [sumsOf(control), sumsOf(treatment)]): CupedResult => {
  const { cuped } = resultOf(metric, sums);
  if (cuped === null || 'refused' in cuped) throw new Error(`not adjusted: ${JSON.stringify(cuped)}`);
  return cuped;
};

const estimate = (comparison: Comparison | undefined, scale: 'absolute' | 'relative' = 'absolute'): EffectEstimate => {
  const effect = comparison?.[scale];
  if (effect === undefined || 'refused' in effect) throw new Error(`no effect: ${JSON.stringify(effect)}`);
  return effect;
};

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const covariance = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + (value - mean(a)) * ((b[i] ?? 0) - mean(b)), 0) / (a.length - 1);

/** Unit by unit: what each adds to the two ratios, to first order. */
const linear = (units: readonly Unit[]) => {
  const column = (place: number) => units.map((unit) => unit[place] ?? 0);
  const parts = (above: number, below: number) => {
    const ratio = mean(column(above)) / mean(column(below));
    return { ratio, terms: units.map((unit) => ((unit[above] ?? 0) - ratio * (unit[below] ?? 0)) / mean(column(below))) };
  };
  return { after: parts(0, 1), before: parts(2, 3) };
};

describe('a ratio with a covariate', () => {
  it('is adjusted by what the ratio was before, with the slope of all arms together', () => {
    const all = linear([...control, ...treatment]);
    const theta = covariance(all.after.terms, all.before.terms) / covariance(all.before.terms, all.before.terms);
    const [of, on] = [linear(control), linear(treatment)];
    const variance = ({ after, before }: ReturnType<typeof linear>, units: number) => {
      const terms = after.terms.map((term, i) => term - theta * (before.terms[i] ?? 0));
      return covariance(terms, terms) / units;
    };
    const { theta: found, arms, comparisons, correlation } = adjustedOf();
    const effect = estimate(comparisons[0]);
    expect(found).toBeCloseTo(theta, 10);
    expect(theta).toBeGreaterThan(0.1);
    expect(effect.estimate).toBeCloseTo(on.after.ratio - of.after.ratio - theta * (on.before.ratio - of.before.ratio), 12);
    expect(effect.se).toBeCloseTo(Math.sqrt(variance(of, control.length) + variance(on, treatment.length)), 12);
    expect(arms[0]?.mean).toBeCloseTo(of.after.ratio - theta * (of.before.ratio - all.before.ratio), 12);
    expect(correlation).toBeGreaterThan(0.1);
  });

  it('is what the verdict goes by, with its margin', () => {
    const result = resultOf(clickRate(), [sumsOf(control), sumsOf(treatment)]);
    expect(result.notes).toContain('the adjusted comparison decides');
    const [plain, adjusted] = [result.comparisons[0], adjustedOf().comparisons[0]];
    expect(estimate(adjusted).se).toBeLessThan(estimate(plain).se);
    expect(adjusted?.nonInferiority).toMatchObject({ margin: "5 % of control's mean", nonInferior: true });
  });

  it('does not depend on the scale that its events carry', () => {
    const [plain, scaled] = [adjustedOf(), adjustedOf(clickRate({ scale: 1000 }), [sumsOf(control, 1000n), sumsOf(treatment, 1000n)])];
    expect(scaled.theta).toBeCloseTo(plain.theta, 12);
    expect(estimate(scaled.comparisons[0], 'relative').se).toBeCloseTo(estimate(plain.comparisons[0], 'relative').se, 12);
  });

  it('is a pair of ratios where arms are held against each other as they were before', () => {
    const { definition } = metricInUse();
    const pair = covariatePair(definition, { arm: 'A', ...sumsOf(control) });
    expect(pair).toMatchObject({ n: control.length, meanX: expect.closeTo(linear(control).before.ratio, 12) });
    expect(covariatePair(definition, { arm: 'A', ...sumsOf(control.map(([clicks, views]) => [clicks, views, 0, 0])) }).n).toBe(0);
  });

  it('decides unadjusted, and says why, where nothing happened before', () => {
    const newUnits = control.map(([clicks, views]): Unit => [clicks, views, 0, 0]);
    const result = resultOf(clickRate(), [sumsOf(newUnits), sumsOf(treatment)]);
    expect(result.cuped).toEqual({ refused: 'ZERO_DENOMINATOR' });
    expect(result.notes).toContain('no adjustment by the covariate (ZERO_DENOMINATOR): the unadjusted comparison decides');
  });
});
