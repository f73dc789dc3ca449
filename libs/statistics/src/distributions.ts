/**
 * The one place that decides whether jStat or our own kernel answers.
 *
 * jStat 1.9.6 has no survival function, no logarithm of a tail, caps its incomplete beta at 100 terms and knows the normal tail only as `1 - erf`.
 * Measured against 50-digit references it is as good as double precision in two places, and serves there: the body of the normal (|z| ≤ 1)
 * and ln Γ (5e-17 relative at 1e8, 3e-13 at 100). Tails, inverses, t, χ² and beta come from `kernel/`: relative error ≤ 1e-9 down to
 * p = 1e-300 and a finite logarithm beyond. `distributions.spec.ts` holds the table of what jStat returns and what is true.
 *
 * Every p-value starts at `sf` or `logSf` of |statistic|; nothing here computes `1 - cdf` for a tail.
 * Golden: numerics_normal, numerics_t, numerics_chi2, numerics_beta.
 */
import jstat from 'jstat';
import { incompleteBeta, logBeta } from './kernel/beta.js';
import { incompleteGamma, logGammaDensityTimesX, type Tails } from './kernel/gamma.js';
import { noncentralTCdf } from './kernel/noncentral-t.js';
import { logNormalPdf, logNormalSf, millsRatio, normalIsf, normalPdf, normalSf } from './kernel/normal.js';
import { requireFinite, requireLevel, requirePositive } from './kernel/requirements.js';
import { findRoot } from './kernel/root-finding.js';
import { logStudentTSf, studentTIsf, studentTSf } from './kernel/student-t.js';

const { jStat } = jstat;

/** ln Γ(x) for x > 0. */
export const logGamma = (x: number): number => jStat.gammaln(requirePositive('x', x));

const upperNormal = (z: number): number => (Math.abs(requireFinite('z', z)) <= 1 ? jStat.normal.cdf(-z, 0, 1) : normalSf(z));

/** Standard normal. */
export const normal = {
  sf: upperNormal,
  logSf: (z: number): number => logNormalSf(requireFinite('z', z)),
  cdf: (z: number): number => upperNormal(-z),
  logCdf: (z: number): number => logNormalSf(-requireFinite('z', z)),
  pdf: (z: number): number => normalPdf(requireFinite('z', z)),
  logPdf: (z: number): number => logNormalPdf(requireFinite('z', z)),
  /** z with P(Z > z) = upperTail. */
  isf: (upperTail: number): number => normalIsf(requireLevel('upperTail', upperTail)),
  /** z with P(Z ≤ z) = lowerTail. */
  quantile: (lowerTail: number): number => -normalIsf(requireLevel('lowerTail', lowerTail)),
  /** P(Z > z) / φ(z), z ≥ 0. */
  millsRatio: (z: number): number => millsRatio(requireFinite('z', z)),
} as const;

/** Student's t with df > 0 degrees of freedom, not necessarily whole. */
export const studentT = {
  sf: (t: number, df: number): number => studentTSf(requireFinite('t', t), requirePositive('df', df)),
  logSf: (t: number, df: number): number => logStudentTSf(requireFinite('t', t), requirePositive('df', df)),
  cdf: (t: number, df: number): number => studentTSf(-requireFinite('t', t), requirePositive('df', df)),
  isf: (upperTail: number, df: number): number => studentTIsf(requireLevel('upperTail', upperTail), requirePositive('df', df)),
  quantile: (lowerTail: number, df: number): number => -studentTIsf(requireLevel('lowerTail', lowerTail), requirePositive('df', df)),
} as const;

/** Student's t around a noncentrality: power of a t-test with few units. */
export const noncentralT = {
  cdf: (x: number, df: number, ncp: number): number =>
    noncentralTCdf(requireFinite('x', x), requirePositive('df', df), requireFinite('ncp', ncp)),
  sf: (x: number, df: number, ncp: number): number =>
    noncentralTCdf(-requireFinite('x', x), requirePositive('df', df), -requireFinite('ncp', ncp)),
} as const;

/** The x ≥ 0 at which a tail of `tails(x)` has the wanted logarithm; searched in ln x, so that 1e-200 is found as well as 1e5. */
const invert = (
  tails: (x: number) => Tails,
  wanted: { logUpper: number } | { logLower: number },
  logLow: number,
  logHigh: number,
): number => {
  const excess = (logX: number): number => {
    const at = tails(Math.exp(logX));
    return 'logUpper' in wanted ? at.logUpper - wanted.logUpper : wanted.logLower - at.logLower;
  };
  // Smaller than any double: 0 is the nearest.
  if (excess(logLow) <= 0) return 0;
  return Math.exp(findRoot(excess, logLow, logHigh));
};

const gammaTails = (x: number, shape: number): Tails =>
  incompleteGamma(requirePositive('shape', shape), Math.max(0, requireFinite('x', x)));
/** Where even the smallest double is exceeded: a tail of 1e-308 lies below a + 1500 + 60·√a. */
const beyondEveryGammaTail = (shape: number): number => Math.log(shape + 1500 + 60 * Math.sqrt(shape));

const gammaIsf = (upperTail: number, shape: number): number => {
  const wanted = requireLevel('upperTail', upperTail) <= 0.5 ? { logUpper: Math.log(upperTail) } : { logLower: Math.log1p(-upperTail) };
  return invert((x) => gammaTails(x, shape), wanted, -700, beyondEveryGammaTail(requirePositive('shape', shape)));
};

const gammaQuantile = (lowerTail: number, shape: number): number => {
  const wanted = requireLevel('lowerTail', lowerTail) <= 0.5 ? { logLower: Math.log(lowerTail) } : { logUpper: Math.log1p(-lowerTail) };
  return invert((x) => gammaTails(x, shape), wanted, -700, beyondEveryGammaTail(requirePositive('shape', shape)));
};

/** Gamma with the given shape and scale 1. */
export const gamma = {
  sf: (x: number, shape: number): number => gammaTails(x, shape).upper,
  logSf: (x: number, shape: number): number => gammaTails(x, shape).logUpper,
  cdf: (x: number, shape: number): number => gammaTails(x, shape).lower,
  logPdfTimesX: (x: number, shape: number): number => logGammaDensityTimesX(requirePositive('shape', shape), requirePositive('x', x)),
  isf: gammaIsf,
  quantile: gammaQuantile,
} as const;

/** χ² with df > 0 degrees of freedom. */
export const chiSquare = {
  sf: (x: number, df: number): number => gammaTails(x / 2, df / 2).upper,
  logSf: (x: number, df: number): number => gammaTails(x / 2, df / 2).logUpper,
  cdf: (x: number, df: number): number => gammaTails(x / 2, df / 2).lower,
  isf: (upperTail: number, df: number): number => 2 * gammaIsf(upperTail, df / 2),
  quantile: (lowerTail: number, df: number): number => 2 * gammaQuantile(lowerTail, df / 2),
} as const;

const betaTails = (x: number, a: number, b: number): Tails => {
  const inside = Math.min(1, Math.max(0, requireFinite('x', x)));
  return incompleteBeta(inside, 1 - inside, requirePositive('a', a), requirePositive('b', b));
};

/**
 * x in [0, 1] at which a tail of Beta(a, b) has the wanted probability. Below ½ it is searched in ln x, above it in ln(1 − x): whatever lies near an end keeps
 * its digits as far as a double has room.
 */
const betaInverse = (probability: number, of: 'logLower' | 'logUpper', a: number, b: number): number => {
  const wanted = Math.log(probability);
  const sign = of === 'logLower' ? -1 : 1;
  const excess = (tails: Tails): number => sign * (tails[of] - wanted);
  const fromBottom = (logX: number): number => excess(betaTails(Math.exp(logX), a, b));
  const fromTop = (logY: number): number => excess(incompleteBeta(1 - Math.exp(logY), Math.exp(logY), a, b));
  if (fromBottom(Math.log(0.5)) <= 0) return fromBottom(-700) <= 0 ? 0 : Math.exp(findRoot(fromBottom, -700, Math.log(0.5)));
  return fromTop(-700) >= 0 ? 1 : 1 - Math.exp(findRoot(fromTop, -700, Math.log(0.5)));
};

/** Beta(a, b) on [0, 1]. */
export const beta = {
  sf: (x: number, a: number, b: number): number => betaTails(x, a, b).upper,
  logSf: (x: number, a: number, b: number): number => betaTails(x, a, b).logUpper,
  cdf: (x: number, a: number, b: number): number => betaTails(x, a, b).lower,
  logCdf: (x: number, a: number, b: number): number => betaTails(x, a, b).logLower,
  quantile: (lowerTail: number, a: number, b: number): number => betaInverse(requireLevel('lowerTail', lowerTail), 'logLower', a, b),
  /** x with P(X > x) = upperTail. */
  isf: (upperTail: number, a: number, b: number): number => betaInverse(requireLevel('upperTail', upperTail), 'logUpper', a, b),
  logNormaliser: (a: number, b: number): number => logBeta(requirePositive('a', a), requirePositive('b', b)),
} as const;
