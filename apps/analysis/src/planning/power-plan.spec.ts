import { describe, expect, it } from '@jest/globals';
import { type PowerRequest, powerQuestion } from '@rampart/contracts';
import fc from 'fast-check';
import { powerPlan } from './power-plan.js';

const plan = (question: PowerRequest) => powerPlan(powerQuestion.parse(question));
const foundWith = (question: PowerRequest, units: number) => {
  const found = plan({ ...question, units: Math.floor(units) }).withUnits;
  if (found?.minimumEffect == null) throw new Error('a plan that is told units says what they find');
  return { ...found, minimumEffect: { ...found.minimumEffect, relative: found.minimumEffect.relative ?? Number.NaN } };
};
const ask: PowerRequest = { metric: { rate: 0.1 }, minimumEffect: { relative: 0.2 }, method: 'fixed-horizon' };

describe('a plan for one look', () => {
  it('takes the units of the textbook', () => {
    // (1.959964 + 0.841621)² · (0.1 · 0.9 + 0.12 · 0.88) / 0.02² = 3,838.03…
    expect(plan(ask).fixed).toEqual({ control: 3839, treatment: 3839, total: 7678 });
    // (1.959964 + 0.841621)² · 2 · 15² / 2² = 882.99…
    expect(plan({ metric: { mean: 40, sd: 15 }, minimumEffect: { absolute: 2 }, method: 'fixed-horizon' }).fixed.treatment).toBe(883);
  });
  it('says so in a sentence with both numbers, and the days', () => {
    const { days, sentence } = plan({ ...ask, unitsPerDay: 1_000 });
    expect(days).toBe(8);
    expect(sentence).toBe(
      'To find an effect of 20 % of control’s mean with a chance of 80 % takes 7678 units at one look: 8 days at 1000 units a day.',
    );
  });
  it('reaches its power with its units, and finds its effect with them', () => {
    fc.assert(
      fc.property(
        fc.record({
          rate: fc.double({ min: 0.02, max: 0.6, noNaN: true }),
          relative: fc.double({ min: 0.05, max: 0.5, noNaN: true }),
          power: fc.double({ min: 0.6, max: 0.95, noNaN: true }),
          controlPerTreatment: fc.double({ min: 0.5, max: 3, noNaN: true }),
          treatments: fc.integer({ min: 1, max: 4 }),
          sides: fc.constantFrom('one-sided' as const, 'two-sided' as const),
        }),
        ({ rate, relative, ...more }) => {
          const question: PowerRequest = { metric: { rate }, minimumEffect: { relative }, method: 'fixed-horizon', ...more };
          const { treatment, total } = plan(question).fixed;
          const { power, minimumEffect } = foundWith(question, total);
          expect(power).toBeGreaterThan(more.power - 1e-9);
          expect(minimumEffect.relative).toBeLessThanOrEqual(relative + 1e-9);
          // Each arm is rounded up to whole units: three fewer in a treatment, and control's share of them, are too few for certain.
          const fewer = foundWith(question, (total * (treatment - 3)) / treatment);
          // The units leave out the far tail of a two-sided test, the power does not: 1.5e-5 at most from a power of 0.6 on.
          expect(fewer.power).toBeLessThan(more.power + 2e-5);
          expect(fewer.minimumEffect.relative).toBeGreaterThan(relative * (1 - 3e-5));
        },
      ),
      { numRuns: 300 },
    );
  });
  it('needs fewer with a covariate, by the share of the variance that it takes out', () => {
    const [without, withOne] = [plan(ask), plan({ ...ask, correlation: 0.6 })];
    expect(withOne.fixed.treatment / without.fixed.treatment).toBeCloseTo(1 - 0.36, 3);
  });
  it('needs more where success metrics and treatments share α', () => {
    expect(plan({ ...ask, treatments: 2, successMetrics: 2 }).alphaOfOne).toBeCloseTo(0.0125, 12);
    expect(plan({ ...ask, successMetrics: 4 }).fixed.total).toBeGreaterThan(plan(ask).fixed.total);
  });
});

describe('a plan that is watched', () => {
  const watched = plan({ ...ask, method: 'sequential', unitsPerDay: 1_000, units: 5_000 });
  it('takes two thirds more at most, which the analysis plan then names', () => {
    expect(watched.watched?.looks).toBe(100);
    expect(watched.watched?.inflation).toBeCloseTo(1.675, 2);
    expect(watched.plannedUnits).toBe(watched.watched?.maximumUnits);
    expect(watched.days).toBe(13);
    expect(watched.sentence).toContain(`at most ${watched.plannedUnits} units, watched continuously; one look would take 7678`);
  });
  it('ends when one look would have on average, and not sooner without an effect', () => {
    const { averageUnits = 0, averageUnitsWithoutEffect = 0, maximumUnits = 0 } = watched.watched ?? {};
    expect(averageUnits / 7678).toBeCloseTo(1, 1);
    expect(averageUnitsWithoutEffect).toBeGreaterThan(0.98 * maximumUnits);
  });
  it('has a curve that rises from look to look to the power at its end', () => {
    const powers = watched.curve.map(({ power }) => power);
    expect([...powers].sort((a, b) => a - b)).toEqual(powers);
    expect(watched.curve.at(-1)).toMatchObject({ units: watched.plannedUnits });
    expect(powers.at(-1)).toBeCloseTo(0.8, 4);
  });
  it('finds larger effects sooner, down to the one that it is made for', () => {
    const found = watched.curve.map(({ minimumEffect }) => minimumEffect?.relative ?? Number.POSITIVE_INFINITY);
    expect([...found].sort((a, b) => b - a)).toEqual(found);
    expect(found.at(-1)).toBeCloseTo(0.2, 4);
    // By half of the units: what one look there would find is smaller, what the rest would add is not in it.
    const half = watched.curve[9];
    expect(half?.minimumEffect?.relative).toBeGreaterThan(0.2 * Math.SQRT2);
    expect(half?.minimumEffect?.relative).toBeLessThan(0.2 * 1.7);
    expect(plan(ask).curve.at(-1)?.minimumEffect?.relative).toBeCloseTo(0.2, 3);
    expect(plan(ask).curve[4]?.minimumEffect?.relative).toBeCloseTo(0.4, 2);
  });
  it('finds less with fewer units, and says how much', () => {
    expect(watched.withUnits?.power).toBeLessThan(0.5);
    expect(watched.withUnits?.minimumEffect?.relative).toBeGreaterThan(0.2);
  });
  it('tests nothing before the burn-in, and says so', () => {
    expect(plan({ ...ask, method: 'sequential', units: 100 }).withUnits).toEqual({ units: 100, power: 0, minimumEffect: null });
  });
});

describe('a plan of planned looks', () => {
  const few = (more: Partial<PowerRequest>) => plan({ ...ask, method: 'group-sequential', ...more });
  it('takes what the textbook’s inflation factors say', () => {
    // rpact: O’Brien–Fleming, 14 looks, 80 %: 1.042; Pocock, 5 looks: 1.2126.
    expect(few({ looks: 14 }).watched?.inflation).toBeCloseTo(1.042, 3);
    expect(few({ looks: 5, spending: 'pocock' }).watched?.inflation).toBeCloseTo(1.2126, 3);
    expect(few({ looks: 1 }).watched?.inflation).toBeCloseTo(1, 3);
  });
  it('says how many looks', () => {
    expect(few({}).sentence).toContain('at 5 planned looks; one look would take 7678');
    expect(few({}).curve).toHaveLength(5);
  });
});

describe('a plan with the mixture of fixed spread', () => {
  it('is the default where τ is what the default’s N* stands for, and takes more with a τ that is far off', () => {
    const question: PowerRequest = { metric: { mean: 10, sd: 5 }, minimumEffect: { absolute: 0.2 }, unitsPerDay: 1_000 };
    const standard = plan({ ...question, method: 'sequential' }).watched?.maximumUnits ?? 0;
    const withTau = (tau: number) => plan({ ...question, method: 'msprt', tau }).watched?.maximumUnits ?? 0;
    expect(Math.abs(withTau(0.2) / standard - 1)).toBeLessThan(0.03);
    expect(withTau(0.002)).toBeGreaterThan(1.15 * standard);
    expect(withTau(20)).toBeGreaterThan(1.15 * standard);
  });
});

describe('a plan by expected loss', () => {
  const question: PowerRequest = {
    ...{ metric: { mean: 20, sd: 5 }, minimumEffect: { relative: 0.01 }, method: 'bayesian' },
    bayesian: { prior: { mean: 0, sd: 0.02 } },
  };
  it('has no α, and the chance of a gain averaged over its prior', () => {
    const { alphaOfOne, assurance, watched, fixed } = plan(question);
    expect(alphaOfOne).toBeNull();
    expect(assurance).toBeGreaterThan(0.3);
    expect(assurance).toBeLessThan(0.5);
    // It promises less than a test does, and takes less.
    expect(watched?.maximumUnits).toBeLessThan(1.2 * fixed.total);
  });
  it('waits for the units that it must have, and takes longer where less may be lost', () => {
    const most = (bayesian: PowerRequest['bayesian']) =>
      plan({ ...question, bayesian: { prior: { mean: 0, sd: 0.02 }, ...bayesian } }).watched;
    expect(most({ minimumUnits: 30_000 })?.averageUnits).toBeGreaterThanOrEqual(60_000);
    expect(most({ expectedLoss: 0.0001 })?.maximumUnits).toBeGreaterThan(most({ expectedLoss: 0.0025 })?.maximumUnits ?? 0);
  });
});

describe('what is expected of a metric', () => {
  const units = (metric: PowerRequest['metric'], relative = 0.05) =>
    plan({ metric, minimumEffect: { relative }, method: 'fixed-horizon' }).fixed.total;
  it('of a ratio is its value per unit, linearised', () => {
    // Numerator 10 ± 6, denominator 4 ± 2, ρ = 0.5: R = 2.5, σ² = (36 + 2.5²·4 − 2·2.5·0.5·12)/16 = 31/16.
    expect(units({ ratio: { numerator: { mean: 10, sd: 6 }, denominator: { mean: 4, sd: 2 }, correlation: 0.5 } })).toBe(
      units({ mean: 2.5, sd: Math.sqrt(31 / 16) }),
    );
  });
  it('of a quantile is how dense values are there', () => {
    // An exponential distribution with mean 100: its median is 69.3, with a standard error of 100/√n.
    const median = { level: 0.5, value: 100 * Math.log(2) };
    const nearby = { level: 0.5001, value: -100 * Math.log(0.4999) };
    expect(units({ quantile: { ...median, nearby } }) / units({ mean: median.value, sd: 100 })).toBeCloseTo(1, 3);
    expect(() => units({ quantile: { ...median, nearby: { level: 0.6, value: 60 } } })).toThrow(/nearby: must lie above both/);
  });
});

describe('a question that a method can not answer', () => {
  it.each([
    [{ method: 'msprt' }, '/tau msprt needs'],
    [{ method: 'sequential', tau: 1 }, '/tau only msprt'],
    [{ method: 'bayesian' }, '/bayesian/prior a flat prior decides nothing'],
    [{ method: 'fixed-horizon', looks: 3 }, '/looks a fixed horizon has one look'],
    [{ method: 'sequential', spending: 'pocock' }, '/spending only group-sequential'],
  ] as const)('%j is refused at its place', (more, message) => {
    const { error } = powerQuestion.safeParse({ ...ask, ...more });
    expect(error?.issues.map(({ path, message: said }) => `/${path.join('/')} ${said}`).join('; ')).toContain(message);
  });
});

describe('numbers with which nothing can be counted', () => {
  const fair: PowerRequest = { metric: { mean: 10, sd: 5 }, minimumEffect: { absolute: 0.2 } };
  const tiny = { mean: 1e-300, sd: 1e-300 };
  it.each([
    [{ metric: { mean: 1, sd: 1e-300 } }, '/metric'],
    [{ metric: { mean: 1e300, sd: 1e300 } }, '/metric'],
    [{ metric: { ratio: { numerator: { mean: -1, sd: 1 }, denominator: tiny } } }, '/metric'],
    [
      { minimumEffect: { absolute: 1e-12 } },
      '/minimumEffect: is 1e-12, and must be from 0.000001 to 10000 times the spread between units, which is 5',
    ],
    [{ minimumEffect: { absolute: 1e9 } }, '/minimumEffect'],
    [{ metric: { mean: 1e-300, sd: 5 }, minimumEffect: { relative: 1e-300 } }, '/minimumEffect'],
    [{ method: 'msprt', tau: 1e-300 }, '/tau: is 1e-300, and must be'],
    [{ method: 'msprt', tau: 1e300 }, '/tau'],
    [
      { metric: { mean: 1e-9, sd: 5 }, method: 'bayesian', bayesian: { prior: { mean: 0, sd: 0.1 } } },
      '/metric: has a mean of 1e-9 beside a spread of 5',
    ],
  ] as const)('%j is refused at its place', (more, message) => {
    expect(() => plan({ ...fair, ...more } as PowerRequest)).toThrow(message);
  });
});

describe('an effect that can not be', () => {
  it('is refused with its place', () => {
    expect(() => plan({ ...ask, minimumEffect: { relative: 10 } })).toThrow(/from 0.1 to 1.1/);
    expect(() => plan({ metric: { mean: 0, sd: 1 }, minimumEffect: { relative: 0.1 } })).toThrow(/mean, which is 0/);
    expect(powerQuestion.safeParse({ ...ask, minimumEffect: { absolute: 0 } }).success).toBe(false);
  });
});
