/** What arguments must be: misuse throws a RangeError that names the argument and what came instead. */

/** In [0, 1]; a level or a quantile's share is strictly inside. */
export type Probability = number;

export const requireFinite = (name: string, value: number): number => {
  if (!Number.isFinite(value)) throw new RangeError(`${name} must be finite, got ${value}`);
  return value;
};

export const requirePositive = (name: string, value: number): number => {
  if (!(value > 0 && Number.isFinite(value))) throw new RangeError(`${name} must be above 0 and finite, got ${value}`);
  return value;
};

/** A probability or level strictly between 0 and 1. */
export const requireLevel = (name: string, value: Probability): Probability => {
  if (!(value > 0 && value < 1)) throw new RangeError(`${name} must be in (0, 1), got ${value}`);
  return value;
};

/** A whole number of at least 0 that a double holds exactly. */
export const requireCount = (name: string, n: number): number => {
  if (!Number.isSafeInteger(n) || n < 0) throw new RangeError(`${name} must be a whole number of at least 0, got ${n}`);
  return n;
};

/** How many of the summed integers make one unit of the value. */
export const requireScale = (scale: number): bigint => {
  if (!Number.isSafeInteger(scale) || scale <= 0) throw new RangeError(`scale must be a whole number above 0, got ${scale}`);
  return BigInt(scale);
};
