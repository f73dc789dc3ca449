import { describe, expect, it } from '@jest/globals';
import type { ComparisonQuery } from '@rampart/feedback-store';
import { converted, definitionOf, onDay, ones } from '../figures/conclusion.examples.js';
import { exampleComparison } from '../figures/figures.examples.js';
import { PlannedMoments } from './planned-moments.js';

const HOUR = 3_600_000_000;
const place = { project: 'shop', environment: 'past', experiment: 'button', comparison: 1, stage: null };
const planned = (looks: { atUs: number[] } | { informationFractions: number[] }) =>
  definitionOf({ metrics: [converted], experiment: { plan: { method: 'group-sequential', looks, plannedUnits: 2_000 } } });
const none = { knownUntilUs: 0, looks: [] };
const taken = (look: number, knownUntilUs: number) => ({ look, looks: 2, knownUntilUs, tests: [] });

/** Ten more units an arm every hour from hour 3 on. */
const growing = (asked: number[]) => ({
  sums: async ({ knownUntilUs }: ComparisonQuery) => {
    asked.push(knownUntilUs / HOUR);
    const units = Math.max(0, Math.floor(knownUntilUs / HOUR) - 2) * 10;
    return exampleComparison([[ones(units, 0)], [ones(units, 0)]]);
  },
});

describe('looks at planned times', () => {
  const moments = () => new PlannedMoments(growing([]));
  const weekly = planned({ atUs: [onDay(7), onDay(14)] });

  it('come before anything later is looked at, one after the other', async () => {
    expect(await moments().before(onDay(6), weekly, place, none)).toBeUndefined();
    expect(await moments().before(onDay(20), weekly, place, none)).toBe(onDay(7));
    const first = { knownUntilUs: onDay(7), looks: [taken(1, onDay(7))] };
    expect(await moments().before(onDay(20), weekly, place, first)).toBe(onDay(14));
    const all = { knownUntilUs: onDay(14), looks: [taken(1, onDay(7)), taken(2, onDay(14))] };
    expect(await moments().before(onDay(20), weekly, place, all)).toBeUndefined();
  });

  it('are not taken after the comparison was closed', async () => {
    const { state } = weekly;
    if (state === null) throw new Error('the example runs');
    const closed = { ...weekly, state: { ...state, closedAtUs: onDay(6) } };
    expect(await moments().before(onDay(20), closed, place, none)).toBeUndefined();
  });
});

describe('looks at shares of the units', () => {
  const halves = planned({ informationFractions: [0.5, 1] });

  it('are as of the first whole hour at which so many are in, whenever they are asked for', async () => {
    // 1,000 of the pair: 500 an arm, at hour 52.
    for (const hours of [52, 60, 500]) {
      const asked: number[] = [];
      expect(await new PlannedMoments(growing(asked)).before(hours * HOUR + 5, halves, place, none)).toBe(52 * HOUR);
      expect(asked.length).toBeLessThan(12);
    }
  });

  it('ask once an hour while there are too few, and not again once the hour is known', async () => {
    const asked: number[] = [];
    const moments = new PlannedMoments(growing(asked));
    for (const atUs of [50.2, 50.5, 51.9, 51.95]) expect(await moments.before(atUs * HOUR, halves, place, none)).toBeUndefined();
    expect(asked).toEqual([50, 51]);
    expect(await moments.before(52.1 * HOUR, halves, place, none)).toBe(52 * HOUR);
    expect(await moments.before(52.2 * HOUR, halves, place, none)).toBe(52 * HOUR);
    expect(asked).toEqual([50, 51, 52]);
    const after = { knownUntilUs: 52 * HOUR, looks: [taken(1, 52 * HOUR)] };
    expect(await moments.before(53 * HOUR, halves, place, after)).toBeUndefined();
  });
});
