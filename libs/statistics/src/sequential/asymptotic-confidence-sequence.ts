/** Intervals and p-values that stay valid however often they are looked at: the default for everything watched continuously. */

import { type Alternative, boundsFor } from '../comparison/compared-effect.js';
import { requireFinite, requirePositive } from '../kernel/requirements.js';
import { fromLogE, type SequentialTest } from './e-values.js';
import { logNormalMixture, normalMixtureBound, normalMixtureRho, type Sides } from './normal-mixture.js';

/** N* when nothing is planned: total units of the pair at which the interval is tightest. */
export const DEFAULT_TIGHTEST_AT_UNITS = 10_000;

export interface ConfidenceSequenceInput {
  readonly estimate: number;
  /** Standard error at this look; must be above 0. */
  readonly se: number;
  /** Units of both arms counted in this estimate. */
  readonly n: number;
  /** N*: total units of the pair where the interval shall be tightest. Half of the planned maximum; frozen before the first look. */
  readonly tightestAtUnits?: number;
  readonly alpha: number;
  readonly alternative?: Alternative;
  readonly nullDifference?: number;
}

/** Evidence against `nullDifference`, and the interval of all differences not rejected. */
export interface AlwaysValid extends SequentialTest {
  /** In standard errors. */
  readonly multiplier: number;
  readonly halfWidth: number;
  readonly ciLower: number | null;
  readonly ciUpper: number | null;
}

const sidesOf = (alternative: Alternative): Sides => (alternative === 'two-sided' ? 'two-sided' : 'one-sided');

/** ρ of GrowthBook's and Waudby-Smith's notation: ρ² = (−2 ln α + ln(1 − 2 ln α))/N*, 2α for α when one-sided. */
export const sequenceRho = (alpha: number, tightestAtUnits: number, alternative: Alternative = 'two-sided'): number =>
  1 / Math.sqrt(normalMixtureRho(tightestAtUnits, alpha, sidesOf(alternative)));

/** Half-width in standard errors after n units (eq. 9 two-sided, eq. 134 one-sided); 3.035 at best for α = .05. */
export const sequenceMultiplier = (n: number, alpha: number, tightestAtUnits: number, alternative: Alternative = 'two-sided'): number => {
  const sides = sidesOf(alternative);
  return normalMixtureBound(n, alpha, normalMixtureRho(tightestAtUnits, alpha, sides), sides) / Math.sqrt(n);
};

/**
 * Asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024; the boundary of Howard et al. 2021, of Eppo and of GAVI).
 * One-sided p-values invert the exact one-sided mixture; their interval is its closed, slightly wider form.
 * @throws RangeError when alpha is outside (0, 1), or (0, ½) one-sided, or se, n or N* is not above 0
 * Asymptotic: not before 100 units in each arm (and 25 successes and failures each for 0/1 metrics). One look counts closed units only:
 * a unit's value must not change after it entered. N* chosen after seeing data voids the guarantee.
 * Golden: seq_asympcs
 */
export const asymptoticConfidenceSequence = (input: ConfidenceSequenceInput): AlwaysValid => {
  const { estimate, se, n, alpha, tightestAtUnits = DEFAULT_TIGHTEST_AT_UNITS, alternative = 'two-sided', nullDifference = 0 } = input;
  requirePositive('se', se);
  const z = (requireFinite('estimate', estimate) - requireFinite('nullDifference', nullDifference)) / se;
  const rho = normalMixtureRho(tightestAtUnits, alpha, sidesOf(alternative));
  const multiplier = sequenceMultiplier(n, alpha, tightestAtUnits, alternative);
  const logE = logNormalMixture((alternative === 'less' ? -z : z) * Math.sqrt(n), n, rho, sidesOf(alternative));
  return {
    multiplier,
    halfWidth: multiplier * se,
    ...boundsFor(alternative, estimate, multiplier * se),
    ...fromLogE(logE),
  };
};

/** How far the data must be in before the asymptotics may be trusted: units per arm, and both outcomes of a 0/1 metric per arm. */
export const BURN_IN = { unitsPerArm: 100, successesAndFailuresPerArm: 25 } as const;

export type BurnIn = { readonly kind: 'over' } | { readonly kind: 'not-enough-data'; readonly needed: number; readonly have: number };

/** @param arms  units per arm, and successes where the metric is 0/1 */
export const burnIn = (arms: readonly { readonly n: number; readonly successes?: number }[]): BurnIn => {
  for (const { n, successes } of arms) {
    if (n < BURN_IN.unitsPerArm) return { kind: 'not-enough-data', needed: BURN_IN.unitsPerArm, have: n };
    const rarer = successes === undefined ? undefined : Math.min(successes, n - successes);
    if (rarer !== undefined && rarer < BURN_IN.successesAndFailuresPerArm) {
      return { kind: 'not-enough-data', needed: BURN_IN.successesAndFailuresPerArm, have: rarer };
    }
  }
  return { kind: 'over' };
};
