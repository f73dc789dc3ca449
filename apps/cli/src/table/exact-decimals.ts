/** Numbers of a file as exact decimals: digits and a number of decimals, never a double. */
import { millionthsOfDecimal, millionthsOfNumber } from '@rampart/contracts';

/** digits / 10^decimals, without trailing zeros. */
export interface ExactDecimal {
  readonly digits: bigint;
  readonly decimals: number;
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;
const WORDS: Readonly<Record<string, bigint>> = { true: 1n, yes: 1n, false: 0n, no: 0n };

/** @returns undefined for what is neither a number nor true/false/yes/no in any case */
export const readDecimal = (text: string): ExactDecimal | undefined => {
  if (text.length === 1 && text >= '0' && text <= '9') return { digits: BigInt(text), decimals: 0 };
  const word = WORDS[text.toLowerCase()];
  if (word !== undefined) return { digits: word, decimals: 0 };
  const match = NUMBER.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole + fraction === '') return undefined;
  const decimals = fraction.length - Number(exponent);
  const magnitude = BigInt(whole + fraction) * (decimals < 0 ? 10n ** BigInt(-decimals) : 1n);
  return trimmed(sign === '-' ? -magnitude : magnitude, Math.max(decimals, 0));
};

const trimmed = (digits: bigint, decimals: number): ExactDecimal => {
  if (digits === 0n) return { digits, decimals: 0 };
  let [left, places] = [digits, decimals];
  while (places > 0 && left % 10n === 0n) {
    left /= 10n;
    places--;
  }
  return { digits: left, decimals: places };
};

export const sumOf = (numbers: readonly ExactDecimal[]): ExactDecimal => {
  const [first, ...others] = numbers;
  if (first !== undefined && others.length === 0) return first;
  const decimals = Math.max(0, ...numbers.map((one) => one.decimals));
  return trimmed(
    numbers.reduce((total, one) => total + one.digits * 10n ** BigInt(decimals - one.decimals), 0n),
    decimals,
  );
};

/** Rounded half to even. */
export const roundedTo = (number: ExactDecimal, decimals: number): ExactDecimal => {
  if (number.decimals <= decimals) return number;
  const unit = 10n ** BigInt(number.decimals - decimals);
  const magnitude = number.digits < 0n ? -number.digits : number.digits;
  const floor = magnitude / unit;
  const twice = (magnitude % unit) * 2n;
  const rounded = twice > unit || (twice === unit && floor % 2n === 1n) ? floor + 1n : floor;
  return trimmed(number.digits < 0n ? -rounded : rounded, decimals);
};

export const textOf = ({ digits, decimals }: ExactDecimal): string => {
  const magnitude = (digits < 0n ? -digits : digits).toString().padStart(decimals + 1, '0');
  const split = magnitude.length - decimals;
  return `${digits < 0n ? '-' : ''}${magnitude.slice(0, split)}${decimals === 0 ? '' : `.${magnitude.slice(split)}`}`;
};

/** @returns number × 10^power, exact */
export const shifted = ({ digits, decimals }: ExactDecimal, power: number): ExactDecimal =>
  trimmed(digits * 10n ** BigInt(Math.max(power - decimals, 0)), Math.max(decimals - power, 0));

/**
 * The double to put into JSON for an exact decimal of at most six decimals.
 * @returns undefined where no double means exactly this number of millionths, or where it is beyond the range of values
 */
export const jsonNumberOf = (exact: ExactDecimal): number | undefined => {
  if (exact.decimals === 0 && exact.digits > -9_000_000_000n && exact.digits < 9_000_000_000n) return Number(exact.digits);
  if (exact.decimals > 6) return undefined;
  const text = textOf(exact);
  const meant = millionthsOfDecimal(text);
  const double = Number(text);
  return meant !== undefined && millionthsOfNumber(double) === meant ? double : undefined;
};
