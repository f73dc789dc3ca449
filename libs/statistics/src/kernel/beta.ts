/** The regularised incomplete beta function: both tails, both logarithms, no cap on its continued fraction. */
import { type Tails, tailsFromLower, tailsFromUpper } from './gamma.js';
import { logRatioMinusExcess, stirlingError } from './stirling.js';

const TINY = 1e-300;
// Looked up once: the loop below runs thousands of times, and a global costs more there than the arithmetic.
const { abs } = Math;

/** ln B(a, b) without cancellation between large gamma functions. */
export const logBeta = (a: number, b: number): number => {
  const s = a + b;
  return (
    a * Math.log(a / s) +
    b * Math.log(b / s) +
    0.5 * Math.log((2 * Math.PI * s) / (a * b)) +
    stirlingError(a) +
    stirlingError(b) -
    stirlingError(s)
  );
};

/** ln of x^a y^b / B(a, b) with y = 1 − x given apart (Loader's deviance form). */
export const logBetaFront = (x: number, y: number, a: number, b: number): number => {
  const s = a + b;
  const offCentre = x * b - y * a;
  const deviance = a * logRatioMinusExcess(x * s, a, offCentre) + b * logRatioMinusExcess(y * s, b, -offCentre);
  return deviance + 0.5 * Math.log((a * b) / (2 * Math.PI * s)) - stirlingError(a) - stirlingError(b) + stirlingError(s);
};

const guarded = (value: number): number => (abs(value) < TINY ? TINY : value);

/** Lentz's continued fraction; converges in O(√max(a, b)) steps on x ≤ (a+1)/(a+b+2). */
const fraction = (x: number, a: number, b: number): number => {
  let c = 1;
  let d = 1 / guarded(1 - ((a + b) * x) / (a + 1));
  let h = d;
  for (let m = 1; ; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / guarded(1 + even * d);
    c = guarded(1 + even / c);
    h *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / guarded(1 + odd * d);
    c = guarded(1 + odd / c);
    const change = d * c;
    h *= change;
    // Negated, so that a NaN ends the loop too.
    if (!(abs(change - 1) > 3e-16)) return h;
  }
};

/** I_x(a, b) and its complement; x and y = 1 − x in [0, 1], both given because the smaller one carries the digits. */
export const incompleteBeta = (x: number, y: number, a: number, b: number): Tails => {
  if (x <= 0) return { lower: 0, upper: 1, logLower: -Number.MAX_VALUE, logUpper: 0 };
  if (y <= 0) return { lower: 1, upper: 0, logLower: 0, logUpper: -Number.MAX_VALUE };
  const logFront = logBetaFront(x, y, a, b);
  return x <= (a + 1) / (a + b + 2)
    ? tailsFromLower(logFront + Math.log(fraction(x, a, b) / a))
    : tailsFromUpper(logFront + Math.log(fraction(y, b, a) / b));
};
