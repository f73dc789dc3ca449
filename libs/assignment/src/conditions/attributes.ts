/** How attribute values are read and converted: as JavaScript does, except that no attribute can make it throw. */
import { isObject } from './predicates.js';

/**
 * A member by name; what is missing is null.
 * What every object inherits (`constructor`, `toString`) is no attribute: JSON has no functions, and `__proto__` is never asked for.
 */
export const memberOf = (of: unknown, name: string): unknown => {
  if (!isObject(of)) return null;
  const value = of[name];
  if (value === undefined) return name in of ? undefined : null;
  return typeof value === 'function' || name === '__proto__' ? null : value;
};

const converted = <T>(convert: () => T, otherwise: T): T => {
  try {
    return convert();
  } catch {
    return otherwise; // {"toString": 1} has no text and no number
  }
};

export const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  return isObject(value) ? converted(() => String(value), '') : String(value);
};

export const numberOf = (value: unknown): number => {
  if (typeof value === 'number') return value;
  return isObject(value) ? converted(() => Number(value), Number.NaN) : Number(value);
};

/** @returns undefined when the value has no JSON text, or is nested deeper than anything sane */
export const jsonOf = (value: unknown): string | undefined => converted(() => JSON.stringify(value), undefined);

export type Relation = '<' | '<=' | '>' | '>=';

const related = (relation: Relation, a: never, b: never): boolean => {
  if (relation === '<') return a < b;
  if (relation === '<=') return a <= b;
  if (relation === '>') return a > b;
  return a >= b;
};

/** JavaScript's comparison: two strings by code units, anything else as numbers. */
export const compare = (relation: Relation, actual: unknown, expected: unknown): boolean =>
  isObject(actual) || isObject(expected)
    ? converted(() => related(relation, actual as never, expected as never), false)
    : related(relation, actual as never, expected as never);

export const typeOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  const type = typeof value;
  return ['string', 'number', 'boolean', 'object', 'undefined'].includes(type) ? type : 'unknown';
};
