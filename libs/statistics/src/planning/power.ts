/** What a planned comparison would find: power and the smallest effect worth looking for. */
import { noncentralT, normal, studentT } from '../distributions.js';
import { type Probability, requireFinite, requireLevel, requirePositive } from '../kernel/requirements.js';
import { sequenceMultiplier } from '../sequential/asymptotic-confidence-sequence.js';

/** Power of a two-sided z-test at level alpha for an effect with the given standard error. */
export const powerOfEffect = (effect: number, se: number, alpha: Probability): number => {
  const shift = requireFinite('effect', effect) / requirePositive('se', se);
  const z = normal.isf(requireLevel('alpha', alpha) / 2);
  return normal.sf(z - shift) + normal.sf(z + shift);
};

export interface RelativePlan {
  readonly controlMean: number;
  /** Variance per unit in control. */
  readonly controlVariance: number;
  /** Variance per unit in the treatment under the effect; as control's unless told. */
  readonly treatmentVariance?: number;
  readonly unitsControl: number;
  readonly unitsTreatment: number;
}

/** Standard error of a lift under a planned lift, by the delta method: s²_B/(n_B m²) + s²_A(1 + r)²/(n_A m²). */
export const plannedLiftSe = (plan: RelativePlan, lift: number): number => {
  const { controlMean, controlVariance, treatmentVariance = controlVariance } = plan;
  if (controlMean === 0) throw new RangeError('a relative effect needs a control mean other than 0');
  const scaled =
    treatmentVariance / requirePositive('unitsTreatment', plan.unitsTreatment) +
    (controlVariance * (1 + lift) ** 2) / requirePositive('unitsControl', plan.unitsControl);
  return Math.sqrt(scaled) / Math.abs(controlMean);
};

/** Variance per unit of a 0/1 metric whose rate is lifted by a share. @throws RangeError when the lifted rate leaves [0, 1] */
export const liftedRateVariance = (rate: number, lift: number): number => {
  const lifted = rate * (1 + lift);
  if (!(lifted >= 0 && lifted <= 1)) throw new RangeError(`a rate of ${rate} cannot be lifted by ${lift}`);
  return lifted * (1 - lifted);
};

/** Power for a lift at a fixed horizon; GrowthBook plans 0/1 metrics with control's variance in both arms. Golden: power-fixed-gb, power-weeks-gb */
export const relativePower = (plan: RelativePlan, lift: number, alpha: Probability): number =>
  powerOfEffect(lift, plannedLiftSe(plan, lift), alpha);

export type DetectableLift =
  | { readonly kind: 'lift'; readonly lift: number }
  | { readonly kind: 'not-enough-units'; readonly needed: number };

/**
 * Smallest lift found with the given power, in closed form, for equal variances in both arms and n units each.
 * @returns `not-enough-units` with the units per arm from which any lift is detectable
 */
export const minimumDetectableLift = (input: {
  readonly controlMean: number;
  readonly variance: number;
  readonly unitsPerArm: number;
  readonly alpha: Probability;
  readonly power: Probability;
}): DetectableLift => {
  const { controlMean: mean, variance, unitsPerArm, alpha, power } = input;
  if (mean === 0) throw new RangeError('a relative effect needs a control mean other than 0');
  const c = normal.isf(requireLevel('alpha', alpha) / 2) + normal.quantile(requireLevel('power', power));
  const spread = (c * c * requirePositive('variance', variance)) / requirePositive('unitsPerArm', unitsPerArm);
  const a = 1 - spread / mean ** 2;
  if (a <= 0) return { kind: 'not-enough-units', needed: Math.floor((c * c * variance) / mean ** 2) + 1 };
  const treated = (mean + Math.sqrt(mean * mean - a * (mean * mean - spread))) / a;
  return { kind: 'lift', lift: treated / mean - 1 };
};

/** Chance that the confidence sequence excludes 0 exactly at n: a lower bound of its power, since it may have crossed before. Golden: power-seq-exact */
export const sequentialEndPower = (input: {
  readonly effect: number;
  readonly se: number;
  readonly n: number;
  readonly alpha: Probability;
  readonly tightestAtUnits: number;
}): number => {
  const { effect, se, n, alpha, tightestAtUnits } = input;
  const multiplier = sequenceMultiplier(n, { alpha, tightestAtUnits });
  const shift = requireFinite('effect', effect) / requirePositive('se', se);
  return normal.sf(multiplier - shift) + normal.sf(multiplier + shift);
};

/** Power of a two-sided t-test, exact: differs from the z-test's below some 200 units. Golden: nct-* */
export const tTestPower = (input: {
  readonly effect: number;
  readonly se: number;
  readonly df: number;
  readonly alpha: Probability;
}): Probability => {
  const { effect, se, df, alpha } = input;
  const critical = studentT.isf(requireLevel('alpha', alpha) / 2, df);
  const ncp = effect / requirePositive('se', se);
  return noncentralT.sf(critical, df, ncp) + noncentralT.cdf(-critical, df, ncp);
};

/** Mean and spread between units. */
export interface PlannedSpread {
  readonly mean: number;
  readonly sd: number;
}

/**
 * Variance per unit of a ratio of two sums, of its linearised value (delta method at the unit): s²_M/D̄² + s²_D·M̄²/D̄⁴ − 2ρ·s_M·s_D·M̄/D̄³.
 * @param correlation  of the two values of a unit, in (−1, 1)
 * @throws RangeError for a denominator of mean 0
 */
export const plannedRatioVariance = (numerator: PlannedSpread, denominator: PlannedSpread, correlation: number): number => {
  if (denominator.mean === 0) throw new RangeError('a ratio needs a denominator whose mean is not 0');
  const ratio = numerator.mean / denominator.mean;
  const together = correlation * numerator.sd * denominator.sd;
  return (numerator.sd ** 2 + ratio ** 2 * denominator.sd ** 2 - 2 * ratio * together) / denominator.mean ** 2;
};

/**
 * Variance per unit of a quantile of independent values: ν(1 − ν)/f², the density f at the quantile read off a second point of the distribution.
 * @throws RangeError where the two points do not rise together
 */
export const plannedQuantileVariance = (
  at: { readonly level: number; readonly value: number },
  nearby: { readonly level: number; readonly value: number },
): number => {
  const density = (nearby.level - at.level) / (nearby.value - at.value);
  if (!(density > 0 && Number.isFinite(density)))
    throw new RangeError(`levels and values must rise together, got ${at.level} → ${at.value} and ${nearby.level} → ${nearby.value}`);
  return (requireLevel('level', at.level) * (1 - at.level)) / density ** 2;
};
