import { describe, expect, it } from '@jest/globals';
import type { Comparison, ExperimentInput, PowerReached } from '@rampart/contracts';
import type { MetricSums } from '@rampart/feedback-store';
import { firstErrorHarm, normal, sampleSize, sequentialPlan } from '@rampart/statistics';
import { planInForceOf } from '../definitions/definition-in-force.js';
import { concluded, converted, crashed, definitionOf, latency, onDay, ones, spread } from '../figures/conclusion.examples.js';
import type { ExampleMetric } from '../figures/figures.examples.js';
import { type Pace, paceOf, withPowerReached } from './power-reached.js';

const DAY = 86_400_000_000;
type Plan = ExperimentInput['plan'];

const finding = (minimumEffect: { relative: number } | { absolute: number }) => ({ ...converted, use: { minimumEffect } });
const powerIn = (plan: Plan, metric: ExampleMetric = finding({ relative: 0.1 }), units = 5000, pace: Pace = []): PowerReached => {
  const look = { metrics: [metric, latency], experiment: { plan } };
  const { figures } = concluded({ ...look, cells: [0, 1].map(() => [ones(units, units / 10), spread(units, 100, 20)]) });
  const [first] = withPowerReached(figures.metrics, definitionOf(look), pace);
  const found: Comparison['powerReached'] = first?.comparisons[0]?.powerReached;
  if (found === undefined || 'refused' in found) throw new Error('not reached');
  return found;
};
const fixed: Plan = { method: 'fixed-horizon', plannedEndUs: onDay(30) };

describe('the power reached', () => {
  it('at one look is that of the z-test, and what is missing is what the planner says', () => {
    const { power, units, furtherUnits, plannedPower, detectable, minimumEffect } = powerIn(fixed);
    const se = Math.sqrt((2 * 0.1 * 0.9) / 5000);
    expect(minimumEffect).toBeCloseTo(0.01, 12);
    expect(power).toBeCloseTo(normal.sf(normal.isf(0.05) - 0.01 / se), 9);
    // β* = (.2 − .05)/2: a gain and a margin.
    expect(plannedPower).toBeCloseTo(0.925, 12);
    const planned = sampleSize({ minimumEffect: 0.01, varianceControl: 0.09, alpha: 0.05, power: 0.925, sides: 'one-sided' });
    expect(Math.abs(units + (furtherUnits ?? 0) - planned.total)).toBeLessThanOrEqual(2);
    expect(detectable.absolute).toBeCloseTo(se * (normal.isf(0.05) + normal.quantile(0.925)), 9);
    expect(detectable.relative).toBeCloseTo(detectable.absolute / 0.1, 9);
  });

  it('is lower where the plan may be looked at at any time, and asks for more units', () => {
    const [watched, once] = [powerIn({ plannedUnits: 40_000 }), powerIn(fixed)];
    expect(watched.power).toBeLessThan(once.power ?? 0);
    expect(watched.furtherUnits).toBeGreaterThan(once.furtherUnits ?? 0);
    // At its end alone: above what is planned with all looks before it, and below twice that.
    const planned = sequentialPlan(
      sampleSize({ minimumEffect: 0.01, varianceControl: 0.09, alpha: 0.05, power: 0.925, sides: 'one-sided' }),
      {
        alpha: 0.05,
        power: 0.925,
        sides: 'one-sided',
      },
    );
    expect(10_000 + (watched.furtherUnits ?? 0)).toBeLessThan(2 * planned.maximumUnits);
  });

  it('of planned looks is that of the last one: hardly below one look', () => {
    const looks = { atUs: [onDay(7), onDay(14), onDay(21), onDay(28)] };
    const { power } = powerIn({ method: 'group-sequential', looks });
    expect(power).toBeLessThan(powerIn(fixed).power ?? 0);
    expect(power).toBeGreaterThan((powerIn(fixed).power ?? 0) - 0.05);
  });

  it('takes nothing more where it is there, and says the days at the pace of the last ones', () => {
    expect(powerIn(fixed, finding({ absolute: 0.2 }))).toMatchObject({ furtherUnits: 0, furtherDays: 0 });
    const pace = Array.from({ length: 7 }, () => ({ A: 500, B: 500 }));
    const { furtherUnits, furtherDays } = powerIn(fixed, finding({ relative: 0.1 }), 5000, pace);
    // A day of its window comes after the last unit.
    expect(furtherDays).toBe(Math.ceil((furtherUnits ?? 0) / 1000) + 1);
    expect(powerIn(fixed).furtherDays).toBeNull();
  });

  it('without an effect worth finding is none, and says what could be found', () => {
    expect(powerIn(fixed, converted)).toMatchObject({ minimumEffect: null, power: null, furtherUnits: null });
  });

  it('of a guardrail is that of keeping its margin', () => {
    const look = { metrics: [converted, latency], experiment: { plan: fixed } };
    const { figures } = concluded({ ...look, cells: [0, 1].map(() => [ones(5000, 500), spread(5000, 100, 20)]) });
    const second = withPowerReached(figures.metrics, definitionOf(look), [])[1]?.comparisons[0]?.powerReached;
    expect(second).toMatchObject({ minimumEffect: 5, power: expect.closeTo(1, 6) });
  });

  const guarded = (plan: Plan, guardrail: ExampleMetric, cells: readonly MetricSums[]) => {
    const look = { metrics: [converted, guardrail], experiment: { plan } };
    const { figures } = concluded({ ...look, cells: cells.map((one) => [ones(5000, 500), one]) });
    const definition = definitionOf(look);
    return { found: withPowerReached(figures.metrics, definition, [])[1]?.comparisons[0]?.powerReached, definition };
  };

  it('of a guardrail without a margin is that of telling harm, which is watched at every look whatever looks are planned', () => {
    const { margin: _, ...use } = { ...latency.use };
    const watched: ExampleMetric = { ...latency, use: { ...use, minimumEffect: { absolute: 1 } } };
    const cells = [0, 1].map(() => spread(5000, 100, 20));
    const planned = guarded({ method: 'group-sequential', looks: { atUs: [onDay(7), onDay(14)] } }, watched, cells).found;
    expect(planned).toMatchObject({ power: expect.any(Number), minimumEffect: 1 });
    expect(planned).toEqual(guarded({}, watched, cells).found);
  });

  it('of first errors is that of their e-process: even odds where it alarms', () => {
    const erring = (control: number, treatment: number) => [ones(5000, control), ones(5000, treatment)];
    const { definition } = guarded({}, crashed, erring(100, 100));
    const alpha = planInForceOf(definition)?.levels.harm ?? 0;
    const alarms = (treatment: number) =>
      firstErrorHarm({ periods: [{ observed: [200 - treatment, treatment], weights: [1, 1] }], alpha }).isHarm;
    const least = Array.from({ length: 201 }, (_, treatment) => treatment).find(alarms) ?? 0;
    const worth: ExampleMetric = { ...crashed, use: { ...crashed.use, minimumEffect: { absolute: (2 * least - 200) / 5000 } } };
    expect(guarded({}, worth, erring(100, 100)).found).toMatchObject({ power: expect.closeTo(0.5, 9), furtherUnits: expect.any(Number) });
    const more: ExampleMetric = { ...worth, input: { ...crashed.input, direction: 'increase' } };
    expect(guarded({}, more, erring(100, 100)).found).toMatchObject({ power: expect.closeTo(0.5, 9) });
    // So few can't alarm wherever they fall.
    const { found } = guarded({}, worth, erring(2, 3));
    expect(found).toMatchObject({ refused: 'NOT_ENOUGH_DATA', have: 5 });
    const needed = found !== undefined && 'refused' in found ? (found.needed ?? 0) : 0;
    const all = (units: number) => firstErrorHarm({ periods: [{ observed: [0, units], weights: [1, 1] }], alpha }).isHarm;
    expect([all(needed - 1), all(needed)]).toEqual([false, true]);
  });

  it('has no part in a Bayesian plan', () => {
    const look = { metrics: [converted], experiment: { plan: { method: 'bayesian' as const, bayesian: { prior: { mean: 0, sd: 0.3 } } } } };
    const { figures } = concluded({ ...look, cells: [[ones(5000, 500)], [ones(5000, 510)]] });
    expect(withPowerReached(figures.metrics, definitionOf(look), [])[0]?.comparisons[0]).not.toHaveProperty('powerReached');
  });
});

describe('the pace', () => {
  const countedAt = (atUs: number) => ({ A: Math.floor(atUs / DAY) * 10, B: Math.floor(atUs / DAY) * 20 });
  it('is of complete days, seven at most', () => {
    expect(paceOf(countedAt, { startedAtUs: 0, knownUntilUs: 0.9 * DAY })).toEqual([]);
    expect(paceOf(countedAt, { startedAtUs: 0, knownUntilUs: 2 * DAY })).toEqual([
      { A: 10, B: 20 },
      { A: 10, B: 20 },
    ]);
    expect(paceOf(countedAt, { startedAtUs: 0, knownUntilUs: 30 * DAY })).toHaveLength(7);
  });
});
