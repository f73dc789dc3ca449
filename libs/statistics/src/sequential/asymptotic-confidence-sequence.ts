/** Intervals and p-values that stay valid however often they are looked at: the default for everything watched continuously. */
import { type Alternative, boundsFor } from '../comparison/compared-effect.js';
import { type Probability, requireFinite, requirePositive } from '../kernel/requirements.js';
import { fromLogE, type SequentialTest } from './e-values.js';
import { logNormalMixture, type NormalMixture, normalMixture, normalMixtureBound } from './normal-mixture.js';

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
  readonly alpha: Probability;
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

/** What shapes the boundary; frozen before the first look. */
export interface SequenceTuning {
  readonly alpha: Probability;
  /** N*: total units of the pair where the interval shall be tightest; 10 000 unless told. */
  readonly tightestAtUnits?: number;
  readonly alternative?: Alternative;
}

const mixtureOf = ({ alpha, tightestAtUnits = DEFAULT_TIGHTEST_AT_UNITS, alternative = 'two-sided' }: SequenceTuning): NormalMixture =>
  normalMixture({ vOpt: tightestAtUnits, alphaOpt: alpha, sides: alternative === 'two-sided' ? 'two-sided' : 'one-sided' });

/** ρ of GrowthBook's and Waudby-Smith's notation: ρ² = (−2 ln α + ln(1 − 2 ln α))/N*, 2α for α when one-sided. */
export const sequenceRho = (tuning: SequenceTuning): number => 1 / Math.sqrt(mixtureOf(tuning).rho);

/** Half-width in standard errors after n units (eq. 9 two-sided, eq. 134 one-sided); 3.035 at best for α = .05. */
export const sequenceMultiplier = (n: number, tuning: SequenceTuning): number =>
  normalMixtureBound(mixtureOf(tuning), n, tuning.alpha) / Math.sqrt(n);

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
  const tuning = { alpha, tightestAtUnits, alternative };
  const multiplier = sequenceMultiplier(n, tuning);
  const logE = logNormalMixture(mixtureOf(tuning), (alternative === 'less' ? -z : z) * Math.sqrt(n), n);
  return {
    multiplier,
    halfWidth: multiplier * se,
    ...boundsFor(alternative, estimate, multiplier * se),
    ...fromLogE(logE),
  };
};

/** Parallel arrays: look i has estimate[i] ± its bound of se[i] after n[i] units. */
export interface ManyLooks {
  readonly estimate: Float64Array;
  readonly se: Float64Array;
  readonly n: Float64Array;
}

/**
 * The intervals of `asymptoticConfidenceSequence` for many looks of one boundary, written into `lower` and `upper`: nothing is allocated.
 * One-sided boundaries leave their open side at ∓Infinity.
 * @throws RangeError for arrays of different lengths, or where an se or n is not above 0 or anything is not finite, naming its place
 */
export const sequenceIntervals = (
  { estimate, se, n }: ManyLooks,
  tuning: SequenceTuning,
  { lower, upper }: { readonly lower: Float64Array; readonly upper: Float64Array },
): void => {
  for (const { length } of [se, n, lower, upper])
    if (length !== estimate.length) throw new RangeError(`all arrays must have the length of estimate, ${estimate.length}, got ${length}`);
  const { alternative = 'two-sided' } = tuning;
  const { rho, sides } = mixtureOf(tuning);
  const level = sides === 'one-sided' ? 2 * tuning.alpha : tuning.alpha;
  const isTwoSided = sides === 'two-sided';
  const minusLogLevel = -Math.log(level);
  const [below, above] = [alternative === 'less' ? Number.NEGATIVE_INFINITY : 0, alternative === 'greater' ? Number.POSITIVE_INFINITY : 0];
  for (let at = 0; at < estimate.length; at++) {
    const centre = estimate[at] ?? Number.NaN;
    const error = se[at] ?? Number.NaN;
    const units = n[at] ?? Number.NaN;
    const growth = 1 + units / rho;
    const log = isTwoSided ? 0.5 * Math.log(growth) + minusLogLevel : Math.log1p(Math.sqrt(growth) / level);
    const half = error * Math.sqrt(2 * (1 + rho / units) * log);
    // One comparison finds what is wrong with any of the three; which one it was is asked after.
    if (!(error > 0 && units > 0 && Math.abs(centre) + half < Number.POSITIVE_INFINITY)) refuseLook(at, { centre, error, units });
    lower[at] = centre - half + below;
    upper[at] = centre + half + above;
  }
};

const refuseLook = (at: number, { centre, error, units }: { centre: number; error: number; units: number }): void => {
  requirePositive(`n[${at}]`, units);
  requirePositive(`se[${at}]`, error);
  requireFinite(`estimate[${at}]`, centre);
  throw new RangeError(`the interval of look ${at} exceeds the largest double: se ${error} after ${units} units`);
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
