/** 32-bit FNV-1a over UTF-16 code units, as states that can be kept: what comes first is hashed once, not once a unit. */

export const FNV_START = 0x811c9dc5 | 0;
export const FNV_PRIME = 0x01000193;
const ZERO = 48;
const TEN_DIGITS_HALVED = 100_000;

/** @returns the state after `text`, a signed 32-bit integer; `>>> 0` makes it the published hash */
export const absorb = (state: number, text: string): number => {
  let next = state;
  for (let i = 0; i < text.length; i += 1) next = Math.imul(next ^ text.charCodeAt(i), FNV_PRIME);
  return next;
};

const digit = (state: number, value: number): number => Math.imul(state ^ (ZERO + value), FNV_PRIME);

/** The leading digits, without leading zeros. @param value 1 … 42,949 */
const absorbLeading = (value: number): number => {
  const a = (value / 10_000) | 0;
  const b = ((value / 1000) | 0) - a * 10;
  const c = ((value / 100) | 0) - ((value / 1000) | 0) * 10;
  const d = ((value / 10) | 0) - ((value / 100) | 0) * 10;
  let state = FNV_START;
  if (value >= 10_000) state = digit(state, a);
  if (value >= 1000) state = digit(state, b);
  if (value >= 100) state = digit(state, c);
  if (value >= 10) state = digit(state, d);
  return digit(state, value - ((value / 10) | 0) * 10);
};

/** All five digits, leading zeros too. @param value 0 … 99,999 */
const absorbFive = (state: number, value: number): number => {
  const a = (value / 10_000) | 0;
  const b = (value / 1000) | 0;
  const c = (value / 100) | 0;
  const d = (value / 10) | 0;
  return digit(digit(digit(digit(digit(state, a), b - a * 10), c - b * 10), d - c * 10), value - d * 10);
};

/** FNV-1a of the decimal text of a hash. No text is made: the digits are computed in two halves of five. */
export const hashOfDecimal = (hash: number): number => {
  const n = hash >>> 0;
  const high = (n / TEN_DIGITS_HALVED) | 0;
  return high === 0 ? absorb(FNV_START, String(n)) : absorbFive(absorbLeading(high), n - high * TEN_DIGITS_HALVED);
};
