import { describe, expect, it } from '@jest/globals';
import type { Comparison, CupedResult, Effect, EffectEstimate, MetricResult } from '@rampart/contracts';
import type { ComparisonSums } from '@rampart/feedback-store';
import { comparisonQuery, type DefinitionInForce } from '../definitions/definition-in-force.js';
import { exampleComparison, exampleDefinition, exampleSums, noDuplicates, wholeSums } from './figures.examples.js';
import { metricResults } from './metric-results.js';
import { populationOf, sampleRatio } from './population.js';
import {
  cookieCats,
  cookieCatsVariances,
  grocery,
  hillstrom,
  hillstromHolm,
  hillstromSpendAdjusted,
  hillstromSpendAdjustedWithin,
  progresa,
  progresaPri2000sAdjusted,
  progresaPri2000vAdjusted,
  progresaT2000Adjusted,
  type ReferenceAdjustment,
  type ReferenceComparison,
} from './reference-figures.examples.js';

/** Relative error ≤ 1e-9; for p below 1e-12, where the reference itself ends, 1e-6. */
const expectClose = (name: string, actual: number | null | undefined, expected: number): void => {
  const floor = expected > 0 && expected < 1e-12 ? 1e-6 : 1e-9;
  const error = Math.abs((actual ?? Number.NaN) - expected) / Math.abs(expected);
  if (!(error <= floor)) throw new Error(`${name}: got ${actual}, expected ${expected} (relative error ${error})`);
};

const estimate = (effect: Effect): EffectEstimate => {
  if ('refused' in effect) throw new Error(`refused: ${effect.refused}`);
  return effect;
};

const expectComparison = (actual: Comparison | undefined, reference: ReferenceComparison | undefined, relative?: Effect): void => {
  if (actual === undefined || reference === undefined) throw new Error('a comparison is missing');
  const absolute = estimate(actual.absolute);
  const lift = estimate(relative ?? actual.relative);
  const pairs: readonly [string, number | null | undefined, number][] = [
    ['diff', absolute.estimate, reference.diff],
    ['se', absolute.se, reference.se],
    ['t', absolute.statistic, reference.t],
    ['df', absolute.df, reference.df],
    ['p', absolute.p, reference.p],
    ['ci lower', absolute.ci.lower, reference.ci[0]],
    ['ci upper', absolute.ci.upper, reference.ci[1]],
    ['normal p', actual.normal?.p, reference.pNormal],
    ['normal ci lower', actual.normal?.ci.lower, reference.ciNormal[0]],
    ['normal ci upper', actual.normal?.ci.upper, reference.ciNormal[1]],
    ['relative', lift.estimate, reference.relative],
    ['relative se', lift.se, reference.relativeSe],
  ];
  for (const [name, value, expected] of pairs) expectClose(name, value, expected);
  if (reference.pooled === undefined) return;
  expectClose('pooled se', actual.pooledProportion?.se, reference.pooled.se);
  expectClose('pooled z', actual.pooledProportion?.z, reference.pooled.z);
  expectClose('pooled p', actual.pooledProportion?.p, reference.pooled.p);
};

const expectAdjustment = (actual: MetricResult['cuped'] | undefined, reference: ReferenceAdjustment): CupedResult => {
  if (actual === undefined || actual === null || 'refused' in actual) throw new Error(`no adjustment: ${JSON.stringify(actual)}`);
  expectClose('theta', actual.theta, reference.theta);
  for (const arm of actual.arms) {
    expectClose(`mean of ${arm.arm}`, arm.mean, reference.mean[arm.arm] ?? Number.NaN);
    expectClose(`variance of ${arm.arm}`, arm.variance, reference.variance[arm.arm] ?? Number.NaN);
    expectClose(`reduction of ${arm.arm}`, arm.varianceReduction, reference.reduction[arm.arm] ?? Number.NaN);
  }
  for (const comparison of actual.comparisons)
    expectComparison(comparison, reference.comparisons[comparison.treatment], comparison.relativeToAdjusted);
  return actual;
};

const resultsOf = (definition: DefinitionInForce, sums: ComparisonSums) => {
  const population = populationOf(definition.experiment, sums, noDuplicates);
  return {
    metrics: metricResults(definition, comparisonQuery(definition, 0), sums),
    population,
    srm: sampleRatio(definition.experiment, population),
  };
};

describe('Cookie Cats: two arms, no time', () => {
  const definition = exampleDefinition({ variants: [{ key: 'gate_30' }, { key: 'gate_40' }], control: 'gate_30' }, [
    { input: { key: 'retention_1', type: 'mean' } },
    { input: { key: 'retention_7', type: 'mean' } },
    { input: { key: 'sum_gamerounds', type: 'mean' } },
  ]);
  const { metrics, srm } = resultsOf(
    definition,
    exampleComparison([
      [wholeSums(44_700, 20_034, 20_034), wholeSums(44_700, 8_502, 8_502), wholeSums(44_700, 2_344_795, 3_068_811_771)],
      [wholeSums(45_489, 20_119, 20_119), wholeSums(45_489, 8_279, 8_279), wholeSums(45_489, 2_333_530, 605_052_202)],
    ]),
  );

  it.each(['retention_1', 'retention_7', 'sum_gamerounds'])('agrees about %s', (key) => {
    const result = metrics.find((metric) => metric.metric === key);
    expectComparison(result?.comparisons[0], cookieCats[key]);
    result?.arms.forEach((arm, index) => {
      expectClose('variance', arm.variance, cookieCatsVariances[key]?.[index] ?? Number.NaN);
    });
    expect(result?.comparisons[0]?.pooledProportion === null).toBe(key === 'sum_gamerounds');
  });

  it('agrees about the sample ratio, and lets it pass', () => {
    if ('refused' in srm.test) throw new Error(srm.test.refused);
    expectClose('chi2', srm.test.chi2, 6.9024049496058275);
    expectClose('p', srm.test.p, 0.00860798781083624);
    expect(srm).toMatchObject({ observed: { gate_30: 44_700, gate_40: 45_489 }, test: { df: 1, failed: false } });
  });

  it('writes sums as exact decimals', () => {
    expect(metrics[2]?.arms[0]).toMatchObject({ sum: '2344795', sumSquares: '3068811771', n: 44_700, isControl: true });
  });
});

describe('Hillstrom e-mail: three arms, Holm, a covariate that gains almost nothing', () => {
  const history = [
    [5_132_245_810_000n, 2_597_172_414_556_300_000_000n],
    [5_174_105_180_000n, 2_700_687_619_275_200_000_000n],
    [5_187_130_980_000n, 2_652_326_978_521_000_000_000n],
  ] as const;
  const spends = [
    [21_306, 13_908_330_000n, 2_870_050_362_100_000_000n, 4_267_933_839_900_000_000n],
    [21_307, 30_311_690_000n, 6_759_024_497_300_000_000n, 9_857_526_258_600_000_000n],
    [21_387, 23_038_110_000n, 4_911_446_576_300_000_000n, 7_513_096_192_300_000_000n],
  ] as const;
  const binaries = [
    [2_262, 122],
    [3_894, 267],
    [3_238, 189],
  ] as const;
  const sums = exampleComparison(
    spends.map(([units, sum, sumSquares, cross], cell) => {
      const [visits, conversions] = binaries[cell] ?? [0, 0];
      const [covariateSum = 0n, covariateSumSquares = 0n] = history[cell] ?? [];
      const covariate = { units, sum, sumSquares, covariateSum, covariateSumSquares, covariateCrossSum: cross };
      return [
        wholeSums(units, visits, visits),
        wholeSums(units, conversions, conversions),
        exampleSums(units, sum, sumSquares, { covariate }),
      ];
    }),
  );
  const define = (cupedTheta: 'pooled' | 'within') =>
    exampleDefinition({ variants: [{ key: 'none' }, { key: 'mens' }, { key: 'womens' }], control: 'none', plan: { cupedTheta } }, [
      { input: { key: 'visit', type: 'mean' } },
      { input: { key: 'conversion', type: 'mean' } },
      {
        input: {
          key: 'spend',
          type: 'mean',
          covariate: { selector: { event: 'history' }, lookbackUs: 2_000_000, whenMissing: 'zero' },
        },
      },
    ]);
  const { metrics, srm } = resultsOf(define('pooled'), sums);
  const all = metrics.flatMap((metric) => metric.comparisons.map((one) => ({ name: `${metric.metric}_${one.treatment}`, one })));

  it('agrees about three metrics in two arms', () => {
    expect(all).toHaveLength(6);
    for (const { name, one } of all) expectComparison(one, hillstrom[name]);
  });

  it('agrees about Holm over metrics × arms', () => {
    for (const { name, one } of all) expectClose(`Holm ${name}`, one.adjustedNormalP, hillstromHolm[name] ?? Number.NaN);
    expectClose('Holm on t', all[4]?.one.adjustedP, 3 * (hillstrom.spend_mens?.p ?? Number.NaN));
  });

  it('agrees about the adjusted spend with θ over all arms, and says that it gains nothing', () => {
    const spend = metrics[2];
    const cuped = expectAdjustment(spend?.cuped, hillstromSpendAdjusted);
    expectClose('mean covariate', cuped.covariateMean, 242.08565578125);
    expectClose('correlation', cuped.correlation, 0.02172900014413991);
    expect(cuped).toMatchObject({ covariate: 'history', units: 64_000, unitsWithoutCovariate: 0 });
    expect(spend?.notes.join()).toContain('at most 0.06 % off the variance: the adjustment gains almost nothing');
  });

  it('agrees about θ from values centred within each arm', () => {
    expectAdjustment(resultsOf(define('within'), sums).metrics[2]?.cuped, hillstromSpendAdjustedWithin);
  });

  it('agrees about the ratio of three cells', () => {
    if ('refused' in srm.test) throw new Error(srm.test.refused);
    expectClose('chi2', srm.test.chi2, 0.20253125000000002);
    expectClose('p', srm.test.p, 0.9036929575604196);
    expect(srm.test.df).toBe(2);
  });
});

describe('Progresa: values with fourteen decimals (scale 1e9), a covariate that one unit lacks', () => {
  const metric = (key: string, covariate: string) => ({
    input: {
      key,
      type: 'mean' as const,
      scale: 1_000_000_000,
      covariate: { selector: { event: covariate }, lookbackUs: 2_000_000, whenMissing: 'exclude' as const },
    },
  });
  const definition = exampleDefinition(
    {
      variants: [
        { key: 'control', weight: null },
        { key: 'treatment', weight: null },
      ],
      control: 'control',
    },
    [metric('t2000', 't1994'), metric('pri2000s', 'pri1994s'), metric('pri2000v', 'pri1994v')],
  );
  const paired = (units: number, sum: bigint, sumSquares: bigint, x: readonly [bigint, bigint, bigint]) =>
    exampleSums(units, sum, sumSquares, {
      covariate: { units, sum, sumSquares, covariateSum: x[0], covariateSumSquares: x[1], covariateCrossSum: x[2] },
    });
  const { metrics, srm } = resultsOf(
    definition,
    exampleComparison([
      [
        paired(138, 8806447037309408340n, 637538192402180404726314168041894600n, [
          8383935052901506230n,
          575383780899261157982596480524200500n,
          592819925322176633910862346510812300n,
        ]),
        paired(138, 4759475416317582330n, 194246386038691209309406665733256700n, [
          5316762316413223690n,
          238456379325379764697543897430359700n,
          204203027278798881466794067504912700n,
        ]),
        paired(138, 7764245587013409100n, 474145596050952082580315002989290000n, [
          9347597747994688300n,
          672324574263326628178493916246990000n,
          550501478445031679512481034983420000n,
        ]),
      ],
      [
        paired(279, 18995578180812298320n, 1614172939525070118940693649914180800n, [
          18198340815026312700n,
          1417994448523015648580306812300909600n,
          1463134650555074505195142003615538400n,
        ]),
        paired(279, 10633093935064970729n, 513417837071113438125204389816487481n, [
          12089373196335510165n,
          671740013282780977199082729821068325n,
          554638089244558296978997741937919115n,
        ]),
        exampleSums(279, 16334936471408368000n, 1046648914002452663998267186677780000n, {
          covariate: {
            units: 278,
            sum: 16297768329815447600n,
            sumSquares: 1045267443252981284588759785941620000n,
            covariateSum: 19347489963930529900n,
            covariateSumSquares: 1436819191485482385243159813002850000n,
            covariateCrossSum: 1191539996462396976673644963926600000n,
          },
        }),
      ],
    ]),
  );

  it.each(['t2000', 'pri2000s', 'pri2000v'])('agrees about %s in its own unit', (key) => {
    expectComparison(metrics.find((one) => one.metric === key)?.comparisons[0], progresa[key]);
  });

  it('agrees about the adjusted effects, which take the win away', () => {
    expectAdjustment(metrics[0]?.cuped, progresaT2000Adjusted);
    expectAdjustment(metrics[1]?.cuped, progresaPri2000sAdjusted);
  });

  it('leaves the precinct without covariate out of the adjusted comparison only', () => {
    const cuped = expectAdjustment(metrics[2]?.cuped, progresaPri2000vAdjusted);
    expect(cuped).toMatchObject({ units: 416, unitsWithoutCovariate: 1 });
    expect(metrics[2]?.arms[1]?.n).toBe(279);
  });

  it('has exact decimals down to the fourteenth place', () => {
    expect(metrics[0]?.arms[0]?.sum).toBe('8806.44703730940834');
  });

  it('tests no ratio where none was designed', () => {
    expect(srm.test).toEqual({ refused: 'NO_DESIGN_RATIO' });
  });
});

describe('a grocery site: three servers, two arms', () => {
  const definition = exampleDefinition(
    {
      variants: [
        { key: '1', arm: 'button' },
        { key: '2', arm: 'link' },
        { key: '3', arm: 'link' },
      ],
      control: 'link',
    },
    [{ input: { key: 'visited_page', type: 'mean' } }],
  );
  const { metrics, srm, population } = resultsOf(
    definition,
    exampleComparison([[wholeSums(16_543, 3_847, 3_847)], [wholeSums(16_285, 3_051, 3_051)], [wholeSums(16_685, 3_080, 3_080)]]),
  );

  it('compares arms: both servers of the control are added', () => {
    expect(metrics[0]?.arms.map(({ arm, n, sum }) => [arm, n, sum])).toEqual([
      ['link', 32_970, '6131'],
      ['button', 16_543, '3847'],
    ]);
    expectComparison(metrics[0]?.comparisons[0], grocery.visited_page);
  });

  it('tests the ratio over cells', () => {
    if ('refused' in srm.test) throw new Error(srm.test.refused);
    expectClose('chi2', srm.test.chi2, 4.9830953486963026);
    expectClose('p', srm.test.p, 0.08278174819244258);
    expect(srm.test.df).toBe(2);
    expect(population).toMatchObject({ units: 49_513, counted: 49_513 });
  });
});
