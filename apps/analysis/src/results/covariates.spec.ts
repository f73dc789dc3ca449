import { describe, expect, it } from '@jest/globals';
import type { CupedResult } from '@rampart/contracts';
import { type ExampleMetric, exampleDefinition } from '../figures/figures.examples.js';
import { CountedEvidence, type ExampleUnit } from './counted-evidence.examples.js';
import { OneDefinition } from './evidence.examples.js';
import { ResultsService } from './results.service.js';

/** What a unit spends is twice its visits before, less its complaints before, and a little more in B. */
const units: readonly ExampleUnit[] = Array.from({ length: 300 }, (_, index) => {
  const isB = index % 2 === 1;
  const [visits, complaints] = [(index * 7) % 11, Math.floor(index / 2) % 4];
  const spent = 10 + 2 * visits - complaints + (isB ? 0.5 : 0) + ((index * 3) % 5) / 10;
  const history: Readonly<Record<string, readonly number[]>> = Math.floor(index / 2) % 10 === 0 ? {} : { 'before:complaint': [complaints] };
  return { variant: isB ? 'B' : 'A', events: { spent: [spent], 'before:visited': [visits], 'before:twin': [3 * visits], ...history } };
});

const covariate = (event: string, whenMissing: 'zero' | 'exclude' = 'zero') => ({
  selector: { event },
  lookbackUs: 1_500_000,
  whenMissing,
});

const adjusted = async (covariates: NonNullable<ExampleMetric['input']['covariates']>): Promise<CupedResult> => {
  const metric: ExampleMetric = { input: { key: 'spend', type: 'mean', numerator: { event: 'spent' }, covariates } };
  const definition = exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A' }, [metric]);
  const service = new ResultsService(new OneDefinition(definition), new CountedEvidence(units, { completedAtUs: 50_000_000 }));
  const asked = { project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: 100_000_000 };
  const [result] = (await service.results(asked)).metrics;
  if (result === undefined || result.cuped === null || 'refused' in result.cuped) throw new Error(JSON.stringify(result?.cuped));
  return result.cuped;
};

describe('a metric with several covariates', () => {
  it('takes out what they tell together, each with its weight', async () => {
    const {
      slopes,
      covariate: names,
      theta,
      comparisons,
      units: n,
      arms,
    } = await adjusted([covariate('visited'), covariate('complaint', 'exclude')]);
    expect(names).toBe('visited + complaint');
    expect(n).toBe(270);
    expect(theta).toBeCloseTo(1, 12);
    expect(slopes?.map(({ theta: weight }) => weight)).toEqual([expect.closeTo(2, 1), expect.closeTo(-1, 1)]);
    expect(comparisons[0]?.absolute).toMatchObject({ estimate: expect.closeTo(0.5, 1) });
    expect(arms[0]?.varianceReduction).toBeGreaterThan(0.99);
  });

  it('leaves out one that the others make superfluous', async () => {
    const { slopes } = await adjusted([covariate('visited'), covariate('twin')]);
    expect(slopes).toEqual([
      { covariate: 'visited', theta: expect.any(Number) },
      { covariate: 'twin', theta: null },
    ]);
  });
});
