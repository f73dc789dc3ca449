/** The exact two-sided binomial test: small samples and rare outcomes. */
import { beta } from '../distributions.js';
import { type Probability, requireCount, requireLevel } from '../kernel/requirements.js';

/** Counts as equally likely as the observed one up to this share: the usual guard of R and scipy. */
const AS_LIKELY = 1 + 1e-7;

/**
 * P(a count at most as likely as the observed one) under n draws with the given share. Golden: srm-tt-exact
 * @throws RangeError unless 0 ≤ count ≤ n and 0 < share < 1
 */
export const binomialTest = (count: number, n: number, share: number): { readonly p: Probability } => {
  if (requireCount('count', count) > requireCount('n', n)) throw new RangeError(`${count} of ${n}`);
  requireLevel('share', share);
  if (n === 0) return { p: 1 };
  const limit = logBinomial(count, n, share) + Math.log(AS_LIKELY);
  const isBelowMode = count <= n * share;
  const near = isBelowMode ? atMost(count, n, share) : atLeast(count, n, share);
  const far = isBelowMode
    ? farCount(n, (k) => logBinomial(n - k, n, share) <= limit, n - Math.floor(n * share))
    : farCount(n, (k) => logBinomial(k, n, share) <= limit, Math.ceil(n * share));
  const other = far === 0 ? 0 : isBelowMode ? atLeast(n - far + 1, n, share) : atMost(far - 1, n, share);
  return { p: Math.min(1, near + other) };
};

const logBinomial = (k: number, n: number, share: number): number =>
  -beta.logNormaliser(k + 1, n - k + 1) - Math.log(n + 1) + k * Math.log(share) + (n - k) * Math.log1p(-share);

const atMost = (k: number, n: number, share: number): number => (k >= n ? 1 : beta.sf(share, k + 1, n - k));
const atLeast = (k: number, n: number, share: number): number => (k <= 0 ? 1 : beta.cdf(share, k, n - k + 1));

/** How many counts from the far end inwards satisfy a condition that holds outwards of some point: bisection, at most up to `most`. */
const farCount = (n: number, holds: (fromEnd: number) => boolean, most: number): number => {
  let [low, high] = [0, Math.min(n, most)];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
};
