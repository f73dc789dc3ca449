import { describe, expect, it } from '@jest/globals';
import { normal } from '../distributions.js';
import {
  groupSequentialBounds,
  groupSequentialInflation,
  groupSequentialPower,
  nextGroupSequentialBound,
  type Spending,
  spentAlpha,
} from './group-sequential.js';

const obrienFleming: Spending = { kind: 'obrien-fleming' };
const thirds = [1 / 3, 2 / 3, 1];

describe('alpha spending', () => {
  it.each([obrienFleming, { kind: 'pocock' }, { kind: 'power', exponent: 2 }] as const)(
    'spends all by the end and nothing before the start: %j',
    (spending) => {
      expect(spentAlpha(spending, 0.025, 1)).toBeCloseTo(0.025, 12);
      expect(spentAlpha(spending, 0.025, 0)).toBe(0);
      expect(spentAlpha(spending, 0.025, 1.4)).toBeCloseTo(0.025, 12);
      expect(spentAlpha(spending, 0.025, 0.3)).toBeLessThan(spentAlpha(spending, 0.025, 0.6));
    },
  );
});

describe('group sequential bounds', () => {
  it('are the fixed test when there is one look', () => {
    const [only] = groupSequentialBounds({ informationFractions: [1], alphaPerSide: 0.025, spending: obrienFleming, sides: 'symmetric' });
    expect(only?.z).toBeCloseTo(normal.isf(0.025), 9);
  });

  it.each(['upper', 'symmetric'] as const)('reject a true null exactly as often as they may (%s)', (sides) => {
    const looks = groupSequentialBounds({ informationFractions: thirds, alphaPerSide: 0.025, spending: { kind: 'pocock' }, sides });
    expect(groupSequentialPower(looks, sides, 0).power).toBeCloseTo(0.025, 7);
  });

  it('of looks already taken do not change when later ones are added', () => {
    const plan = { alphaPerSide: 0.025, spending: obrienFleming, sides: 'symmetric' } as const;
    const [two, three] = [
      groupSequentialBounds({ ...plan, informationFractions: thirds.slice(0, 2) }),
      groupSequentialBounds({ ...plan, informationFractions: thirds }),
    ];
    expect(three.slice(0, 2)).toEqual(two);
  });

  it.each(['upper', 'symmetric'] as const)('one look at a time are the same, on any scale of information (%s)', (sides) => {
    const alphaPerSide = 0.025;
    const informationFractions = [0.2, 0.45, 0.7, 1];
    const all = groupSequentialBounds({ informationFractions, alphaPerSide, spending: obrienFleming, sides });
    const past: { information: number; bound: number | null }[] = [];
    let spent = 0;
    for (const [index, t] of informationFractions.entries()) {
      const next = nextGroupSequentialBound({
        past,
        information: 4_000 * t,
        spend: spentAlpha(obrienFleming, alphaPerSide, t) - spent,
        sides,
      });
      expect(next.bound).toBeCloseTo(all[index]?.z ?? 0, 8);
      spent += next.spent;
      past.push({ information: 4_000 * t, bound: next.bound });
    }
    expect(nextGroupSequentialBound({ past, information: 4_000, spend: 0.01, sides })).toEqual({ bound: past.at(-1)?.bound, spent: 0 });
  });

  it('go on after looks that brought no information, or less, as if those had not been', () => {
    const next = (informations: readonly number[]) => {
      const past: { information: number; bound: number | null }[] = [];
      let spent = 0;
      for (const information of informations) {
        const found = nextGroupSequentialBound({ past, information, spend: 0.01 * (past.length + 1) - spent, sides: 'upper' });
        spent += found.spent;
        past.push({ information, bound: found.bound });
      }
      return past.map(({ bound }) => bound);
    };
    const [first = null, , last = null] = next([100, 100, 300]);
    expect(next([100, 100, 300])).toEqual([first, first, last]);
    for (const second of [100 * (1 - 1e-9), 98, 50]) expect(next([100, second, 300])).toEqual([first, first, last]);
    // Above the one before, below the highest.
    const [a, b, c, d] = next([100, 96, 98, 300]);
    expect([b, c]).toEqual([a, a]);
    expect(d).toBeGreaterThan(0);
    expect(next([100, 200, 150, 180, 300]).slice(2, 4)).toEqual(Array(2).fill(next([100, 200])[1]));
  });

  it('allow no rejection where next to nothing may be spent yet', () => {
    const [early, late] = groupSequentialBounds({
      informationFractions: [0.01, 1],
      alphaPerSide: 0.025,
      spending: obrienFleming,
      sides: 'symmetric',
    });
    expect(early).toMatchObject({ z: null, nominalPTwoSided: 0, spent: 0 });
    expect(late?.spent).toBeCloseTo(0.025, 12);
    expect(late?.z).toBeCloseTo(normal.isf(0.025), 6);
  });

  it('spend nothing at a look without new information', () => {
    const [first, again] = groupSequentialBounds({
      informationFractions: [0.5, 0.500001],
      alphaPerSide: 0.025,
      spending: { kind: 'pocock' },
      sides: 'upper',
    });
    expect(again).toMatchObject({ z: first?.z, spent: first?.spent });
  });

  it('refuse fractions that fall, exceed the plan, or a level that is none', () => {
    const plan = { alphaPerSide: 0.025, spending: obrienFleming, sides: 'upper' } as const;
    for (const informationFractions of [[0.5, 0.4], [0.5, 1.1], [0]])
      expect(() => groupSequentialBounds({ ...plan, informationFractions })).toThrow(RangeError);
    expect(() => groupSequentialBounds({ ...plan, alphaPerSide: 0.6, informationFractions: [1] })).toThrow(RangeError);
  });
});

describe('group sequential power', () => {
  it('grows with the effect, and stops earlier for a large one', () => {
    const looks = groupSequentialBounds({ informationFractions: thirds, alphaPerSide: 0.025, spending: obrienFleming, sides: 'upper' });
    const [small, large] = [groupSequentialPower(looks, 'upper', 1), groupSequentialPower(looks, 'upper', 4)];
    expect(large.power).toBeGreaterThan(small.power);
    expect(large.expectedInformation).toBeLessThan(small.expectedInformation);
    expect(small.expectedInformation).toBeLessThanOrEqual(1);
  });

  it('is not changed by a look at the same data', () => {
    const plan = { alphaPerSide: 0.025, spending: obrienFleming, sides: 'upper' } as const;
    const [once, twice] = [
      [0.5, 1],
      [0.5, 0.5, 1, 1],
    ].map((informationFractions) => groupSequentialPower(groupSequentialBounds({ ...plan, informationFractions }), 'upper', 2.5));
    expect(twice?.power).toBeCloseTo(once?.power ?? 0, 12);
    expect(twice?.expectedInformation).toBeCloseTo(once?.expectedInformation ?? 0, 12);
  });

  it('costs a little more information at most, and less on average', () => {
    const { maximum, average } = groupSequentialInflation(
      { informationFractions: thirds, alphaPerSide: 0.025, spending: obrienFleming, sides: 'upper' },
      0.8,
    );
    expect(maximum).toBeGreaterThan(1);
    expect(maximum).toBeLessThan(1.05);
    expect(average).toBeLessThan(1);
    expect(() =>
      groupSequentialInflation({ informationFractions: [1], alphaPerSide: 0.025, spending: obrienFleming, sides: 'upper' }, 0.01),
    ).toThrow(RangeError);
  });
});
