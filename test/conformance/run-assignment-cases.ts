/** Runs assignment cases through adapters: a case passes when what was found equals what is expected, key by key. */
import type { AssignmentAdapter } from './assignment-adapters.js';
import { type AssignmentCase, isEqual } from './assignment-cases.js';
import type { Run } from './run-cases.js';

const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

/** @returns undefined when the case passes */
const failureOf = async ({ tuple }: AssignmentCase, adapter: AssignmentAdapter): Promise<string | undefined> => {
  try {
    const { actual, expected } = await adapter(tuple);
    return isEqual(expected, actual) ? undefined : `expected ${show(expected)}, got ${show(actual)}`;
  } catch (error) {
    return `threw ${String(error)}`;
  }
};

export const runAssignmentCases = async (
  cases: readonly AssignmentCase[],
  adapters: Readonly<Record<string, AssignmentAdapter>>,
): Promise<Run> => {
  const passed: string[] = [];
  const failed: string[] = [];
  const skipped: string[] = [];
  const lines: string[] = [];
  for (const one of cases) {
    const adapter = Object.hasOwn(adapters, one.group) ? adapters[one.group] : undefined;
    if (adapter === undefined) {
      skipped.push(one.id);
      lines.push(`SKIP ${one.id}: no adapter for the group ${one.group}`);
      continue;
    }
    const failure = await failureOf(one, adapter);
    (failure === undefined ? passed : failed).push(one.id);
    if (failure !== undefined) lines.push(`FAIL ${one.id}: ${failure}`);
  }
  return { passed, failed, skipped, lines };
};
