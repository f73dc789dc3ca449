/** Reading a case's input: what is there, of the kind it should be, or an error that names the key. */
import type { Alternative, Difference } from '@rampart/statistics';
import { isRecord, type Json, type JsonRecord } from '../reference-cases.js';

const wrong = (key: string, kind: string, value: Json | undefined): Error =>
  new Error(`${key} must be ${kind}, got ${JSON.stringify(value)}`);

export const has = (input: JsonRecord, key: string): boolean => input[key] !== undefined && input[key] !== null;

export const numberAt = (input: JsonRecord, key: string, otherwise?: number): number => {
  const value = input[key] ?? otherwise;
  if (typeof value !== 'number') throw wrong(key, 'a number', value);
  return value;
};

export const textAt = (input: JsonRecord, key: string, otherwise?: string): string => {
  const value = input[key] ?? otherwise;
  if (typeof value !== 'string') throw wrong(key, 'a text', value);
  return value;
};

export const recordAt = (input: JsonRecord, key: string): JsonRecord => {
  const value = input[key];
  if (!isRecord(value)) throw wrong(key, 'an object', value);
  return value;
};

export const listAt = (input: JsonRecord, key: string): readonly Json[] => {
  const value = input[key];
  if (!Array.isArray(value)) throw wrong(key, 'a list', value);
  return value;
};

export const recordsAt = (input: JsonRecord, key: string): readonly JsonRecord[] =>
  listAt(input, key).map((value) => {
    if (!isRecord(value)) throw wrong(key, 'a list of objects', value);
    return value;
  });

export const numbersAt = (input: JsonRecord, key: string): readonly number[] =>
  listAt(input, key).map((value) => {
    if (typeof value !== 'number') throw wrong(key, 'a list of numbers', value);
    return value;
  });

/** Values given as numbers or in words: "50 zeros and 1..50", "integers 71..1070". */
export const valuesAt = (input: JsonRecord, key: string): readonly number[] => {
  const words = input[key];
  if (typeof words !== 'string') return numbersAt(input, key);
  return words.split(/\s+and\s+|,\s*/).flatMap((part) => {
    const range = /(-?\d+)\s*\.\.\s*(-?\d+)/.exec(part);
    if (range !== null) {
      const [from, to] = [Number(range[1]), Number(range[2])];
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    }
    const zeros = /(\d+)\s+zeros?/.exec(part);
    if (zeros !== null) return new Array<number>(Number(zeros[1])).fill(0);
    throw wrong(key, 'numbers, a range or a count of zeros', words);
  });
};

export const alternativeOf = (input: JsonRecord): Alternative => {
  const value = textAt(input, 'alternative', 'two-sided');
  if (value !== 'two-sided' && value !== 'greater' && value !== 'less') throw wrong('alternative', 'two-sided, greater or less', value);
  return value;
};

export const differenceOf = (input: JsonRecord): Difference => {
  const value = textAt(input, 'difference', 'absolute');
  if (value !== 'absolute' && value !== 'relative') throw wrong('difference', 'absolute or relative', value);
  return value;
};

/** The level the cases mean when they name none. */
export const alphaOf = (input: JsonRecord): number => numberAt(input, 'alpha', 0.05);
