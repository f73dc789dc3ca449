import { describe, expect, it } from '@jest/globals';
import { type PowerRequest, powerQuestion } from '@rampart/contracts';
import fc from 'fast-check';
import { powerPlan } from './power-plan.js';

const plan = (question: PowerRequest) => powerPlan(powerQuestion.parse(question));
const foundWith = (question: PowerRequest, units: number) => {
  const found = plan({ ...question, units: Math.floor(units) }).withUnits;
  if (found === null) throw new Error('a plan that is told units says what they find');
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
          expect(fewer.minimumEffect.relative).toBeGreaterThan(relative);
        },
      ),
      { numRuns: 500 },
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
    expect(watched.sequential?.maximumUnits).toBe(Math.ceil(7678 * 1.66));
    expect(watched.plannedUnits).toBe(watched.sequential?.maximumUnits);
    expect(watched.days).toBe(13);
    expect(watched.sentence).toContain('at most 12746 units, watched continuously; one look would take 7678');
  });
  it('has a curve of power that rises to its end', () => {
    const powers = watched.curve.map(({ power }) => power);
    expect([...powers].sort((a, b) => a - b)).toEqual(powers);
    expect(watched.curve.at(-1)).toMatchObject({ units: 12_746 });
    expect(powers.at(-1)).toBeGreaterThan(0.7);
  });
  it('finds less with fewer units, and says how much', () => {
    expect(watched.withUnits?.power).toBeLessThan(0.5);
    expect(watched.withUnits?.minimumEffect.relative).toBeGreaterThan(0.2);
  });
});

describe('an effect that can not be', () => {
  it('is refused with its place', () => {
    expect(() => plan({ ...ask, minimumEffect: { relative: 10 } })).toThrow(/from 0.1 to 1.1/);
    expect(() => plan({ metric: { mean: 0, sd: 1 }, minimumEffect: { relative: 0.1 } })).toThrow(/mean, which is 0/);
    expect(powerQuestion.safeParse({ ...ask, minimumEffect: { absolute: 0 } }).success).toBe(false);
  });
});
