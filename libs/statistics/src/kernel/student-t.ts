/** Student's t in its upper tail, its logarithm and its inverse, for any degrees of freedom > 0. */
import { incompleteBeta, logBeta } from './beta.js';
import { logScaledErfc, normalIsf } from './normal.js';
import { findRoot } from './root-finding.js';

/** From here on the large-df expansion is exact to the last digits, and the continued fraction gets slow: its steps grow with √df. */
const MANY_DF = 60;
/** The expansion is one for t² of the order of df; further out the fraction has few steps. */
const MODERATE_RATIO = 2;

/** dₙ of DiDonato & Morris 1992 (BGRAT, eq. 34) for b = ½. */
const expansion = [
  -1 / 12,
  0.00625,
  -5.042989417989418e-4,
  4.343722442680776e-5,
  -3.896385732323232e-6,
  3.5833354634507906e-7,
  -3.349747072060578e-8,
  3.1675854343161146e-9,
  -3.0210368517370963e-10,
  2.900415787669253e-11,
  -2.799396748375269e-12,
  2.713639320017204e-13,
] as const;

/** ln Γ(ν + ¾) − ln Γ(ν + ¼) − ½ ln ν, which falls as 1/(64 ν²). */
const gammaRatioExcess = (nu: number): number => {
  const s = 1 / (nu * nu);
  return s * (1 / 64 + s * (-5 / 2048 + s * (61 / 49152 + s * (-1385 / 1048576 + s * 0.002409029006958004))));
};

const SQRT_PI = Math.sqrt(Math.PI);

/** ln P(T > t) for many degrees of freedom: the incomplete beta function as a series of incomplete gamma functions, here of erfc. */
const logUpperTailOfMany = (ratio: number, df: number): number => {
  const nu = df / 2 - 0.25;
  const logGrowth = Math.log1p(ratio);
  const z = nu * logGrowth;
  const root = Math.sqrt(z);
  const logScaled = logScaledErfc(root);
  const first = SQRT_PI * Math.exp(logScaled);
  const v = 1 / (4 * nu * nu);
  const growth = 0.25 * logGrowth * logGrowth;
  let power = root;
  let j = first;
  let sum = 0;
  for (let n = 0; n < expansion.length; n++) {
    const at = 0.5 + 2 * n;
    j = (at * (at + 1) * j + (z + at + 1) * power) * v;
    power *= growth;
    const term = (expansion[n] ?? 0) * j;
    sum += term;
    if (Math.abs(term) <= 1e-17 * first) break;
  }
  return logScaled - z - Math.LN2 + gammaRatioExcess(nu) + Math.log1p(sum / first);
};

/** ln P(T > t) for t ≥ 0. */
const logUpperTail = (t: number, df: number): number => {
  const ratio = (t / df) * t;
  if (df >= MANY_DF && ratio <= MODERATE_RATIO) return logUpperTailOfMany(ratio, df);
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
const logStudentTPdf = (t: number, df: number): number => {
  const kernel = -((df + 1) / 2) * Math.log1p((t / df) * t);
  if (df < MANY_DF) return kernel - 0.5 * Math.log(df) - logBeta(df / 2, 0.5);
  const nu = df / 2 - 0.25;
  return kernel + 0.5 * Math.log(nu / (Math.PI * df)) + gammaRatioExcess(nu);
};

/** The terms of the Cornish–Fisher expansion around the normal quantile (Abramowitz & Stegun 26.7.5), in falling order of size. */
const cornishFisher = (z: number, df: number): { readonly t: number; readonly last: number } => {
  const s = z * z;
  const first = (z * (s + 1)) / 4;
  const second = (z * (3 + s * (16 + 5 * s))) / 96;
  const third = (z * (-15 + s * (17 + s * (19 + 3 * s)))) / 384;
  const fourth = (z * (-945 + s * (-1920 + s * (1482 + s * (776 + 79 * s))))) / 92160;
  const last = fourth / df ** 4;
  return { t: z + (first + (second + third / df) / df) / df + last, last };
};

/** t with P(T > t) = upperTail, for upperTail in (0, 1): Newton steps on the logarithm of the tail, which is nearly quadratic there. */
export const studentTIsf = (upperTail: number, df: number): number => {
  if (upperTail > 0.5) return -studentTIsf(1 - upperTail, df);
  if (upperTail === 0.5) return 0;
  const target = Math.log(upperTail);
  const start = cornishFisher(normalIsf(upperTail), df);
  // Each term is smaller than the one before by about t²/df: what is left out is nothing.
  if (df >= 1_000 && Math.abs(start.last) <= 1e-13 * start.t && start.t * start.t < 0.1 * df) return start.t;
  let { t } = start;
  for (let i = 0; i < 30 && Number.isFinite(t) && t > 0; i++) {
    const logTail = logUpperTail(t, df);
    const next = t + (logTail - target) * Math.exp(logTail - logStudentTPdf(t, df));
    // The step after it would be of the order of its square.
    if (Math.abs(next - t) <= 1e-9 * t) return next;
    t = next;
  }
  return bisectInLogarithm((x) => logUpperTail(x, df) - target);
};

/** The slow road for heavy tails (df of a few and tiny probabilities), where Newton may overshoot. */
const bisectInLogarithm = (excess: (t: number) => number): number => {
  if (excess(Number.MAX_VALUE) > 0)
    throw new RangeError('the quantile exceeds the largest double: the tail is too heavy for so small a probability');
  return Math.exp(findRoot((logT) => excess(Math.exp(logT)), -700, Math.log(Number.MAX_VALUE)));
};
