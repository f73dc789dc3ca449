/** Student's t in its upper tail, its logarithm and its inverse, for any degrees of freedom > 0. */
import { incompleteBeta, logBeta } from './beta.js';
import { logNormalSf, normalIsf } from './normal.js';
import { findRoot } from './root-finding.js';

/** From here on Wallace's normal approximation is within 4.4e-10 relative (|t| ≤ 38), and the continued fraction gets slow. */
const NORMAL_FROM_DF = 1e7;

/** Wallace 1959: the normal deviate with nearly the same tail. */
const wallace = (t: number, df: number): number => ((8 * df + 1) / (8 * df + 3)) * Math.sqrt(df * Math.log1p((t / df) * t));

/** ln P(T > t) for t ≥ 0. */
const logUpperTail = (t: number, df: number): number => {
  if (df >= NORMAL_FROM_DF) return logNormalSf(wallace(t, df));
  const ratio = (t / df) * t;
  // So far out only the leading power is left, and t² itself may overflow.
  if (!(ratio < 1e17)) return -Math.LN2 + (df / 2) * (Math.log(df) - 2 * Math.log(t)) - Math.log(df / 2) - logBeta(df / 2, 0.5);
  return incompleteBeta(1 / (1 + ratio), ratio / (1 + ratio), df / 2, 0.5).logLower - Math.LN2;
};

/** ln P(T > t). */
export const logStudentTSf = (t: number, df: number): number =>
  t >= 0 ? logUpperTail(t, df) : Math.log1p(-Math.exp(logUpperTail(-t, df)));

/** P(T > t). */
export const studentTSf = (t: number, df: number): number => (t >= 0 ? Math.exp(logUpperTail(t, df)) : 1 - Math.exp(logUpperTail(-t, df)));

/** ln of the density. */
export const logStudentTPdf = (t: number, df: number): number => {
  if (df >= NORMAL_FROM_DF) return -((df + 1) / 2) * Math.log1p((t / df) * t) - 0.5 * Math.log(2 * Math.PI);
  return -((df + 1) / 2) * Math.log1p((t / df) * t) - 0.5 * Math.log(df) - logBeta(df / 2, 0.5);
};

/** Two terms of the Cornish–Fisher expansion around the normal quantile; a start, not an answer. */
const cornishFisher = (z: number, df: number): number =>
  z + (z * (z * z + 1)) / (4 * df) + (z * (5 * z ** 4 + 16 * z * z + 3)) / (96 * df * df);

/** t with P(T > t) = upperTail, for upperTail in (0, 1): Newton steps on the logarithm of the tail, which is nearly quadratic there. */
export const studentTIsf = (upperTail: number, df: number): number => {
  if (upperTail > 0.5) return -studentTIsf(1 - upperTail, df);
  if (upperTail === 0.5) return 0;
  const target = Math.log(upperTail);
  const excess = (t: number): number => logUpperTail(t, df) - target;
  let t = cornishFisher(normalIsf(upperTail), df);
  for (let i = 0; i < 30 && Number.isFinite(t) && t > 0; i++) {
    const gap = excess(t);
    const next = t + gap * Math.exp(logUpperTail(t, df) - logStudentTPdf(t, df));
    if (Math.abs(next - t) <= 4e-15 * t) return next;
    t = next;
  }
  return bisectInLogarithm(excess);
};

/** The slow road for heavy tails (df of a few and tiny probabilities), where Newton may overshoot. */
const bisectInLogarithm = (excess: (t: number) => number): number => {
  if (excess(Number.MAX_VALUE) > 0)
    throw new RangeError('the quantile exceeds the largest double: the tail is too heavy for so small a probability');
  return Math.exp(findRoot((logT) => excess(Math.exp(logT)), -700, Math.log(Number.MAX_VALUE)));
};
