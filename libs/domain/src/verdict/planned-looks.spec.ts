import { describe, expect, it } from '@jest/globals';
import { normal } from '@rampart/statistics';
import {
  type AskedAtLook,
  HOUR_US,
  lookDue,
  lookSchedule,
  nextMoment,
  nextUnits,
  standingTest,
  type TakenLook,
  takeLook,
} from './planned-looks.js';

const DAY = 24 * HOUR_US;
const byTime = lookSchedule({ looks: { atUs: [7 * DAY, 14 * DAY, 21 * DAY, 28 * DAY] } }, 0);
const byUnits = lookSchedule({ looks: { informationFractions: [0.25, 0.5, 1] }, plannedUnits: 1_001, spending: 'pocock' }, 0);
const asked = (statistic: number | null, se: number | null): AskedAtLook => ({
  test: 'superiority',
  metric: 'converted',
  arm: 'B',
  level: 0.025,
  estimate: statistic === null || se === null ? null : statistic * se,
  se,
  statistic,
});
/** Four equal steps of information. */
const se = (look: number) => Math.sqrt(1 / look);
const taken = (schedule: typeof byTime, statistics: readonly (number | null)[]): readonly TakenLook[] => {
  const looks: TakenLook[] = [];
  for (const [index, statistic] of statistics.entries()) {
    const look = index + 1;
    const one = asked(statistic, statistic === null ? null : se(look));
    looks.push(takeLook(schedule, looks, { look, knownUntilUs: look * 7 * DAY, asked: [one] }));
  }
  return looks;
};
const boundsOf = (looks: readonly TakenLook[]) => looks.map(({ tests }) => tests[0]?.bound ?? null);

describe('looks whose information does not rise', () => {
  it.each([
    ['nobody closed in between', [1, 0.8, 0.8, 0.6]],
    ['an outlier came', [1, 0.8, 0.808, 0.6]],
    ['nothing came first', [1, 1, 0.8, 0.6]],
    ['the variance rose twice', [1, 1.2, 1.1, 0.6]],
  ])('repeat the bound, spend nothing, and hold up nothing: %s', (_, errors) => {
    const looks: TakenLook[] = [];
    for (const [index, error] of errors.entries())
      looks.push(takeLook(byTime, looks, { look: index + 1, knownUntilUs: (index + 1) * 7 * DAY, asked: [asked(1, error)] }));
    const spent = looks.map(({ tests }) => tests[0]?.spent ?? Number.NaN);
    const bounds = boundsOf(looks);
    for (const [index, error] of errors.entries()) {
      const before = Math.min(...errors.slice(0, index));
      if (error < before) continue;
      expect([bounds[index], spent[index]]).toEqual([bounds[index - 1], spent[index - 1]]);
    }
    // What they left unspent, the last may spend.
    expect(spent.at(-1)).toBeCloseTo(0.025, 12);
    expect(bounds.at(-1)).toBeGreaterThan(1.9);
  });
});

describe('a schedule', () => {
  it('spends by the clock from the start, or by shares of the planned units', () => {
    expect(byTime.looks.map(({ share, units }) => [share, units])).toEqual([
      [0.25, null],
      [0.5, null],
      [0.75, null],
      [1, null],
    ]);
    expect(byUnits.looks.map(({ units }) => units)).toEqual([251, 501, 1_001]);
  });

  it('has each look at its very moment, one after the other, and none that was passed by', () => {
    expect(nextMoment(byTime, [], 0)).toBe(7 * DAY);
    expect(nextMoment(byTime, taken(byTime, [0]), 7 * DAY)).toBe(14 * DAY);
    expect(nextMoment(byTime, [], 8 * DAY)).toBe(14 * DAY);
    expect(nextMoment(byTime, taken(byTime, [0, 0, 0, 0]), 28 * DAY)).toBeUndefined();
    expect(lookDue(byTime, [], { knownUntilUs: 7 * DAY, units: 0 })).toBe(1);
    expect(lookDue(byTime, [], { knownUntilUs: 7 * DAY + 1, units: 0 })).toBeUndefined();
    expect(lookDue(byTime, taken(byTime, [0]), { knownUntilUs: 7 * DAY, units: 0 })).toBeUndefined();
  });

  it('by units is due at a whole hour, and at once for several that are reached in one', () => {
    expect(nextUnits(byUnits, [])).toBe(251);
    expect(lookDue(byUnits, [], { knownUntilUs: HOUR_US, units: 250 })).toBeUndefined();
    expect(lookDue(byUnits, [], { knownUntilUs: HOUR_US + 1, units: 251 })).toBeUndefined();
    expect(lookDue(byUnits, [], { knownUntilUs: HOUR_US, units: 251 })).toBe(1);
    expect(lookDue(byUnits, [], { knownUntilUs: HOUR_US, units: 700 })).toBe(2);
  });
});

describe('a look', () => {
  it('has the published bounds of four equal steps', () => {
    // rpact 3.3.4: O’Brien–Fleming-like spending of .025 in five steps and t² in four, one-sided.
    const five = lookSchedule({ looks: { atUs: [1, 2, 3, 4, 5].map((day) => day * DAY) } }, 0);
    [4.87688, 3.35701, 2.68028, 2.28982, 2.03103].forEach((published, index) => {
      expect(boundsOf(taken(five, [0, 0, 0, 0, 0]))[index]).toBeCloseTo(published, 3);
    });
  });

  it('stays as it was: a later one changes no bound, and only spends what is left', () => {
    const first = taken(byTime, [1, 1]);
    const later = taken(byTime, [1, 1, 1, 1]);
    expect(later.slice(0, 2)).toEqual(first);
    expect(later.at(-1)?.tests[0]?.spent).toBeCloseTo(0.025, 9);
  });

  it('uses the bounds that were taken, not those that it would compute today', () => {
    const strict = taken(byTime, [0, 0]).map((look) => ({ ...look, tests: look.tests.map((test) => ({ ...test, bound: 1.5 })) }));
    const next = (looks: readonly TakenLook[]) =>
      takeLook(byTime, looks, { look: 3, knownUntilUs: 21 * DAY, asked: [asked(0, se(3))] }).tests[0]?.bound;
    expect(next(strict)).toBeLessThan(next(taken(byTime, [0, 0])) ?? 0);
  });

  it('without a result spends nothing: the next has its share too', () => {
    const skipped = taken(byTime, [null, null, null, 0]);
    expect(skipped[0]?.tests[0]).toMatchObject({ statistic: null, bound: null, spent: 0 });
    expect(boundsOf(skipped).at(-1)).toBeCloseTo(normal.isf(0.025), 8);
  });

  it('stands until the next one', () => {
    const looks = taken(byTime, [9, 1]);
    const named = { test: 'superiority', metric: 'converted', arm: 'B' } as const;
    expect(standingTest(looks.slice(0, 1), named)?.evidence).toMatchObject({ kind: 'bound', statistic: 9, look: 1, looks: 4 });
    expect(standingTest(looks, named)?.evidence).toMatchObject({ kind: 'bound', statistic: 1, look: 2 });
    expect(standingTest([], named)).toBeUndefined();
    expect(standingTest(taken(byTime, [null]), named)?.evidence).toEqual({ kind: 'none', refused: 'NO_RESULT_AT_LOOK' });
  });
});
