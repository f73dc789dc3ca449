/** The regularised incomplete gamma function: both tails, and both logarithms, each computed directly. */
import { logRatioMinusExcess, stirlingError } from './stirling.js';

export interface Tails {
  readonly lower: number;
  readonly upper: number;
  readonly logLower: number;
  readonly logUpper: number;
}

export const tailsFromLower = (logLower: number): Tails => {
  const lower = Math.min(1, Math.exp(logLower));
  return { lower, upper: 1 - lower, logLower: Math.min(0, logLower), logUpper: Math.log1p(-lower) };
};

export const tailsFromUpper = (logUpper: number): Tails => {
  const { lower, upper, logLower, logUpper: logOther } = tailsFromLower(logUpper);
  return { lower: upper, upper: lower, logLower: logOther, logUpper: logLower };
};

const TINY = 1e-300;
const PRECISION = 1e-16;

/** ln of x^a e^{-x} / Γ(a), in the form that stays exact where x ≈ a and a is large (Loader 2000). */
export const logGammaDensityTimesX = (a: number, x: number): number =>
  a * logRatioMinusExcess(x, a, x - a) - stirlingError(a) + 0.5 * Math.log(a / (2 * Math.PI));

const lowerSeries = (a: number, x: number): number => {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; term > sum * PRECISION; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
};

/** Lentz's continued fraction of Γ(a, x)·e^x·x^{-a}. */
const upperFraction = (a: number, x: number): number => {
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let h = d;
  for (let i = 1; ; i++) {
    const an = -i * (i - a);
    b += 2;
    d = an * d + b;
    if (Math.abs(d) < TINY) d = TINY;
    c = b + an / c;
    if (Math.abs(c) < TINY) c = TINY;
    d = 1 / d;
    const change = d * c;
    h *= change;
    // Negated, so that a NaN ends the loop too.
    if (!(Math.abs(change - 1) > 2 * PRECISION)) return h;
  }
};

/** P(a, x) and Q(a, x) for a > 0, x ≥ 0. Terms needed grow as √a. */
export const incompleteGamma = (a: number, x: number): Tails => {
  if (x === 0) return { lower: 0, upper: 1, logLower: -Number.MAX_VALUE, logUpper: 0 };
  const logFront = logGammaDensityTimesX(a, x);
  return x < a + 1 ? tailsFromLower(logFront + Math.log(lowerSeries(a, x))) : tailsFromUpper(logFront + Math.log(upperFraction(a, x)));
};
