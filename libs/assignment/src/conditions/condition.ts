/** The condition language of targeting, compiled once per change: an object in the manner of MongoDB's queries becomes one function of the attributes. */
import { jsonOf, memberOf } from './attributes.js';
import { compileEquality, compileOperator, type Nested } from './operators.js';
import { allOf, always, anyOf, isObject, never, not, type Predicate, type SavedGroups } from './predicates.js';

const isOperatorObject = (value: Readonly<Record<string, unknown>>): boolean => {
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => key.startsWith('$'));
};

const compileValue = (expected: unknown, groups: SavedGroups, ignoreCase = false): Predicate => {
  if (typeof expected === 'string' || typeof expected === 'number' || typeof expected === 'boolean' || expected === null) {
    return compileEquality(expected, ignoreCase);
  }
  if (!isObject(expected)) return never;
  if (Array.isArray(expected) || !isOperatorObject(expected)) {
    const wanted = jsonOf(expected);
    return wanted === undefined ? never : (actual) => jsonOf(actual) === wanted;
  }
  const nested = nestedIn(groups);
  return allOf(Object.entries(expected).map(([name, one]) => compileOperator(name, one, nested)));
};

const nestedIn = (groups: SavedGroups): Nested => ({
  groups,
  value: (expected, ignoreCase) => compileValue(expected, groups, ignoreCase),
  elements: (expected) =>
    isObject(expected) && isOperatorObject(expected) ? compileValue(expected, groups) : compileCondition(expected, groups),
});

/** A path of names into the attributes, at dots. */
const compilePath = (path: string, matches: Predicate): Predicate => {
  const names = path.split('.');
  const [only] = names;
  if (names.length === 1 && only !== undefined) return (attributes) => matches(memberOf(attributes, only));
  return (attributes) => {
    let current = attributes;
    for (const name of names) current = memberOf(current, name);
    return matches(current);
  };
};

const conditionsIn = (list: unknown, groups: SavedGroups): readonly Predicate[] =>
  Array.isArray(list) ? list.map((one) => compileCondition(one, groups)) : [];

/** None to choose from: holds. */
const compileOr = (list: unknown, groups: SavedGroups): Predicate => {
  const some = conditionsIn(list, groups);
  return some.length === 0 ? always : anyOf(some);
};

const compileEntry = (key: string, value: unknown, groups: SavedGroups): Predicate => {
  if (key === '$or') return compileOr(value, groups);
  if (key === '$nor') return not(compileOr(value, groups));
  if (key === '$and') return allOf(conditionsIn(value, groups));
  if (key === '$not') return not(compileCondition(value, groups));
  return compilePath(key, compileValue(value, groups));
};

/**
 * @returns a function of the attributes; it never throws, whatever they hold. What is no condition never holds
 * @param groups for `$inGroup` and `$notInGroup`; an unknown group is empty
 */
export const compileCondition = (condition: unknown, groups: SavedGroups = {}): Predicate =>
  isObject(condition) ? allOf(Object.entries(condition).map(([key, value]) => compileEntry(key, value, groups))) : never;

/** One condition, asked once. Rulesets compile theirs. */
export const holds = (condition: unknown, attributes: unknown, groups: SavedGroups = {}): boolean =>
  compileCondition(condition, groups)(attributes);
