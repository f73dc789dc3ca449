import { describe, expect, it } from '@jest/globals';
import { normal } from '../distributions.js';
import { sequenceMultiplier } from '../sequential/asymptotic-confidence-sequence.js';
import { groupSequentialBounds, groupSequentialPower } from '../sequential/group-sequential.js';
import { boundaryCrossing } from './boundary-power.js';
import { powerOfEffect } from './power.js';

const evenly = (looks: number) => Array.from({ length: looks }, (_, i) => (i + 1) / looks);

describe('the chance to cross a boundary', () => {
  it('at one look is that of the z-test', () => {
    const bound = normal.isf(0.025);
    const crossing = boundaryCrossing({ looks: [{ informationFraction: 1, bound }], sides: 'symmetric' });
    for (const drift of [0, 0.5, 2, 2.8, 6]) expect(crossing(drift).power).toBeCloseTo(powerOfEffect(drift, 1, 0.05), 12);
    expect(crossing(2.8).expectedInformation).toBe(1);
  });

  it('of a group-sequential plan is what the recursion with the effect in it gives', () => {
    for (const sides of ['symmetric', 'upper'] as const)
      for (const kind of ['obrien-fleming', 'pocock'] as const) {
        const bounds = groupSequentialBounds({ informationFractions: evenly(5), alphaPerSide: 0.025, spending: { kind }, sides });
        const looks = bounds.map(({ informationFraction, z }) => ({ informationFraction, bound: z }));
        const crossing = boundaryCrossing({ looks, sides });
        expect(crossing(0).power).toBeCloseTo(sides === 'symmetric' ? 0.05 : 0.025, 6);
        for (const drift of [-2, 1, 2.5, 4, 7]) {
          const expected = groupSequentialPower(bounds, sides, drift);
          // The far side is a crossing here, and no power there.
          const farSide = sides === 'symmetric' ? groupSequentialPower(bounds, sides, -drift).power : 0;
          expect(crossing(drift).power).toBeCloseTo(expected.power + farSide, 6);
          expect(crossing(drift).expectedInformation).toBeCloseTo(expected.expectedInformation, 5);
        }
      }
  });

  it('of a sequence that is watched 200 times is what 20,000 simulated runs were measured to have', () => {
    // statistics of the method reference: α = 5 % two-sided, N* = half of the end; 1.66 and 1.57 times the units of one look.
    const looks = evenly(200).map((t) => ({ informationFraction: t, bound: sequenceMultiplier(t, { alpha: 0.05, tightestAtUnits: 0.5 }) }));
    const crossing = boundaryCrossing({ looks, sides: 'symmetric' });
    const drift = (power: number, inflation: number) => Math.sqrt(inflation) * (normal.isf(0.025) + normal.quantile(power));
    expect(Math.abs(crossing(drift(0.8, 1.66)).power - 0.8)).toBeLessThan(0.005);
    expect(Math.abs(crossing(drift(0.9, 1.57)).power - 0.9)).toBeLessThan(0.005);
    // On average as long as one look.
    expect(Math.abs(crossing(drift(0.8, 1.66)).expectedInformation * 1.66 - 0.99)).toBeLessThan(0.02);
    expect(crossing(0).power).toBeLessThan(0.03);
  });

  it('rises from look to look, and looks at which nothing can cross change nothing', () => {
    const looks = evenly(4).map((t) => ({ informationFraction: t, bound: t < 0.6 ? null : 2.2 }));
    const { powerByLook, power } = boundaryCrossing({ looks, sides: 'upper' })(2.5);
    expect(powerByLook.slice(0, 2)).toEqual([0, 0]);
    expect([...powerByLook].sort((a, b) => a - b)).toEqual(powerByLook);
    const without = boundaryCrossing({ looks: looks.slice(2), sides: 'upper' });
    expect(power).toBeCloseTo(without(2.5).power, 12);
  });

  it('is next to nothing for a large effect in the wrong direction', () => {
    const looks = evenly(50).map((t) => ({ informationFraction: t, bound: 2.5 }));
    const crossing = boundaryCrossing({ looks, sides: 'upper' });
    expect(crossing(-2).power).toBeLessThan(2e-2);
    for (const drift of [-3, -10, -100]) expect(crossing(drift).power).toBeLessThan(crossing(-2).power);
  });

  it('refuses looks out of order', () => {
    const look = (informationFraction: number) => ({ informationFraction, bound: 2 });
    expect(() => boundaryCrossing({ looks: [], sides: 'upper' })).toThrow('at least one look');
    expect(() => boundaryCrossing({ looks: [look(0.5), look(0.5)], sides: 'upper' })).toThrow('got 0.5 at look 2');
    expect(() => boundaryCrossing({ looks: [look(1.5)], sides: 'upper' })).toThrow(RangeError);
  });
});
