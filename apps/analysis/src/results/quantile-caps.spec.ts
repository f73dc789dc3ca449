import { describe, expect, it } from '@jest/globals';
import { type AnalysisPlan, bayesianPlan, type MetricInput, type Results } from '@rampart/contracts';
import { exampleDefinition } from '../figures/figures.examples.js';
import { CountedEvidence, type ExampleUnit } from './counted-evidence.examples.js';
import { OneDefinition } from './evidence.examples.js';
import { ResultsService } from './results.service.js';

const HOUR = 1_000_000;

/** Everybody spends 1 to 100 in turn, B one more; four units of B spend a fortune. */
const units: readonly ExampleUnit[] = Array.from({ length: 800 }, (_, index) => {
  const isB = index % 2 === 1;
  const place = Math.floor(index / 2);
  const isFortune = isB && place % 100 === 7;
  return { variant: isB ? 'B' : 'A', events: { spent: [isFortune ? 1_000_000 : 1 + ((place * 37) % 100) + (isB ? 1 : 0)] } };
});

const ask = (
  caps: Pick<MetricInput, 'capQuantile' | 'capUpper'>,
  kind: 'live' | 'historical' = 'historical',
  plan: Partial<AnalysisPlan> = {},
): Promise<Results> => {
  const input = { key: 'spent', type: 'mean' as const, windowUs: HOUR, ...caps };
  const about = { variants: [{ key: 'A' }, { key: 'B' }], control: 'A', plan: { allowedLatenessUs: 1000, minimumRunUs: 0, ...plan } };
  const definition = exampleDefinition(about, [{ input }], kind);
  const service = new ResultsService(new OneDefinition(definition), new CountedEvidence(units, { completedAtUs: 50_000_000 }));
  return service.results({ project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: 100_000_000 });
};

const spentOf = ({ metrics: [spent] }: Results) => {
  if (spent === undefined) throw new Error('one metric was asked for');
  return spent;
};

describe('a metric that is capped at a quantile of its own totals', () => {
  it('is one that is capped at that number', async () => {
    const [atQuantile, atNumber] = [await ask({ capQuantile: { upper: 0.99 } }), await ask({ capUpper: '100' })];
    const spent = spentOf(atQuantile);
    expect(spent.caps).toEqual({ lower: null, upper: 100, units: 800, areFixed: true });
    expect(spent.arms).toEqual(spentOf(atNumber).arms);
    expect(spent.comparisons).toEqual(spentOf(atNumber).comparisons);
    expect(spent.notes).toContain('totals are lowered to 100, from those of 800 units of all arms');
    expect(atNumber).not.toHaveProperty('metrics.0.caps');
  });

  it('shows the caps among the sums, and so in the digest of the evidence', async () => {
    const [one, other] = [await ask({ capQuantile: { upper: 0.99 } }), await ask({ capQuantile: { upper: 0.5 } })];
    expect(one.sufficientStatistics.filter(({ caps }) => caps !== undefined)).toEqual([
      expect.objectContaining({ metric: 'spent', variant: '*', arm: '*', caps: { lower: null, upper: '100000000', units: 800 } }),
    ]);
    expect(one.evidenceDigest).not.toBe(other.evidenceDigest);
    expect((await ask({ capQuantile: { upper: 0.99 } })).evidenceDigest).toBe(one.evidenceDigest);
  });

  it('decides nothing in a plan of several looks before the first units have fixed the caps', async () => {
    const sequential = { method: 'sequential', plannedUnits: 2_000 } as const;
    const waiting = spentOf(await ask({ capQuantile: { upper: 0.9, cohort: 5_000 } }, 'live', sequential));
    expect(waiting.caps).toMatchObject({ units: 800, areFixed: false });
    expect(waiting.comparisons[0]?.anytime?.absolute).toEqual({ refused: 'CAPS_NOT_FIXED', have: 800, needed: 5_000 });
    expect(waiting.notes.at(-1)).toContain('not fixed before 5000 have closed');
    // All units of the example are exposed at one moment: whoever is among the first five hundred, so are the others.
    const fixed = await ask({ capQuantile: { upper: 0.9, cohort: 500 } }, 'live', sequential);
    expect(spentOf(fixed).caps).toMatchObject({ units: 800, areFixed: true });
    expect(spentOf(fixed).comparisons[0]?.anytime?.absolute).toHaveProperty('logE');
  });

  it('waits as well where planned looks or an expected loss decide', async () => {
    const capQuantile = { upper: 0.9, cohort: 5_000 };
    const bayesian = bayesianPlan.parse({ prior: { mean: 0, sd: 0.3 }, minimumUnits: 100, expectedLoss: 0.5, chanceToWin: 0.6 });
    const plans: readonly Partial<AnalysisPlan>[] = [
      { method: 'group-sequential', looks: { atUs: [5_000_000] } },
      { method: 'bayesian', bayesian },
    ];
    for (const plan of plans) {
      const { verdict } = await ask({ capQuantile }, 'live', plan);
      expect(verdict.verdict).not.toBe('go');
      expect(verdict.sentence).toContain('spent has no result (its caps are not fixed: 800 of 5,000 units that give them have closed)');
      const fixed = await ask({ capQuantile: { ...capQuantile, cohort: 500 } }, 'live', plan);
      expect(fixed.verdict.sentence).not.toContain('caps');
    }
  });
});
