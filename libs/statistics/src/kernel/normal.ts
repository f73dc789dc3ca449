/** The standard normal in both tails, and its inverse from a tail probability: no result is ever `1 - cdf`. */

/** Chebyshev coefficients of ln(erfc(z)·e^{z²}/t), Numerical Recipes 3rd ed. §6.2.2: relative error below 1.2e-16 in exact arithmetic. */
const erfcCoefficients = [
  -1.3026537197817094, 0.6419697923564902, 0.019476473204185836, -0.00956151478680863, -9.46595344482036e-4, 3.66839497852761e-4,
  4.2523324806907e-5, -2.0278578112534e-5, -1.624290004647e-6, 1.30365583558e-6, 1.5626441722e-8, -8.5238095915e-8, 6.529054439e-9,
  5.059343495e-9, -9.91364156e-10, -2.27365122e-10, 9.6467911e-11, 2.394038e-12, -6.886027e-12, 8.94487e-13, 3.13092e-13, -1.12708e-13,
  3.81e-16, 7.106e-15, -1.523e-15, -9.4e-17, 1.21e-16, -2.8e-17,
] as const;

const LN_2 = Math.LN2;
const HALF_LN_2PI = 0.5 * Math.log(2 * Math.PI);

/** ln(erfc(x)·e^{x²}) for x ≥ 0. */
export const logScaledErfc = (x: number): number => {
  const t = 2 / (2 + x);
  const ty = 4 * t - 2;
  let d = 0;
  let dd = 0;
  for (let j = erfcCoefficients.length - 1; j > 0; j--) {
    const previous = d;
    d = ty * d - dd + (erfcCoefficients[j] ?? 0);
    dd = previous;
  }
  return Math.log(t) + 0.5 * (erfcCoefficients[0] + ty * d) - dd;
};

/** Beyond it e^{-x²} is 0. */
const UNDERFLOW = 40;

/** e^{-x²} without the error of squaring: x² alone loses x²·1e-16 relative. */
const expOfMinusSquare = (x: number): number => {
  // Far out one of the two factors overflows.
  if (Math.abs(x) > UNDERFLOW) return 0;
  const head = Math.round(16 * x) / 16;
  return Math.exp(-head * head) * Math.exp(-(x - head) * (x + head));
};

const erfcOfPositive = (x: number): number => Math.exp(logScaledErfc(x)) * expOfMinusSquare(x);

/** P(Z > z). */
export const normalSf = (z: number): number => {
  const x = Math.abs(z) * Math.SQRT1_2;
  const tail = x > UNDERFLOW ? 0 : erfcOfPositive(x) / 2;
  return z >= 0 ? tail : 1 - tail;
};

/** ln P(Z > z), finite for every finite z. */
export const logNormalSf = (z: number): number => {
  if (z < 5) return z < -5 ? Math.log1p(-normalSf(-z)) : Math.log(normalSf(z));
  const exponent = logScaledErfc(z * Math.SQRT1_2) - LN_2 - (z / 2) * z;
  return Math.max(exponent, -Number.MAX_VALUE);
};

export const logNormalPdf = (z: number): number => -(z / 2) * z - HALF_LN_2PI;

export const normalPdf = (z: number): number => expOfMinusSquare(Math.abs(z) * Math.SQRT1_2) / Math.sqrt(2 * Math.PI);

/** Mills ratio P(Z > z) / φ(z) for z ≥ 0; about 1/z far out, where both terms underflow. */
export const millsRatio = (z: number): number => Math.sqrt(Math.PI / 2) * Math.exp(logScaledErfc(z * Math.SQRT1_2));

const horner = (x: number, coefficients: readonly number[]): number => {
  let sum = 0;
  for (let power = coefficients.length - 1; power >= 0; power--) sum = sum * x + (coefficients[power] ?? 0);
  return sum;
};

// Wichura 1988, Algorithm AS 241 (PPND16): numerators and denominators of its three rational approximations, lowest power first.
const centreTop = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987, 67265.7709270087, 33430.57558358813,
  2509.0809287301227,
];
const centreBottom = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852546,
];
const middleTop = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684, 0.2417807251774506,
  0.022723844989269184, 0.0007745450142783414,
];
const middleBottom = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457, 0.0005475938084995345,
  1.0507500716444169e-9,
];
const tailTop = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124, 0.0012426609473880784,
  2.7115555687434876e-5, 2.0103343992922881e-7,
];
const tailBottom = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133, 1.8463183175100548e-5, 1.421511758316446e-7,
  2.0442631033899397e-15,
];

/**
 * z with P(Z > z) = upperTail, for upperTail in (0, 1).
 * Takes the tail, not its complement: 1 - 1e-17 is 1 in double precision, 1e-17 is not.
 */
export const normalIsf = (upperTail: number): number => {
  const centred = 0.5 - upperTail;
  if (Math.abs(centred) <= 0.425) {
    const r = 0.180625 - centred * centred;
    return (centred * horner(r, centreTop)) / horner(r, centreBottom);
  }
  const r = Math.sqrt(-Math.log(centred > 0 ? upperTail : 1 - upperTail));
  const z = r <= 5 ? horner(r - 1.6, middleTop) / horner(r - 1.6, middleBottom) : horner(r - 5, tailTop) / horner(r - 5, tailBottom);
  return centred > 0 ? z : -z;
};
