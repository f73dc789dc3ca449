import { describe, expect, it } from '@jest/globals';
import type { AnalysisPlan, EffectEstimate, MetricResult } from '@rampart/contracts';
import { decidingComparisons } from '../figures/corrected-for-many.js';
import { type ExampleMetric, exampleDefinition } from '../figures/figures.examples.js';
import { CountedEvidence, type ExampleUnit } from './counted-evidence.examples.js';
import { OneDefinition } from './evidence.examples.js';
import { ResultsService } from './results.service.js';

const spend: ExampleMetric = {
  input: { key: 'spend', type: 'mean', numerator: { event: 'spent' } },
  use: { role: 'guardrail', margin: { relative: 0.1 } },
};
const stratum = { property: 'size', values: ['small', 'large'] };

const resultOf = async (units: readonly ExampleUnit[], metric = spend, plan: Partial<AnalysisPlan> = { stratum }) => {
  const definition = exampleDefinition({ variants: [{ key: 'A' }, { key: 'B' }], control: 'A', plan }, [metric]);
  const service = new ResultsService(new OneDefinition(definition), new CountedEvidence(units, { completedAtUs: 50_000_000 }));
  const results = await service.results({ project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: 100_000_000 });
  const [result] = results.metrics;
  if (result === undefined) throw new Error('no result');
  return { ...results, result };
};

/** Units of one arm and size: what they spend goes around the mean in turn, and what they spent before goes with it. */
const units = (count: number, variant: string, size: string | null, mean: number): ExampleUnit[] =>
  Array.from({ length: count }, (_, index) => ({
    variant,
    events: { spent: [mean - 2 + (index % 5)], 'before:spent': [mean + ((index * 7) % 3) + (index % 5)], visit: [1 + (index % 2)] },
    ...(size === null ? {} : { properties: { size } }),
  }));

/** Better for both sizes, and worse in total, since the treatment has most of the small. */
const simpson = [
  ...units(90, 'A', 'large', 50),
  ...units(30, 'A', 'small', 10),
  ...units(30, 'B', 'large', 51),
  ...units(90, 'B', 'small', 11),
];

const effectOf = (result: MetricResult): EffectEstimate => {
  const effect = decidingComparisons(result)[0]?.absolute;
  if (effect === undefined || 'refused' in effect) throw new Error(`no effect: ${JSON.stringify(effect)}`);
  return effect;
};

describe('a plan with strata', () => {
  it('compares like with like, and says so', async () => {
    const { result } = await resultOf(simpson);
    expect(result.comparisons[0]?.absolute).toMatchObject({ estimate: expect.closeTo(-19, 12) });
    expect(effectOf(result).estimate).toBeCloseTo(1, 12);
    expect(result.notes).toContain('the comparison by 2 strata of size decides');
  });

  it('has the error of the strata alone', async () => {
    const { result } = await resultOf(simpson);
    // Of a stratum the values −2 … 2 in turn: Σd² = 2 a unit.
    const ofMean = (count: number) => (2 * count) / (count - 1) / count;
    const within = 0.5 ** 2 * 2 * (ofMean(90) + ofMean(30));
    expect(effectOf(result).se).toBeCloseTo(Math.sqrt(within), 12);
    expect(effectOf(result).df).toBe(240 - 4);
  });

  it('keeps the margin by strata, and judges by it', async () => {
    const { result, verdict } = await resultOf(simpson);
    expect(decidingComparisons(result)[0]?.nonInferiority).toMatchObject({ nonInferior: true });
    expect(result.comparisons[0]?.nonInferiority).toMatchObject({ nonInferior: false });
    expect(verdict.findings.find(({ kind }) => kind === 'non-inferiority')).toMatchObject({ holds: true });
  });

  it('takes the covariate besides', async () => {
    const covariate = { lookbackUs: 1_500_000 };
    const adjusted = { ...spend, input: { ...spend.input, covariate } };
    const [plain, both] = [(await resultOf(simpson)).result, (await resultOf(simpson, adjusted)).result];
    expect(effectOf(both).se).toBeLessThan(effectOf(plain).se);
    expect(both.notes).toContain('the comparison by 2 strata of size, with the covariate, decides');
  });

  it('stratifies the parts of a ratio', async () => {
    const perVisit: ExampleMetric = { input: { ...spend.input, type: 'ratio', denominator: { event: 'visit' } } };
    const { result } = await resultOf(simpson, perVisit);
    expect(effectOf(result).estimate).toBeGreaterThan(0);
    expect(result.comparisons[0]?.absolute).toMatchObject({ estimate: expect.closeTo(-19 / 1.5, 10) });
    const covariate = { lookbackUs: 1_500_000 };
    const refused = await resultOf(simpson, { input: { ...perVisit.input, covariate } });
    expect(refused.result.stratified).toEqual({ refused: 'RATIO_WITH_COVARIATE' });
  });

  it('holds at every look where the plan is looked at', async () => {
    const live = exampleDefinition(
      { variants: [{ key: 'A' }, { key: 'B' }], control: 'A', plan: { stratum, allowedLatenessUs: 1000 } },
      [{ ...spend, input: { ...spend.input, windowUs: 1_000_000 } }],
      'live',
    );
    const asked = { project: 'shop', environment: 'past', experiment: 'button', asOfUs: null, nowUs: 100_000_000 };
    const { metrics } = await new ResultsService(new OneDefinition(live), new CountedEvidence(simpson)).results(asked);
    const anytime = metrics[0]?.stratified;
    expect(anytime !== undefined && 'comparisons' in anytime ? anytime.comparisons[0]?.anytime?.absolute : null).toMatchObject({
      lower: expect.any(Number),
      p: expect.any(Number),
    });
  });

  it('is compared plainly, with a note, where fewer than two strata can be told apart', async () => {
    const { result } = await resultOf([...units(50, 'A', null, 10), ...units(50, 'B', null, 12)]);
    expect(result.stratified).toEqual({ refused: 'FEWER_THAN_TWO_STRATA' });
    expect(effectOf(result).estimate).toBeCloseTo(2, 12);
    expect(result.notes).toContain('not post-stratified (FEWER_THAN_TWO_STRATA): the plain comparison decides');
  });

  it('has its sums by stratum among the evidence', async () => {
    const { sufficientStatistics } = await resultOf(simpson);
    expect(sufficientStatistics.map(({ variant, stratum: of, units: n }) => [variant, of, n])).toEqual([
      ['A', '=large', 90],
      ['A', '=small', 30],
      ['B', '=large', 30],
      ['B', '=small', 90],
    ]);
  });

  const before = (event: string) => ({ selector: { event }, lookbackUs: 1_500_000, whenMissing: 'zero' as const });
  /** What is spent is the size's own, twice the visits before less the complaints before, half a unit more in B, and a little besides. */
  const withHistory = (['A', 'B'] as const).flatMap((variant) =>
    (['small', 'large'] as const).flatMap((size) =>
      Array.from({ length: variant === 'A' ? 120 : 80 }, (_, index): ExampleUnit => {
        const [visits, complaints] = [(index * 7) % 11, (index * 5) % 4];
        const spent = (size === 'small' ? 10 : 60) + 2 * visits - complaints + (variant === 'B' ? 0.5 : 0) + ((index * 3) % 5) / 10;
        const events = { spent: [spent], 'before:visited': [visits], 'before:twin': [3 * visits], 'before:complaint': [complaints] };
        return { variant, properties: { size }, events };
      }),
    ),
  );
  const spendBy = (more: Partial<ExampleMetric['input']>): ExampleMetric => ({
    input: { key: 'spend', type: 'mean', numerator: { event: 'spent' }, ...more },
  });

  it('takes out what several covariates tell within the strata', async () => {
    const { result } = await resultOf(withHistory, spendBy({ covariates: [before('visited'), before('complaint')] }));
    const { estimate, se } = effectOf(result);
    expect(estimate).toBeCloseTo(0.5, 1);
    // What is left are tenths from 0 to 4 in turn: a standard deviation of 0.14.
    expect(se).toBeLessThan(0.02);
    expect(result.notes).toContain('the comparison by 2 strata of size, with the covariate, decides');
    const alone = await resultOf(withHistory, spendBy({ covariate: before('visited') }));
    expect(se).toBeLessThan(0.3 * effectOf(alone.result).se);
  });

  it('is the comparison with one covariate where the others say the same', async () => {
    const [several, one] = await Promise.all([
      resultOf(withHistory, spendBy({ covariates: [before('visited'), before('twin')] })),
      resultOf(withHistory, spendBy({ covariate: before('visited') })),
    ]);
    const [a, b] = [effectOf(several.result), effectOf(one.result)];
    expect(a.estimate / b.estimate).toBeCloseTo(1, 9);
    expect(a.se / b.se).toBeCloseTo(1, 9);
  });

  it('falls back where no covariate varies', async () => {
    const { result } = await resultOf(withHistory, spendBy({ covariates: [before('nothing'), before('never')] }));
    expect(result.stratified).toEqual({ refused: 'ZERO_COVARIATE_VARIANCE' });
  });
});
