import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { liftedRateVariance, minimumDetectableLift, powerOfEffect, relativePower, sequentialEndPower, tTestPower } from './power.js';
import { forecastRuntime, LONGEST_FORECAST_DAYS, scalingFactorFor } from './runtime.js';
import { sampleSize, sequentialPlan } from './sample-size.js';

describe('power', () => {
  it('is alpha without an effect and grows with it', () => {
    expect(powerOfEffect(0, 1, 0.05)).toBeCloseTo(0.05, 12);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 5, noNaN: true }), fc.double({ min: 0.01, max: 2, noNaN: true }), (effect, more) => {
        expect(powerOfEffect(effect + more, 1, 0.05)).toBeGreaterThanOrEqual(powerOfEffect(effect, 1, 0.05));
        expect(powerOfEffect(-effect, 1, 0.05)).toBeCloseTo(powerOfEffect(effect, 1, 0.05), 12);
      }),
    );
  });

  it('at the minimum detectable lift is what was asked', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 50, noNaN: true }),
        fc.double({ min: 0.1, max: 50, noNaN: true }),
        fc.integer({ min: 1000, max: 1e6 }),
        (controlMean, variance, units) => {
          const found = minimumDetectableLift({ controlMean, variance, unitsPerArm: units, alpha: 0.05, power: 0.8 });
          if (found.kind === 'not-enough-units') {
            expect(found.needed).toBeGreaterThan(units);
            return;
          }
          const plan = { controlMean, controlVariance: variance, unitsControl: units, unitsTreatment: units };
          expect(relativePower(plan, found.lift, 0.05)).toBeCloseTo(0.8, 4);
        },
      ),
    );
  });

  it('says how many units any lift would need', () => {
    const asked = { controlMean: 0.01, variance: 1, alpha: 0.05, power: 0.8 };
    const few = minimumDetectableLift({ ...asked, unitsPerArm: 100 });
    if (few.kind === 'lift') throw new Error('detectable');
    expect(minimumDetectableLift({ ...asked, unitsPerArm: few.needed }).kind).toBe('lift');
    expect(minimumDetectableLift({ ...asked, unitsPerArm: few.needed - 1 }).kind).toBe('not-enough-units');
  });

  it('of the sequence at its end is below that of one look', () => {
    const plan = { effect: 0.1, se: 0.03, n: 10_000, alpha: 0.05, tightestAtUnits: 5000 };
    expect(sequentialEndPower(plan)).toBeLessThan(powerOfEffect(0.1, 0.03, 0.05));
    expect(sequentialEndPower({ ...plan, effect: -0.1 })).toBeCloseTo(sequentialEndPower(plan), 12);
  });

  it('of the t-test is that of the z-test with many units, and lower with few', () => {
    expect(tTestPower({ effect: 0.3, se: 0.1, df: 1e6, alpha: 0.05 })).toBeCloseTo(powerOfEffect(0.3, 0.1, 0.05), 5);
    expect(tTestPower({ effect: 0.3, se: 0.1, df: 8, alpha: 0.05 })).toBeLessThan(powerOfEffect(0.3, 0.1, 0.05) - 0.05);
    expect(tTestPower({ effect: 0, se: 0.1, df: 8, alpha: 0.05 })).toBeCloseTo(0.05, 9);
  });

  it('refuses a base of 0 and rates beyond 1', () => {
    expect(() => relativePower({ controlMean: 0, controlVariance: 1, unitsControl: 1, unitsTreatment: 1 }, 0.1, 0.05)).toThrow(RangeError);
    expect(() => liftedRateVariance(0.6, 1)).toThrow('a rate of 0.6 cannot be lifted by 1');
  });
});

describe('the sample size', () => {
  const asked = { minimumEffect: 0.3, varianceControl: 100, alpha: 0.05, power: 0.8, sides: 'two-sided' } as const;

  it('gives the power it was asked for, and one unit less does not', () => {
    const { treatment, control } = sampleSize(asked);
    const power = (n: number): number => powerOfEffect(0.3, Math.sqrt((2 * 100) / n), 0.05);
    expect(control).toBe(treatment);
    expect(power(treatment)).toBeGreaterThanOrEqual(0.8 - 1e-9);
    expect(power(treatment - 2)).toBeLessThan(0.8);
  });

  it('is smaller one-sided, and larger in all when arms are unequal', () => {
    expect(sampleSize({ ...asked, sides: 'one-sided' }).total).toBeLessThan(sampleSize(asked).total);
    expect(sampleSize({ ...asked, controlPerTreatment: 9 }).total).toBeGreaterThan(sampleSize(asked).total);
  });

  it('grows by two thirds when it is watched, tightest at half of that', () => {
    const fixed = sampleSize(asked);
    const plan = sequentialPlan(fixed, asked);
    expect(plan.maximumUnits).toBe(Math.ceil(fixed.total * 1.66));
    expect(plan.tightestAtUnits).toBe(Math.ceil(plan.maximumUnits / 2));
  });

  it('refuses an effect of 0', () => {
    expect(() => sampleSize({ ...asked, minimumEffect: 0 })).toThrow(RangeError);
    expect(() => sampleSize({ ...asked, varianceControl: 0 })).toThrow(RangeError);
  });
});

describe('the runtime forecast', () => {
  const week = [100, 100, 100, 100, 100, 40, 60];

  it('divides what is missing by the last week’s rate and waits for the last window', () => {
    expect(forecastRuntime({ pairUnitsNow: 600, scalingFactor: 1, dailyPairUnits: [9999, ...week], windowDays: 7 })).toMatchObject({
      kind: 'forecast',
      days: 14,
      isBasedOnPartOfAWeek: false,
    });
  });

  it('says when a weekend may be missing, when nobody comes, and when it takes half a year', () => {
    expect(forecastRuntime({ pairUnitsNow: 600, scalingFactor: 1, dailyPairUnits: [100] })).toMatchObject({ isBasedOnPartOfAWeek: true });
    expect(forecastRuntime({ pairUnitsNow: 600, scalingFactor: 1, dailyPairUnits: [] })).toMatchObject({
      kind: 'unknown',
      reason: 'NO_INFLOW',
    });
    expect(forecastRuntime({ pairUnitsNow: 1e9, scalingFactor: 1, dailyPairUnits: week })).toMatchObject({ days: LONGEST_FORECAST_DAYS });
  });

  it('asks for no more units once the effect would be found', () => {
    const asked = { alpha: 0.05, power: 0.8 };
    expect(scalingFactorFor({ effect: 1, se: 0.1, ...asked })).toBe(0);
    const more = scalingFactorFor({ effect: 1, se: 0.5, ...asked });
    expect(powerOfEffect(1, 0.5 / Math.sqrt(1 + more), 0.05)).toBeCloseTo(0.8, 5);
    expect(() => scalingFactorFor({ effect: 0, se: 1, ...asked })).toThrow(RangeError);
  });
});
