import { describe, expect, it } from '@jest/globals';
import type { AnytimeEffect, Comparison, ExperimentInput } from '@rampart/contracts';
import { concluded, converted, crashed, type ExampleLook, latency, onDay, ones, spread } from './conclusion.examples.js';
import { wholeSums } from './figures.examples.js';

type Plan = ExperimentInput['plan'];

const good = [
  [ones(5000, 500), spread(5000, 100, 20)],
  [ones(5000, 620), spread(5000, 100, 20)],
];
const under = (plan: Plan, change: Partial<ExampleLook> = {}) =>
  concluded({ metrics: [converted, latency], cells: good, experiment: { plan }, ...change });
const comparisonOf = ({ figures }: ReturnType<typeof concluded>, metric = 0): Comparison => {
  const found = figures.metrics[metric]?.comparisons[0];
  if (found === undefined) throw new Error('not compared');
  return found;
};

const anytimeOf = ({ anytime }: Comparison): AnytimeEffect => {
  if (anytime === null || 'refused' in anytime.absolute) throw new Error('not watched');
  return anytime.absolute;
};

describe('a plan of an earlier version', () => {
  it('keeps its evidence and its conclusion, whatever methods came after it', () => {
    const three = [converted, crashed, latency];
    const cells = good.map(([first = ones(1, 1), last = ones(1, 1)], arm) => [first, ones(5000, 3 + arm), last]);
    const digests = (change: Partial<ExampleLook>) => {
      const { evidenceDigest, conclusionDigest } = concluded({ metrics: three, cells, ...change });
      return [evidenceDigest, conclusionDigest].map((digest) => digest.slice(0, 16));
    };
    expect(digests({})).toEqual(['3520aabfe29a7986', 'db0d5a8baa07d025']);
    expect(digests({ experiment: { plan: { method: 'fixed-horizon', plannedEndUs: onDay(8) } } })).toEqual([
      '13a9740e091f81ab',
      'e3809307df474dbf',
    ]);
  });
});

describe('a mixture', () => {
  const mixed = (tau: number) => {
    const metrics = [
      { ...converted, use: { ...converted.use, tau } },
      { ...latency, use: { ...latency.use, tau: 2 } },
    ];
    return under({ method: 'msprt' }, { metrics });
  };

  it('is shaped by τ, which is fixed: Johari’s Λ, and its interval holds 0 exactly where 1/α is not reached', () => {
    const comparison = comparisonOf(mixed(0.02));
    const { absolute, anytime } = comparison;
    if ('refused' in absolute) throw new Error('not tested');
    const [v, tau2] = [absolute.se ** 2, 0.02 ** 2];
    const lambda = Math.sqrt(v / (v + tau2)) * Math.exp((tau2 * absolute.estimate ** 2) / (2 * v * (v + tau2)));
    expect(anytime).toMatchObject({ tau: 0.02, tightestAtUnits: null });
    const at = anytimeOf(comparison);
    expect(at.logE).toBeCloseTo(Math.log(lambda), 10);
    expect(at.lower > 0).toBe(lambda >= 20);
    expect(at.logP).toBeCloseTo(-at.logE, 12);
  });

  it('decides one-sided: a gain, and a margin that is kept', () => {
    expect(mixed(0.02).verdict.sentence).toMatch(
      /^go with B – converted is 24 % better \(E [\d,]+ ≥ 20\); guardrail latency could be .* worse, margin 5 % \(E /,
    );
    // Effects that are far larger than any that happen make it deaf.
    expect(mixed(1000).verdict.verdict).toBe('continue');
  });
});

describe('a Bayesian plan', () => {
  const prior = { mean: 0, sd: 0.3 };
  const believing = (bayesian: NonNullable<Plan>['bayesian'], change: Partial<ExampleLook> = {}) =>
    under({ method: 'bayesian', bayesian: { prior, ...bayesian } }, change);

  it('goes when shipping is expected to lose little and the gain is likely', () => {
    expect(believing({}).verdict.sentence).toMatch(
      /^go with B – converted is 24 % better \(probability over 99.9 % ≥ 95 %, expected loss [\d.e-]+ % ≤ 0.25 %\); guardrail latency could be .* worse, margin 5 % \(probability (100|over 99.9) % ≥ 95 %\)/,
    );
  });

  it('waits for its minimum of units, however likely the gain', () => {
    const { verdict } = believing({ minimumUnits: 5_001 });
    expect(verdict.verdict).toBe('continue');
    expect(verdict.sentence).toContain('5,000 of 5,001 units an arm, which its plan asks for');
  });

  it('is drawn to its prior: the normal posterior by hand', () => {
    const { relative, bayesian } = comparisonOf(believing({ prior: { mean: 0, sd: 0.05 } }));
    if ('refused' in relative || 'refused' in bayesian || 'refused' in bayesian.relative) throw new Error('not read');
    const precision = 1 / relative.se ** 2 + 1 / 0.05 ** 2;
    expect(bayesian.relative.mean).toBeCloseTo(relative.estimate / relative.se ** 2 / precision, 12);
    expect(bayesian.relativeRisk?.estimate).toBeCloseTo(1 + bayesian.relative.mean, 12);
    expect(bayesian.prior).toEqual({ mean: 0, sd: 0.05 });
  });

  it('turns around where less is better', () => {
    const less = { ...converted, input: { ...converted.input, direction: 'decrease' as const } };
    const { bayesian } = comparisonOf(believing({}, { metrics: [less, latency] }));
    if ('refused' in bayesian || 'refused' in bayesian.relative) throw new Error('not read');
    expect(bayesian.chanceToWin).toBeLessThan(0.001);
    expect(bayesian.relative.lossIfShipped).toBeCloseTo(0.23, 1);
  });

  it('reads rates exactly with the beta-binomial model, which agrees with the normal one where units are many', () => {
    const exact = comparisonOf(believing({ model: 'beta-binomial' })).bayesian;
    const flat = comparisonOf(under({})).bayesian;
    if ('refused' in exact || 'refused' in flat || 'refused' in exact.absolute || 'refused' in flat.absolute) throw new Error('not read');
    expect(exact.model).toBe('beta-binomial');
    expect(exact.absolute.mean).toBeCloseTo(flat.absolute.mean, 5);
    expect(exact.absolute.lower).toBeCloseTo(flat.absolute.lower ?? 0, 3);
    expect(exact.chanceToWin).toBeCloseTo(flat.chanceToWin, 3);
    const few = comparisonOf(
      under({ bayesian: { model: 'beta-binomial' } }, { metrics: [converted], cells: [[ones(20, 0)], [ones(20, 5)]] }),
    ).bayesian;
    if ('refused' in few) throw new Error('not read');
    // An arm without a single success has no variance, and its posterior has one.
    expect(few.chanceToWin).toBeGreaterThan(0.98);
  });

  it('is a view beside any other method, which decides as if it were not there', () => {
    const plain = under({});
    const seen = under({ bayesian: { prior } });
    expect(comparisonOf(plain).bayesian).toMatchObject({ model: 'normal', prior: null });
    expect(comparisonOf(seen).bayesian).toMatchObject({ prior });
    expect(seen.conclusionDigest).toBe(plain.conclusionDigest);
  });
});

describe('many success metrics', () => {
  const key = (name: string) => ({ ...converted, input: { ...converted.input, key: name } });
  const metrics = [key('a'), key('b'), key('c')];
  const cells = [
    [ones(5000, 500), ones(5000, 500), ones(5000, 500)],
    [ones(5000, 620), ones(5000, 572), ones(5000, 510)],
  ];
  const many = (plan: Plan) => under(plan, { metrics, cells });
  const oneLook = (multiplicity: NonNullable<Plan>['multiplicity']) =>
    many({ method: 'fixed-horizon', plannedEndUs: onDay(8), multiplicity });
  const shown = ({ verdict }: ReturnType<typeof concluded>) =>
    verdict.findings.filter(({ kind, holds }) => kind === 'success' && holds).map(({ metric }) => metric);

  it('are shown by the procedure that the plan names', () => {
    // One-sided p: 7e-5, .0098, .37.
    expect(shown(oneLook('bonferroni'))).toEqual(['a', 'b']);
    expect(shown(oneLook('by'))).toEqual(['a', 'b']);
    expect(oneLook('bh').verdict.findings.find(({ kind }) => kind === 'success')?.sentence).toContain('< 0.0333');
    expect(oneLook('hochberg').verdict.findings.find(({ kind }) => kind === 'success')?.sentence).toContain('< 0.025');
  });

  it('have intervals that hold together, or for those that were shown', () => {
    const at = (multiplicity: NonNullable<Plan>['multiplicity'], metric: number) =>
      comparisonOf(oneLook(multiplicity), metric).adjustedInterval?.absolute;
    expect(at('holm', 2)).toMatchObject({ kind: 'simultaneous', level: 1 - 0.05 / 3 });
    expect(at('bh', 0)).toMatchObject({ kind: 'selected', level: expect.closeTo(1 - (2 * 0.05) / 3, 12) });
    expect(at('bh', 2)).toBeNull();
    expect(at('none', 0)).toBeUndefined();
    const plain = comparisonOf(oneLook('holm')).absolute;
    if ('refused' in plain) throw new Error('not tested');
    expect(at('holm', 0)?.lower).toBeLessThan(plain.ci.lower ?? 0);
  });

  it('at every look have wider intervals of the same mixture', () => {
    const first = comparisonOf(many({}));
    expect(first.adjustedInterval?.absolute?.lower).toBeLessThan(anytimeOf(first).lower);
    const alone = comparisonOf(under({}, { metrics: [converted], cells: cells.map(([first = ones(1, 1)]) => [first]) }));
    expect(alone.adjustedInterval?.absolute?.lower).toBeCloseTo(anytimeOf(alone).lower, 12);
  });

  it('by e-values are shown at α times their rank, at any look', () => {
    const { verdict } = many({ multiplicity: 'e-bh' });
    expect(verdict.findings.find(({ kind, metric }) => kind === 'success' && metric === 'a')?.sentence).toMatch(/E .* ≥ 60\)/);
    expect(comparisonOf(many({ multiplicity: 'e-bh' })).adjustedP).toBeNull();
  });
});

describe('every p', () => {
  it('has a finite logarithm where it is too small for a number', () => {
    const cells = [[spread(1_000_000, 100, 1)], [wholeSums(1_000_000, 110_000_000, 1_000_000 * (110 * 110 + 1))]];
    const comparison = comparisonOf(under({}, { metrics: [latency], cells, experiment: { policy: 'stage' } }));
    const { absolute, normal } = comparison;
    if ('refused' in absolute) throw new Error('not tested');
    expect([absolute.p, normal?.p]).toEqual([0, 0]);
    for (const logP of [absolute.logP, normal?.logP ?? 0, anytimeOf(comparison).logP]) {
      expect(logP).toBeLessThan(-1e6);
      expect(Number.isFinite(logP)).toBe(true);
    }
  });
});
