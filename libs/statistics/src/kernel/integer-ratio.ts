/** From exact integers to the nearest double: the one step at which a sum becomes floating point. */

/** Beyond the 53 bits of a double: guard bits, so that the last rounding is the only one. */
const QUOTIENT_BITS = 64;
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const bitLength = (n: bigint): number => n.toString(16).length * 4;

/**
 * The double nearest to numerator / denominator, however large both are (ties to even; one more rounding below 2^-1022).
 * @throws RangeError when the denominator is 0, or the quotient exceeds the largest double
 */
export const integerRatio = (numerator: bigint, denominator: bigint): number => {
  if (denominator === 0n) throw new RangeError(`a ratio needs a denominator other than 0, got ${numerator}/0`);
  if (denominator < 0n) return integerRatio(-numerator, -denominator);
  if (numerator < 0n) return -integerRatio(-numerator, denominator);
  if (numerator === 0n) return 0;
  if (numerator <= SAFE && denominator <= SAFE) return Number(numerator) / Number(denominator);
  const shift = QUOTIENT_BITS - (bitLength(numerator) - bitLength(denominator));
  const [top, bottom] = shift >= 0 ? [numerator << BigInt(shift), denominator] : [numerator, denominator << BigInt(-shift)];
  const quotient = top / bottom;
  // A sticky last bit stands for everything cut off: without it a tie could round the wrong way.
  const sticky = top % bottom === 0n ? quotient : quotient | 1n;
  const result = scaleByPowerOfTwo(Number(sticky), -shift);
  if (!Number.isFinite(result)) throw new RangeError('the ratio exceeds the largest double');
  return result;
};

/** x·2^exponent in two steps, because 2^exponent alone may overflow or vanish. */
const scaleByPowerOfTwo = (x: number, exponent: number): number => {
  const half = Math.trunc(exponent / 2);
  return x * 2 ** half * 2 ** (exponent - half);
};
