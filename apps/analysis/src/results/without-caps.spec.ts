import { describe, expect, it } from '@jest/globals';
import type { AnalysisPlan, MetricInput, Results } from '@rampart/contracts';
import { metricDefinition } from '@rampart/contracts';
import { exampleDefinition } from '../figures/figures.examples.js';
import { CountedEvidence, type ExampleUnit } from './counted-evidence.examples.js';
import { OneDefinition } from './evidence.examples.js';
import { ResultsService } from './results.service.js';

/** Totals of -20 to 179; B has three units with a fortune. */
const totalOf = (index: number): number => (index % 2 === 1 && index % 100 === 51 && index < 300 ? 10_000 : ((index * 37) % 200) - 20);
const units: readonly ExampleUnit[] = Array.from({ length: 600 }, (_, index) => ({
  variant: index % 2 === 1 ? 'B' : 'A',
  events: { spent: [totalOf(index)], visit: [1], 'before:spent': [totalOf((index * 7) % 600) / 2] },
}));
const totals = (arm: string) => units.flatMap(({ variant }, index) => (variant === arm ? [totalOf(index)] : []));
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const base = { key: 'spent', type: 'mean' as const, windowUs: 1_000_000 };
const place = { project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: 100_000_000 };
const serviceOf = (...inputs: readonly Partial<MetricInput>[]) => servingAs('historical', {}, inputs);
const servingAs = (kind: 'historical' | 'live', plan: Partial<AnalysisPlan>, inputs: readonly Partial<MetricInput>[]) => {
  const about = { variants: [{ key: 'A' }, { key: 'B' }], control: 'A', plan: { allowedLatenessUs: 1000, minimumRunUs: 0, ...plan } };
  const definition = exampleDefinition(
    about,
    inputs.map((input, index) => ({ input: { ...base, key: `spent${index}`, numerator: { event: 'spent' }, ...input } as MetricInput })),
    kind,
  );
  return new ResultsService(new OneDefinition(definition), new CountedEvidence(units, { completedAtUs: 50_000_000 }));
};
const ask = (...inputs: readonly Partial<MetricInput>[]): Promise<Results> => serviceOf(...inputs).results(place);

describe('what caps do', () => {
  it.each([
    [{ capUpper: '150' }, null, 150],
    [{ capLower: '0', capUpper: '150' }, 0, 150],
    [{ capLower: '-3.5' }, -3.5, null],
    [{ capQuantile: { upper: 0.99 } }, null, 178],
    [{ capUpper: '170', type: 'ratio', denominator: { event: 'visit' } }, null, 170],
    [{ capUpper: '170', covariate: { lookbackUs: 1_000_000 } }, null, 170],
  ] as const)('is told by the units that they cut: %j', async (caps, lower, upper) => {
    const { metrics } = await ask(caps as Partial<MetricInput>);
    const shown = metrics[0]?.withoutCaps;
    const expected = ['A', 'B'].map((arm) => ({
      arm,
      units: 300,
      lowered: upper === null ? 0 : totals(arm).filter((total) => total > upper).length,
      raised: lower === null ? 0 : totals(arm).filter((total) => total < lower).length,
      mean: expect.closeTo(mean(totals(arm)), 9),
    }));
    expect(expected.some(({ lowered, raised }) => lowered + raised > 0)).toBe(true);
    expect(shown?.arms).toEqual(expected);
  });

  it('is told by the effect without them, which is that of the same metric without caps', async () => {
    const inputs: readonly Partial<MetricInput>[] = [{ capUpper: '150' }, { covariate: { lookbackUs: 1_000_000 }, capUpper: '150' }];
    const [capped, plain] = [await ask(...inputs), await ask(...inputs.map(({ capUpper: _, ...input }) => input))];
    for (const at of [0, 1]) {
      const { cuped, comparisons } = plain.metrics[at] ?? {};
      const shown = capped.metrics[at]?.withoutCaps;
      const told = (of: typeof comparisons) => [{ absolute: of?.[0]?.absolute, relative: of?.[0]?.relative }];
      expect(shown?.comparisons).toMatchObject(told(comparisons));
      expect(shown?.comparisons[0]?.absolute).not.toEqual(capped.metrics[at]?.comparisons[0]?.absolute);
      if (at === 0) expect(shown).not.toHaveProperty('adjusted');
      else expect(shown?.adjusted).toMatchObject(told(cuped != null && !('refused' in cuped) ? cuped.comparisons : undefined));
    }
    expect(plain.metrics[0]).not.toHaveProperty('withoutCaps');
  });

  it('is told of what runs, by sums that are moved on from look to look, beside a quantile', async () => {
    const quantile = { type: 'quantile', quantileOf: 'units', quantileLevel: 0.8 } as const;
    const plan = { method: 'sequential', plannedUnits: 2_000 } as const;
    const inputs = [{ capUpper: '150' }, quantile, { capQuantile: { upper: 0.9, cohort: 500 } }];
    const service = servingAs('live', plan, inputs);
    const [first, again] = [await service.results(place), await service.results(place)];
    expect(again.metrics).toEqual(first.metrics);
    const lowered = (at: number) => first.metrics[at]?.withoutCaps?.arms.map((arm) => arm.lowered);
    expect(lowered(0)).toEqual(['A', 'B'].map((arm) => totals(arm).filter((total) => total > 150).length));
    expect(first.metrics[1]).not.toHaveProperty('withoutCaps');
    expect(lowered(2)?.every((count) => count > 0)).toBe(true);
    expect(first.metrics[0]?.withoutCaps?.comparisons[0]?.anytime?.absolute).toHaveProperty('logE');
  });

  it('is no part of the evidence', async () => {
    const { sufficientStatistics } = await ask({ capUpper: '150' });
    expect(sufficientStatistics.map(({ variant, units: counted }) => [variant, counted])).toEqual([
      ['A', 300],
      ['B', 300],
    ]);
  });

  it('is a warning where more than one unit of a hundred is cut', async () => {
    const warningOf = async (capUpper: string) => (await ask({ capUpper })).warnings.filter((warning) => warning.includes('caps cut'));
    expect(await warningOf('150')).toEqual([
      expect.stringMatching(/^metric spent0: its caps cut 14 % of A, 16 % of B; caps are for the far tail/),
    ]);
    expect(await warningOf('179')).toEqual([]);
  });

  it('is told of a metric that is tried on a running experiment', async () => {
    const metric = metricDefinition.parse({
      ...base,
      key: 'tried',
      name: 'T',
      unitType: 'user',
      numerator: { event: 'spent' },
      capUpper: '150',
    });
    const { metric: tried } = await serviceOf({}).explore(place, metric);
    expect(tried.withoutCaps?.arms.map(({ lowered }) => lowered)).toEqual(
      ['A', 'B'].map((arm) => totals(arm).filter((total) => total > 150).length),
    );
  });
});
