import { describe, expect, it } from '@jest/globals';
import type { AnalysisPlan, EffectEstimate, MetricResult } from '@rampart/contracts';
import { type ExampleMetric, exampleDefinition } from '../figures/figures.examples.js';
import { CountedEvidence, type ExampleUnit } from './counted-evidence.examples.js';
import { OneDefinition } from './evidence.examples.js';
import { ResultsService } from './results.service.js';

const HOUR = 1_000_000;
const latency = (more: Partial<ExampleMetric['input']> = {}, role: 'success' | 'secondary' = 'success'): ExampleMetric => ({
  input: { key: 'latency', type: 'quantile', quantileLevel: 0.5, direction: 'decrease', windowUs: HOUR, ...more },
  use: { role },
});

/** Two hundred units an arm, each with `each` requests: those of a unit are alike, and B is faster by ten. */
const units = (each: number): readonly ExampleUnit[] =>
  Array.from({ length: 400 }, (_, index) => {
    const isB = index % 2 === 1;
    const own = ((Math.floor(index / 2) * 37) % 200) / 2 + (isB ? 90 : 100);
    return { variant: isB ? 'B' : 'A', events: { latency: Array.from({ length: each }, (__, request) => own + request / 100) } };
  });

const ask = (metric: ExampleMetric, kind: 'live' | 'historical' = 'historical', plan: Partial<AnalysisPlan> = {}, each = 3) => {
  const about = { variants: [{ key: 'A' }, { key: 'B' }], control: 'A', plan: { allowedLatenessUs: 1000, ...plan } };
  const definition = exampleDefinition(about, [metric], kind);
  const evidence = new CountedEvidence(units(each), { completedAtUs: 50_000_000 });
  const asked = { project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: 100_000_000 };
  return new ResultsService(new OneDefinition(definition), evidence).results(asked);
};

const resultOf = async (...asked: Parameters<typeof ask>): Promise<MetricResult> => {
  const [result] = (await ask(...asked)).metrics;
  if (result === undefined) throw new Error('no result');
  return result;
};

const effectOf = ({ comparisons: [comparison] }: MetricResult): EffectEstimate => {
  if (comparison === undefined || 'refused' in comparison.absolute) throw new Error(`no effect: ${JSON.stringify(comparison)}`);
  return comparison.absolute;
};

describe('a quantile metric', () => {
  it('of events compares what half of all events do not exceed', async () => {
    const result = await resultOf(latency());
    expect(result.arms[0]).toMatchObject({ n: 200, quantile: { level: 0.5, of: 'events', observations: 600 } });
    expect(effectOf(result).estimate).toBeCloseTo(-10, 12);
    expect(effectOf(result).df).toBeCloseTo(398, 0);
  });

  it('takes the events of a unit together: asking each unit more often makes nothing surer', async () => {
    const [once, often] = [
      effectOf(await resultOf(latency(), 'historical', {}, 1)),
      effectOf(await resultOf(latency(), 'historical', {}, 12)),
    ];
    expect(often.se / once.se).toBeGreaterThan(0.9);
    expect(often.se / once.se).toBeLessThan(1.1);
    // Of 200 values half a unit apart, ranks 86 and 114 bound the median: 14 / 2z each.
    expect(once.se).toBeCloseTo((Math.SQRT2 * 14) / (2 * 1.959963984540054), 2);
  });

  it('of units takes one value of each', async () => {
    const result = await resultOf(latency({ quantileOf: 'units', aggregate: 'max' }));
    expect(result.arms[0]?.quantile).toMatchObject({ of: 'units', observations: 200 });
    expect(effectOf(result).estimate).toBeCloseTo(-10, 12);
  });

  it('decides at the one look of a history, with its order statistics as evidence', async () => {
    const { verdict, sufficientStatistics, evidenceDigest } = await ask(latency());
    expect(verdict).toMatchObject({ verdict: 'go', rule: 'shown-to-be-good' });
    expect(sufficientStatistics.filter((row) => row.quantile !== undefined)).toMatchObject([
      { variant: '*', arm: 'A', quantile: { observations: 600, clusters: { sumX: '600', sumSquaresX: '1800' } } },
      { variant: '*', arm: 'B' },
    ]);
    expect(evidenceDigest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is judged at the one look of a fixed horizon, and not before', async () => {
    const plan = { method: 'fixed-horizon', minimumRunUs: 0 } as const;
    const due = await ask(latency(), 'live', { ...plan, plannedEndUs: 90_000_000 });
    expect(due.sufficientStatistics.some((row) => row.quantile !== undefined)).toBe(true);
    const early = await ask(latency(), 'live', { ...plan, plannedEndUs: 900_000_000 });
    expect(early.sufficientStatistics.some((row) => row.quantile !== undefined)).toBe(false);
    expect(effectOf(early.metrics[0] as MetricResult).estimate).toBeCloseTo(-10, 12);
  });

  it('is shown beside a plan with several looks, without an interval that would hold at them', async () => {
    const { metrics, sufficientStatistics } = await ask(latency({}, 'secondary'), 'live');
    expect(metrics[0]?.comparisons[0]).toMatchObject({ anytime: null, absolute: { estimate: expect.closeTo(-10, 12) } });
    expect(metrics[0]?.notes[0]).toContain('holds at one look');
    expect(sufficientStatistics.some((row) => row.quantile !== undefined)).toBe(false);
  });

  it('is refused where there are too few events for its level, or all are the same', async () => {
    const rare = await resultOf(latency({ quantileLevel: 0.999 }));
    expect(rare.comparisons[0]?.absolute).toMatchObject({ refused: 'TOO_FEW_OBSERVATIONS' });
    const same = await resultOf(latency({ quantileOf: 'units', aggregate: 'count' }));
    expect(same.comparisons[0]?.absolute).toMatchObject({ refused: 'ZERO_NEGATIVE_VARIANCE' });
  });
});
