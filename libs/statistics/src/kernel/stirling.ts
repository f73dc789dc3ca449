/** Pieces that keep large gamma functions from cancelling: what Stirling's formula leaves over, and log1p(x) − x. */

/** Coefficients of 1/n, 1/n³, … of ln Γ(n+1) − [(n+½) ln n − n + ½ ln 2π]. */
const series = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156] as const;

/**
 * ln Γ(n+1) − [(n+½) ln n − n + ½ ln 2π] for n > 0 (Loader 2000).
 * Below 15 it climbs by S(n) − S(n+1) = (n+½)·ln(1+1/n) − 1, where the series would not be exact.
 */
export const stirlingError = (n: number): number => {
  let climbed = 0;
  let at = n;
  while (at < 15) {
    climbed += (at + 0.5) * Math.log1p(1 / at) - 1;
    at += 1;
  }
  const inverse = 1 / at;
  const square = inverse * inverse;
  return climbed + inverse * series.reduceRight((sum, coefficient) => sum * square + coefficient, 0);
};

/** ln(1+x) − x for x > −1; about −x²/2 near 0, where the plain difference has no digits left. */
export const log1pMinusX = (x: number): number => {
  if (Math.abs(x) > 0.4) return Math.log1p(x) - x;
  // atanh form: with r = x/(2+x), ln(1+x) = 2(r + r³/3 + …) and x = 2r + r·x.
  const r = x / (2 + x);
  const square = r * r;
  let term = 2 * r * square;
  let sum = 0;
  for (let k = 3; Math.abs(term) > 1e-18 * Math.abs(sum); k += 2) {
    sum += term / k;
    term *= square;
  }
  return sum - r * x;
};

/** ln(x/centre) − (x−centre)/centre; `excess` is x − centre, given apart because it may carry more digits than x. */
export const logRatioMinusExcess = (x: number, centre: number, excess: number): number =>
  // Near x = 0 the excess rounds to −centre, and only the plain ratio still knows x.
  x < 0.5 * centre ? Math.log(x / centre) - excess / centre : log1pMinusX(excess / centre);
