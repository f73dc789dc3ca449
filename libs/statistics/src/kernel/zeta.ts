/** Riemann's zeta function for real s > 1. */

const TERMS = 40;

/** Euler–Maclaurin after 40 terms: relative error near 1e-15 for s in (1, 10]. */
export const riemannZeta = (s: number): number => {
  if (!(s > 1)) throw new RangeError(`zeta is finite for s above 1 only, got ${s}`);
  let sum = 0;
  for (let n = 1; n < TERMS; n++) sum += n ** -s;
  const at = TERMS ** -s;
  const remainder = (TERMS * at) / (s - 1) + at / 2 + (s * at) / (12 * TERMS) - (s * (s + 1) * (s + 2) * at) / (720 * TERMS ** 3);
  return sum + remainder + (s * (s + 1) * (s + 2) * (s + 3) * (s + 4) * at) / (30_240 * TERMS ** 5);
};
