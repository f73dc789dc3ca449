/** A file of assignment cases in the public format: one list of cases per group, each case a tuple in the group's own order. */
import { isRecord, type Json, type JsonRecord } from './reference-cases.js';

export interface AssignmentCase {
  /** `evalCondition[3] $not - pass`. */
  readonly id: string;
  readonly group: string;
  readonly tuple: readonly Json[];
}

/** What a file may say about itself, beside its groups. */
const ABOUT = new Set(['specVersion']);

/** @throws Error when the text is no file of cases */
export const parseAssignmentCases = (text: string): readonly AssignmentCase[] => {
  const parsed: unknown = JSON.parse(text);
  if (!isRecord(parsed)) throw new Error('a file of assignment cases holds {"hash": […], "feature": […], …}');
  const groups = Object.entries(parsed).filter(([name]) => !ABOUT.has(name) && !name.startsWith('_'));
  const cases = groups.flatMap(([group, list]) => {
    if (!Array.isArray(list)) throw new Error(`the group ${group} is no list of cases`);
    return list.map((tuple: Json, index): AssignmentCase => {
      if (!Array.isArray(tuple)) throw new Error(`case ${index} of the group ${group} is no list`);
      const [name] = tuple as readonly Json[];
      return { id: `${group}[${index}] ${typeof name === 'string' ? name : JSON.stringify(tuple)}`, group, tuple };
    });
  });
  if (cases.length === 0) throw new Error('the file holds no case');
  return cases;
};

const isDefined = ([, value]: readonly [string, unknown]): boolean => value !== undefined;

/** Equal as JSON values: the order of keys and keys without value don't count, everything else does. */
export const isEqual = (expected: unknown, actual: unknown): boolean => {
  if (Array.isArray(expected)) {
    return Array.isArray(actual) && actual.length === expected.length && expected.every((one, i) => isEqual(one, actual[i]));
  }
  if (!isRecord(expected) || !isRecord(actual)) return Object.is(expected, actual) || expected === actual;
  const wanted = Object.entries(expected as Readonly<Record<string, unknown>>).filter(isDefined);
  const found = new Map(Object.entries(actual as Readonly<Record<string, unknown>>).filter(isDefined));
  return wanted.length === found.size && wanted.every(([name, one]) => found.has(name) && isEqual(one, found.get(name)));
};

export const recordOf = (value: Json | undefined): JsonRecord => (isRecord(value) ? value : {});
