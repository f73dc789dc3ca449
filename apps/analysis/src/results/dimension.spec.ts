import { describe, expect, it } from '@jest/globals';
import type { DimensionBreakdown, DimensionValue, EffectEstimate } from '@rampart/contracts';
import { exampleDefinition } from '../figures/figures.examples.js';
import { CountedEvidence, type ExampleUnit } from './counted-evidence.examples.js';
import { OneDefinition } from './evidence.examples.js';
import { ResultsService } from './results.service.js';

const definition = exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A' }, [
  { input: { key: 'bought', type: 'proportion' } },
  { input: { key: 'spend', type: 'mean', numerator: { event: 'bought' } }, use: { role: 'secondary' } },
]);

/** @param rates  of A and B: of each ten so many buy */
const units = (count: number, rates: readonly [number, number], properties?: ExampleUnit['properties'], variant?: string): ExampleUnit[] =>
  Array.from({ length: count }, (_, index) => {
    const of = variant ?? (index % 2 === 0 ? 'A' : 'B');
    const buys = Math.floor(index / 2) % 10 < rates[of === 'A' ? 0 : 1];
    const about = { variant: of, ...(buys ? { events: { bought: [1 + (index % 3)] } } : {}) };
    return properties === undefined ? about : { ...about, properties };
  });

const ask = (all: readonly ExampleUnit[], about = definition) =>
  new ResultsService(new OneDefinition(about), new CountedEvidence(all, { completedAtUs: 50_000_000 })).results({
    project: 'shop',
    environment: 'past',
    experiment: 'button',
    asOfUs: null,
    nowUs: 100_000_000,
    dimension: 'country',
  });

const breakdown = async (all: readonly ExampleUnit[]): Promise<DimensionBreakdown> => {
  const { dimension } = await ask(all);
  if (dimension === undefined) throw new Error('no dimension');
  return dimension;
};

const comparisonOf = (value: DimensionValue | undefined, metric = 0) => value?.metrics[metric]?.comparisons[0];

const effectOf = (value: DimensionValue | undefined): EffectEstimate => {
  const effect = comparisonOf(value)?.absolute;
  if (effect === undefined || 'refused' in effect) throw new Error(`no effect: ${JSON.stringify(effect)}`);
  return effect;
};

describe('a dimension', () => {
  const all = [...units(600, [2, 5], { country: 'de' }), ...units(400, [4, 2], { country: 'fr' }), ...units(200, [3, 3])];

  it('shows effects by the value that units had at their first exposure, most units first', async () => {
    const { values, property } = await breakdown(all);
    expect(property).toBe('country');
    expect(values.map(({ value, units: counted }) => [value, counted])).toEqual([
      ['de', 600],
      ['fr', 400],
      ['', 200],
    ]);
    expect(values.map((value) => effectOf(value).estimate)).toEqual([expect.closeTo(0.3, 12), expect.closeTo(-0.2, 12), 0]);
  });

  it('is a family of its own: every value, metric and comparison, by Benjamini and Hochberg', async () => {
    const { values, tests } = await breakdown(all);
    const told = values.flatMap((value) => [0, 1].flatMap((metric) => comparisonOf(value, metric) ?? []));
    const raw = told.flatMap(({ absolute }) => ('refused' in absolute ? [] : [absolute.p]));
    expect(tests).toBe(6);
    const ranked = [...raw].sort((a, b) => a - b);
    const expected = raw.map((p) =>
      Math.min(...ranked.flatMap((other, rank) => (other >= p ? [Math.min(1, (other * 6) / (rank + 1))] : []))),
    );
    expect(told.map(({ adjustedP }) => adjustedP)).toEqual(expected.map((p) => expect.closeTo(p, 12)));
  });

  it('says whether effects differ, and leaves the verdict as it is', async () => {
    const { dimension, verdict } = await ask(all);
    expect(dimension?.heterogeneity[0]).toMatchObject({ metric: 'bought', treatment: 'B', control: 'A', values: 3, df: 2 });
    expect(dimension?.heterogeneity[0]?.p).toBeLessThan(1e-9);
    const plain = await new ResultsService(new OneDefinition(definition), new CountedEvidence(all, { completedAtUs: 50_000_000 })).results({
      project: 'shop',
      environment: 'past',
      experiment: 'button',
      asOfUs: null,
      nowUs: 100_000_000,
    });
    expect(plain.verdict).toEqual(verdict);
    expect(plain.dimension).toBeUndefined();
  });

  it('tells when the total has the sign of no value', async () => {
    // The treatment helps in both, and most of it is where less is bought by anybody.
    const of = (country: string, rates: readonly [number, number], counts: readonly [number, number]) =>
      (['A', 'B'] as const).flatMap((variant, index) => units(counts[index] ?? 0, rates, { country }, variant));
    const paradox = await ask([...of('de', [7, 8], [800, 200]), ...of('fr', [1, 2], [200, 800])]);
    const [total] = paradox.metrics[0]?.comparisons ?? [];
    expect(total?.absolute).toMatchObject({ estimate: expect.closeTo(-0.26, 12) });
    expect(paradox.dimension?.values.map((value) => effectOf(value).estimate > 0)).toEqual([true, true]);
    expect(paradox.dimension?.heterogeneity[0]).toMatchObject({ metric: 'bought', isSimpson: true });
    const { dimension } = await ask(all);
    expect(dimension?.heterogeneity.map(({ isSimpson }) => isSimpson)).toEqual([false, false]);
  });

  it('tests the ratio of each value at its share of the level', async () => {
    // 400 : 300 has p 1.6e-4: an alarm by itself at .001, and one of eleven no more.
    const skewed = [...units(400, [3, 3], { country: 'de' }, 'A'), ...units(300, [3, 3], { country: 'de' }, 'B')];
    const countries = Array.from({ length: 10 }, (_, index) => units(100, [3, 3], { country: `c${index}` })).flat();
    const alone = await breakdown(skewed);
    expect(alone.values[0]?.srm.test).toMatchObject({ failed: true });
    const many = await breakdown([...skewed, ...countries]);
    expect(many.values[0]?.srm.test).toMatchObject({ p: expect.closeTo(1.57e-4, 6), failed: false });
  });

  it('takes values beyond the ten with most units together', async () => {
    const countries = Array.from({ length: 13 }, (_, index) => units(200 - 2 * index, [3, 3], { country: `c${index}` })).flat();
    const { values } = await breakdown(countries);
    expect(values).toHaveLength(11);
    expect(values.at(-1)).toMatchObject({ value: null, units: 180 + 178 + 176 });
  });

  it('of a plan that is looked at continuously goes by the p that holds at any look', async () => {
    const live = exampleDefinition(
      { variants: [{ key: 'A' }, { key: 'B' }], control: 'A' },
      [{ input: { key: 'bought', type: 'proportion', windowUs: 1_000_000 } }],
      'live',
    );
    const lived = { ...live, experiment: { ...live.experiment, plan: { ...live.experiment.plan, allowedLatenessUs: 1000 } } };
    const { dimension } = await ask(units(600, [2, 5], { country: 'de' }), lived);
    const comparison = comparisonOf(dimension?.values[0]);
    const anytime = comparison?.anytime?.absolute;
    expect(comparison?.adjustedP).toBe(anytime !== undefined && 'p' in anytime ? anytime.p : 'no p');
    expect(dimension?.values[0]?.srm.anytime).toMatchObject({ failed: false });
  });

  it('compares quantiles within each value as well', async () => {
    const requests = (country: string, slower: number): ExampleUnit[] =>
      Array.from({ length: 400 }, (_, index) => {
        const place = Math.floor(index / 2);
        const latency = 100 + ((place * 37) % 200) + (index % 2 === 1 ? slower : 0);
        return { variant: index % 2 === 0 ? 'A' : 'B', properties: { country }, events: { latency: [latency, latency + 1] } };
      });
    const quantile = exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A' }, [
      { input: { key: 'latency', type: 'quantile', quantileLevel: 0.5, direction: 'decrease' } },
    ]);
    const { dimension, metrics } = await ask([...requests('de', 50), ...requests('fr', 0)], quantile);
    const estimates = dimension?.values.map((value) => {
      const effect = effectOf(value);
      return [value.value, effect.estimate, effect.p < 0.001];
    });
    expect(estimates).toEqual([
      ['de', 50, true],
      ['fr', 0, false],
    ]);
    expect(dimension?.heterogeneity[0]).toMatchObject({ metric: 'latency', values: 2 });
    // The whole arms are compared as before.
    expect(metrics[0]?.arms.map(({ quantile: own }) => own?.observations)).toEqual([800, 800]);
    expect(dimension?.tests).toBe(2);
    expect(comparisonOf(dimension?.values[0])?.adjustedP).toBeLessThan(0.001);
    // Those of one value have no ladder: what holds at one look alone is in no family that is looked at continuously.
    const live = exampleDefinition(
      { variants: [{ key: 'A' }, { key: 'B' }], control: 'A' },
      [{ input: { key: 'latency', type: 'quantile', quantileLevel: 0.5, direction: 'decrease', windowUs: 1_000_000 } }],
      'live',
    );
    const lived = { ...live, experiment: { ...live.experiment, plan: { ...live.experiment.plan, allowedLatenessUs: 1000 } } };
    const { dimension: watched } = await ask([...requests('de', 50), ...requests('fr', 0)], lived);
    expect(effectOf(watched?.values[0]).p).toBeLessThan(0.001);
    expect(comparisonOf(watched?.values[0])).toMatchObject({ anytime: null, adjustedP: null });
    expect(watched?.tests).toBe(0);
  });
});
