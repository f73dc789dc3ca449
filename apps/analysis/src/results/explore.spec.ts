import { describe, expect, it } from '@jest/globals';
import { type MetricInput, metricDefinition } from '@rampart/contracts';
import { exampleDefinition } from '../figures/figures.examples.js';
import { CountedEvidence, type ExampleUnit } from './counted-evidence.examples.js';
import { OneDefinition } from './evidence.examples.js';
import { ResultsService } from './results.service.js';

const variants = { variants: [{ key: 'A' }, { key: 'B' }], control: 'A' };
const history = exampleDefinition(variants, [{ input: { key: 'bought', type: 'proportion' } }]);

/** Of each ten units in A two buy, in B four; B visits once more. */
const units: readonly ExampleUnit[] = Array.from({ length: 400 }, (_, index) => {
  const isB = index % 2 === 1;
  const buys = Math.floor(index / 2) % 10 < (isB ? 4 : 2);
  return { variant: isB ? 'B' : 'A', events: { visit: Array((index % 3) + (isB ? 2 : 1)).fill(1), ...(buys ? { bought: [1] } : {}) } };
});

const visits = (more: Partial<MetricInput> = {}) =>
  metricDefinition.parse({ key: 'visits', name: 'Visits', type: 'count', unitType: 'user', numerator: { event: 'visit' }, ...more });

const seen = ['visit', 'bought'].map((name) => ({ name, lastAtUs: 3_000_000 }));
const explore = (metric = visits(), definition = history) =>
  new ResultsService(new OneDefinition(definition), new CountedEvidence(units, { completedAtUs: 50_000_000, seen })).explore(
    { project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: 100_000_000 },
    metric,
  );

describe('an exploration', () => {
  it('answers one metric that nobody defined, marked as such', async () => {
    const { exploratory, metric, warnings, status, sufficientStatistics } = await explore();
    expect(exploratory).toBe(true);
    expect(status).toBe('complete');
    expect(metric).toMatchObject({ metric: 'visits', version: 0, role: 'secondary', arms: [{ n: 200, mean: 2 }, { n: 200 }] });
    expect(metric.comparisons[0]?.absolute).toMatchObject({ estimate: expect.closeTo(0.995, 12) });
    expect(metric.notes).toContain('exploratory: not of the plan, for display only');
    expect(warnings).toEqual([]);
    expect(sufficientStatistics.map((row) => [row.metric, row.variant, row.sum])).toEqual([
      ['visits', 'A', '400000000'],
      ['visits', 'B', '599000000'],
    ]);
  });

  it('is corrected together with the metrics of the plan', async () => {
    const never = await explore(visits({ key: 'again', type: 'proportion', numerator: { event: 'bought' } }));
    // The same test twice: by Benjamini and Hochberg both keep their p.
    const [comparison] = never.metric.comparisons;
    expect(never.tests).toBe(2);
    expect(comparison?.adjustedP).toBe(comparison?.absolute !== undefined && 'p' in comparison.absolute ? comparison.absolute.p : null);
    const { metric, tests } = await explore(visits({ type: 'mean' }));
    const raw = metric.comparisons[0]?.absolute;
    expect(tests).toBe(2);
    expect(metric.comparisons[0]?.adjustedP).toBeGreaterThan(raw !== undefined && 'p' in raw ? raw.p : 1);
  });

  it('goes by evidence that holds at every look where the plan is looked at', async () => {
    const live = exampleDefinition(
      { ...variants, plan: { allowedLatenessUs: 1000 } },
      [{ input: { key: 'bought', type: 'proportion', windowUs: 1_000_000 } }],
      'live',
    );
    const { metric, status } = await explore(visits({ windowUs: 1_000_000 }), live);
    const anytime = metric.comparisons[0]?.anytime?.absolute;
    expect(status).toBe('running');
    expect(metric.comparisons[0]?.adjustedP).toBeGreaterThanOrEqual(anytime !== undefined && 'p' in anytime ? anytime.p : 1);
  });

  it('refuses a metric of other units, and warns of an event that never came', async () => {
    await expect(explore(visits({ unitType: 'device' }))).rejects.toMatchObject({
      code: 'metric-unit-type',
      message: 'the metric is measured per device, button compares units of type user',
      details: { path: '/definition/unitType' },
    });
    expect((await explore(visits({ numerator: { event: 'visits' } }))).warnings).toEqual([
      'metric visits counts the event visits, which this environment has never had: did you mean visit?',
    ]);
  });
});
