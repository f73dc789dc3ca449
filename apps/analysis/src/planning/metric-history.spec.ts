import { describe, expect, it } from '@jest/globals';
import { type HistoryQuestion, historyQuestion, type MetricInput } from '@rampart/contracts';
import type { z } from 'zod';
import { exampleDefinition } from '../figures/figures.examples.js';
import { CountedEvidence, type ExampleUnit } from '../results/counted-evidence.examples.js';
import { OneDefinition } from '../results/evidence.examples.js';
import { ResultsService } from '../results/results.service.js';
import { expectedFromHistory } from './metric-history.js';
import { planFor, powerPlan } from './power-plan.js';

/** What a unit spends is twice its visits before and something of its own; every third unit buys, every second one that buys does so twice. */
const units: readonly ExampleUnit[] = Array.from({ length: 400 }, (_, index) => {
  const place = Math.floor(index / 2);
  const visits = (place * 7) % 11;
  const buys = place % 3 === 0 ? (place % 2) + 1 : 0;
  return {
    variant: index % 2 === 1 ? 'B' : 'A',
    events: {
      spent: [10 + 2 * visits + ((place * 13) % 17) / 2],
      'before:visited': [visits],
      bought: Array.from({ length: buys }, (_item, nth) => 5 + nth + (place % 4)),
      asked: Array.from({ length: 1 + (place % 4) }, () => 1),
    },
  };
});

const METRICS: readonly MetricInput[] = [
  {
    ...{ key: 'spend', name: 'Spend', unitType: 'user', type: 'mean', numerator: { event: 'spent' } },
    covariate: { selector: { event: 'visited' }, lookbackUs: 1_500_000 },
  },
  { key: 'buyers', name: 'Buyers', unitType: 'user', type: 'proportion', numerator: { event: 'bought' } },
  { key: 'per-ask', name: 'Per ask', unitType: 'user', type: 'ratio', numerator: { event: 'bought' }, denominator: { event: 'asked' } },
  { key: 'p80', name: 'P80', unitType: 'user', type: 'quantile', numerator: { event: 'spent' }, quantileLevel: 0.8 },
];

const definition = exampleDefinition(
  { variants: [{ key: 'A' }, { key: 'B' }], control: 'A' },
  METRICS.map((input) => ({ input, role: 'secondary' as const })),
);
const service = new ResultsService(new OneDefinition(definition), new CountedEvidence(units, { completedAtUs: 50_000_000 }));
const results = service.results({ project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: 100_000_000 });

const ask = (metric: string, more: Partial<z.input<typeof historyQuestion>> = {}): HistoryQuestion =>
  historyQuestion.parse({ metric, minimumEffect: { relative: 0.05 }, method: 'fixed-horizon', ...more });
const planned = async (metric: string, more?: Partial<z.input<typeof historyQuestion>>) => {
  const question = ask(metric, more);
  const { expected, history } = expectedFromHistory(question, await results);
  return { ...planFor(question, expected), history };
};

describe('a plan from what has run', () => {
  it('takes mean and spread of control, and what its covariate took out', async () => {
    const { history, fixed } = await planned('spend');
    expect(history).toMatchObject({ metric: 'spend', type: 'mean', units: 200 });
    expect(history.correlation).toBeGreaterThan(0.8);
    const { mean, sd, correlation } = history;
    const asked = { metric: { mean, sd }, minimumEffect: { relative: 0.05 }, method: 'fixed-horizon' } as const;
    const rest = { sides: 'two-sided', alpha: 0.05, power: 0.8, treatments: 1, successMetrics: 1, controlPerTreatment: 1 } as const;
    expect(fixed).toEqual(powerPlan({ ...asked, ...rest, correlation: correlation ?? 0 }).fixed);
    const without = await planned('spend', { adjusted: false });
    expect(without.history.correlation).toBeNull();
    expect(fixed.total / without.fixed.total).toBeCloseTo(1 - (correlation ?? 0) ** 2, 1);
  });

  it('of a rate takes its height, of a ratio and a quantile their error per unit', async () => {
    const buyers = await planned('buyers');
    expect(buyers.history.mean).toBeCloseTo(67 / 200, 12);
    expect(buyers.history.sd).toBeCloseTo(Math.sqrt((67 / 200) * (133 / 200)), 12);
    for (const key of ['per-ask', 'p80']) {
      const { history, fixed } = await planned(key);
      const result = (await results).metrics.find(({ metric }) => metric === key);
      const control = result?.arms[0];
      expect([history.mean, history.sd]).toEqual([control?.mean, Math.sqrt(control?.variance ?? 0)]);
      const expected = (2 * 2.8015852 ** 2 * history.sd ** 2) / (0.05 * history.mean) ** 2;
      expect(fixed.treatment / expected).toBeCloseTo(1, 2);
    }
  });

  it('plans every method from it', async () => {
    const bayesian = { prior: { mean: 0, sd: 0.1 } };
    for (const more of [
      { method: 'sequential' },
      { method: 'group-sequential' },
      { method: 'msprt', tau: 1 },
      { method: 'bayesian', bayesian },
    ] as const)
      expect((await planned('spend', more)).watched?.maximumUnits).toBeGreaterThan(50);
  });

  it('allows for what a sequence of a quantile is wider', async () => {
    const about = { method: 'sequential', adjusted: false, minimumEffect: { relative: 0.005 } } as const;
    const [quantile, mean] = [(await planned('p80', about)).watched, (await planned('spend', about)).watched];
    // Bounds 1.1 times as high, and the same for what is left to chance: less than 1.21 times the units.
    const ratio = (quantile?.inflation ?? 0) / (mean?.inflation ?? 1);
    expect(ratio).toBeGreaterThan(1.1);
    expect(ratio).toBeLessThan(1.21);
  });

  it('refuses a metric that is not there, with those that are', async () => {
    await expect(planned('spent')).rejects.toThrow('/metric: button has no metric spent: it has spend, buyers, per-ask, p80');
  });

  it('refuses a metric without spread', async () => {
    const silent = {
      ...(await results),
      metrics: (await results).metrics.map((one) => ({ ...one, arms: one.arms.map((arm) => ({ ...arm, variance: 0 })) })),
    };
    expect(() => expectedFromHistory(ask('spend'), silent)).toThrow('spend has 200 closed units in A, and no spread between them yet');
  });
});
