/** The operators of the condition language, each compiled with what it expects. */
import { compare, memberOf, numberOf, type Relation, textOf, typeOf } from './attributes.js';
import { compilePattern } from './patterns.js';
import { never, not, type Predicate, type SavedGroups } from './predicates.js';
import { sortableVersion } from './versions.js';

/** What nested operators need: how a value condition and a whole condition are compiled. */
export interface Nested {
  readonly value: (expected: unknown, ignoreCase?: boolean) => Predicate;
  readonly elements: (expected: unknown) => Predicate;
  readonly groups: SavedGroups;
}

type Compile = (expected: unknown, nested: Nested) => Predicate;

const folded = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value);
const unchanged = (value: unknown): unknown => value;

/** Membership, strict about types. An array is in when any of its elements is. */
const memberIn = (list: readonly unknown[], fold: (value: unknown) => unknown): Predicate => {
  const members = new Set(list.map(fold));
  return (actual) => (Array.isArray(actual) ? actual.some((one) => members.has(fold(one))) : members.has(fold(actual)));
};

const isIn =
  (fold: (value: unknown) => unknown): Compile =>
  (expected) =>
    Array.isArray(expected) ? memberIn(expected, fold) : never;

const isNotIn =
  (fold: (value: unknown) => unknown): Compile =>
  (expected) =>
    Array.isArray(expected) ? not(memberIn(expected, fold)) : never;

const inGroup: Compile = (expected, { groups }) => {
  const group = memberOf(groups, textOf(expected));
  return memberIn(Array.isArray(group) ? group : [], unchanged);
};

const hasAll =
  (ignoreCase: boolean): Compile =>
  (expected, { value }) => {
    if (!Array.isArray(expected)) return never;
    const wanted = expected.map((one) => value(one, ignoreCase));
    return (actual) => Array.isArray(actual) && wanted.every((matches) => actual.some((one) => matches(one)));
  };

const relation =
  (name: Relation): Compile =>
  (expected) =>
  (actual) =>
    compare(name, actual, expected);

const version =
  (holds: (actual: string, expected: string) => boolean): Compile =>
  (expected) => {
    const wanted = sortableVersion(expected);
    return (actual) => holds(sortableVersion(actual), wanted);
  };

const pattern =
  (ignoreCase: boolean): Compile =>
  (expected) => {
    const matches = typeof expected === 'string' ? compilePattern(expected, ignoreCase) : undefined;
    return matches === undefined ? never : (actual) => matches(textOf(actual));
  };

const exists: Compile = (expected) => {
  const wanted = Boolean(expected);
  return (actual) => (actual !== null && actual !== undefined) === wanted;
};

const size: Compile = (expected, { value }) => {
  const matches = value(expected);
  return (actual) => Array.isArray(actual) && matches(actual.length);
};

const elemMatch: Compile = (expected, { elements }) => {
  const matches = elements(expected);
  // Falsy elements never match: so says the public specification's code.
  return (actual) => Array.isArray(actual) && actual.some((one) => Boolean(one) && matches(one));
};

const operators: Readonly<Record<string, Compile>> = {
  $eq: (expected) => (actual) => actual === expected,
  $ne: (expected) => (actual) => actual !== expected,
  $lt: relation('<'),
  $lte: relation('<='),
  $gt: relation('>'),
  $gte: relation('>='),
  $in: isIn(unchanged),
  $nin: isNotIn(unchanged),
  $ini: isIn(folded),
  $nini: isNotIn(folded),
  $inGroup: inGroup,
  $notInGroup: (expected, nested) => not(inGroup(expected, nested)),
  $all: hasAll(false),
  $alli: hasAll(true),
  $elemMatch: elemMatch,
  $size: size,
  $exists: exists,
  $type: (expected) => (actual) => typeOf(actual) === expected,
  $regex: pattern(false),
  $regexi: pattern(true),
  $not: (expected, { value }) => not(value(expected)),
  $veq: version((a, b) => a === b),
  $vne: version((a, b) => a !== b),
  $vlt: version((a, b) => a < b),
  $vlte: version((a, b) => a <= b),
  $vgt: version((a, b) => a > b),
  $vgte: version((a, b) => a >= b),
};

/** An operator that nobody defined never holds. */
export const compileOperator = (name: string, expected: unknown, nested: Nested): Predicate =>
  (Object.hasOwn(operators, name) ? operators[name] : undefined)?.(expected, nested) ?? never;

/** A value condition that is no operator object: equality with conversion, by the type of what is expected. */
export const compileEquality = (expected: string | number | boolean | null, ignoreCase: boolean): Predicate => {
  if (expected === null) return (actual) => actual === null;
  if (typeof expected === 'boolean') return (actual) => actual !== null && Boolean(actual) === expected;
  if (typeof expected === 'number') return (actual) => numberOf(actual) === expected;
  if (!ignoreCase) return (actual) => textOf(actual) === expected;
  const wanted = expected.toLowerCase();
  return (actual) => textOf(actual).toLowerCase() === wanted;
};
