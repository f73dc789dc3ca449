/**
 * Values are exact from the door on: a decimal number is an integer count of millionths, in TypeScript a bigint, on the wire a decimal string.
 * Rounded half to even at the seventh decimal; beyond ±9.2e12 a value is refused, so that no later sum of one row can overflow an Int64.
 */

export const VALUE_SCALE = 1_000_000n;
export const MAX_VALUE_MILLIONTHS = 9_200_000_000_000_000_000n;

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/;
/** Below this a double times 1e6 is exact enough to tell whether it is already an integer count. */
const SAFE_FOR_DOUBLE = 9e9;
const EXACT_IN_15_DIGITS = 1e15;

/** @returns millionths, or undefined for NaN, Infinity and anything beyond ±9.2e12 */
export const millionthsOfNumber = (value: number): bigint | undefined => {
  if (!Number.isFinite(value)) return undefined;
  if (Number.isInteger(value) && Math.abs(value) < SAFE_FOR_DOUBLE) return BigInt(value * 1e6);
  // A count below 1e15 has at most 15 digits, and two such decimals never share a double: this one is what the sender wrote.
  const count = Math.round(value * 1e6);
  if (Math.abs(count) < EXACT_IN_15_DIGITS && count / 1e6 === value) return BigInt(count);
  // The shortest decimal that reads back as this double is what the sender wrote.
  return millionthsOfDecimal(String(value));
};

/** @param text  a decimal number such as `12`, `-0.5`, `1e-7`; @returns millionths, or undefined when it is none or too large */
export const millionthsOfDecimal = (text: string): bigint | undefined => {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const digits = whole + fraction;
  if (digits === '') return undefined;
  // The value is digits · 10^(exponent − fraction length); the millionths are that times 10^6.
  const shift = Number(exponentText) - fraction.length + 6;
  const magnitude = shifted(digits.replace(/^0+(?=\d)/, ''), shift);
  if (magnitude === undefined || magnitude > MAX_VALUE_MILLIONTHS) return undefined;
  return sign === '-' ? -magnitude : magnitude;
};

const shifted = (digits: string, shift: number): bigint | undefined => {
  if (digits === '0') return 0n;
  if (shift >= 0) return digits.length + shift > 20 ? undefined : BigInt(digits) * 10n ** BigInt(shift);
  if (-shift > digits.length) return 0n;
  const unit = 10n ** BigInt(-shift);
  const all = BigInt(digits);
  const floor = all / unit;
  const twice = (all % unit) * 2n;
  const roundsUp = twice > unit || (twice === unit && floor % 2n === 1n);
  return roundsUp ? floor + 1n : floor;
};

/** The plain decimal text of an exact count: `12500000n` → `12.5`. @param scale  units per 1, a power of ten */
export const decimalText = (count: bigint, scale: bigint = VALUE_SCALE): string => {
  const magnitude = count < 0n ? -count : count;
  const places = scale.toString().length - 1;
  const fraction = places === 0 ? '' : (magnitude % scale).toString().padStart(places, '0').replace(/0+$/, '');
  const text = `${magnitude / scale}${fraction === '' ? '' : `.${fraction}`}`;
  return count < 0n ? `-${text}` : text;
};
