import { describe, expect, it } from '@jest/globals';
import type { AnalysisPlan, EffectEstimate, MetricResult } from '@rampart/contracts';
import { type ExampleMetric, exampleDefinition } from '../figures/figures.examples.js';
import { CountedEvidence, type ExampleUnit } from './counted-evidence.examples.js';
import { OneDefinition } from './evidence.examples.js';
import type { SeenEvent } from './evidence.source.js';
import { ResultsService } from './results.service.js';

const HOUR = 1_000_000;
const latency = (more: Partial<ExampleMetric['input']> = {}, role: 'success' | 'secondary' = 'success'): ExampleMetric => ({
  input: { key: 'latency', type: 'quantile', quantileLevel: 0.5, direction: 'decrease', windowUs: HOUR, ...more },
  use: { role },
});

/** Two hundred units an arm, each with `each` requests: those of a unit are alike, and B is faster by ten, or more. */
const units = (each: number, gain = 10): readonly ExampleUnit[] =>
  Array.from({ length: 400 }, (_, index) => {
    const isB = index % 2 === 1;
    const own = ((Math.floor(index / 2) * 37) % 200) / 2 + (isB ? 100 - gain : 100);
    return { variant: isB ? 'B' : 'A', events: { latency: Array.from({ length: each }, (__, request) => own + request / 100) } };
  });

const ask = (
  metric: ExampleMetric,
  kind: 'live' | 'historical' = 'historical',
  plan: Partial<AnalysisPlan> = {},
  each = 3,
  gain = 10,
  seen: readonly SeenEvent[] = [],
) => {
  const about = { variants: [{ key: 'A' }, { key: 'B' }], control: 'A', plan: { allowedLatenessUs: 1000, ...plan } };
  const definition = exampleDefinition(about, [metric], kind);
  const evidence = new CountedEvidence(units(each, gain), { completedAtUs: 50_000_000, seen });
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

  it('is shown beside a plan with several looks, and is no part of its evidence there', async () => {
    const { metrics, sufficientStatistics } = await ask(latency({}, 'secondary'), 'live');
    const [comparison] = metrics[0]?.comparisons ?? [];
    expect(comparison).toMatchObject({ anytime: { level: 0.95, widening: 1 }, absolute: { estimate: expect.closeTo(-10, 12) } });
    expect(metrics[0]?.notes[1]).toContain('asymptotic');
    expect(sufficientStatistics.some((row) => row.quantile !== undefined)).toBe(false);
    const open = await ask(latency({ windowUs: null }, 'secondary'), 'live');
    expect(open.metrics[0]?.comparisons[0]?.anytime?.absolute).toEqual({ refused: 'OPEN_WINDOW' });
  });

  const watched = { method: 'sequential', plannedUnits: 400, minimumRunUs: 0 } as const;

  it.each(['events', 'units'] as const)('of %s decides at any look, by the order statistics that are its evidence', async (quantileOf) => {
    const metric = latency({ quantileOf, ...(quantileOf === 'units' ? { aggregate: 'max' } : {}) });
    const { verdict, metrics, sufficientStatistics } = await ask(metric, 'live', watched, 3, 60);
    expect(verdict).toMatchObject({ verdict: 'go', rule: 'shown-to-be-good' });
    const [comparison] = metrics[0]?.comparisons ?? [];
    const interval = comparison?.anytime?.absolute;
    if (interval === undefined || 'refused' in interval) throw new Error(`no interval: ${JSON.stringify(comparison)}`);
    expect([interval.lower < -60, interval.upper > -60, interval.upper < -30, interval.multiplier]).toEqual([true, true, true, null]);
    expect(comparison?.adjustedInterval?.absolute).toMatchObject({ kind: 'simultaneous', lower: interval.lower, upper: interval.upper });
    const [row, other] = sufficientStatistics.filter(({ quantile }) => quantile !== undefined);
    expect([row?.arm, other?.arm]).toEqual(['A', 'B']);
    const { ranks = [], values = [] } = row?.quantile?.ladder ?? {};
    expect(ranks.length).toBe(values.length);
    // As far as 16 standard errors of the rank reach.
    expect([ranks[0], ranks.at(-1)]).toEqual(quantileOf === 'units' ? [5, 195] : [expect.any(Number), expect.any(Number)]);
    expect(values[ranks.indexOf(quantileOf === 'units' ? 100 : 300)]).toBe(row?.quantile?.value);
  });

  it('that got worse is harm at any look, and with a margin not kept', async () => {
    const guardrail: ExampleMetric = { ...latency({ direction: 'increase', quantileOf: 'units' }), use: { role: 'guardrail' } };
    const harmed = await ask(guardrail, 'live', watched, 1, 60);
    expect(harmed.verdict).toMatchObject({ verdict: 'no-go', rule: 'deteriorated' });
    const within = (margin: { absolute: number } | { relative: number }): ExampleMetric => ({
      ...latency({ direction: 'increase', quantileOf: 'units' }),
      use: { role: 'guardrail', margin },
    });
    for (const margin of [{ absolute: 60 }, { relative: 0.4 }] as const) {
      const kept = await ask(within(margin), 'live', watched, 1, 0);
      expect(kept.verdict).toMatchObject({ verdict: 'go' });
      const open = await ask(within(margin), 'live', watched, 1, 40);
      expect(open.verdict.verdict).not.toBe('go');
    }
  });

  it('of values that are the same in both arms is not worse, and keeps its margin', async () => {
    const guardrail = (event: string): ExampleMetric => ({
      input: {
        key: event,
        type: 'quantile',
        quantileLevel: 0.5,
        quantileOf: 'units',
        aggregate: 'count',
        direction: 'decrease',
        windowUs: HOUR,
      },
      use: { role: 'guardrail', margin: { absolute: 1 } },
    });
    const seen = [{ name: 'latency', lastAtUs: 99_000_000 }];
    const same = await ask(guardrail('latency'), 'live', watched, 2, 10, seen);
    expect(same.metrics[0]?.comparisons[0]).toMatchObject({
      absolute: { refused: 'ZERO_NEGATIVE_VARIANCE' },
      anytime: { absolute: { lower: 0, upper: 0, p: 1 } },
    });
    expect(same.verdict).toMatchObject({ verdict: 'go', rule: 'shown-to-be-good' });
    // Nothing came, and nothing like it ever came: who knows whether it would have.
    const silent = await ask(guardrail('latency'), 'live', watched, 2);
    expect(silent.verdict.sentence).toContain('latency has no data');
  });

  it('is refused where there are too few events for its level, or all are the same', async () => {
    const rare = await resultOf(latency({ quantileLevel: 0.999 }));
    expect(rare.comparisons[0]?.absolute).toMatchObject({ refused: 'TOO_FEW_OBSERVATIONS' });
    const same = await resultOf(latency({ quantileOf: 'units', aggregate: 'count' }));
    expect(same.comparisons[0]?.absolute).toMatchObject({ refused: 'ZERO_NEGATIVE_VARIANCE' });
  });
});
