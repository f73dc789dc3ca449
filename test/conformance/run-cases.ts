/** Runs reference cases through adapters: a case passes when every key it expects is met. */
import { type JsonRecord, mismatches, type ReferenceCase } from './reference-cases.js';

/** Brings a case's input to the library and the library's answer to the case's names. It never sees the case's id. */
export type Adapter = (input: JsonRecord) => JsonRecord;
export type Adapters = Readonly<Record<string, Adapter>>;

export interface Run {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
  /** One line per mismatch and per skipped case. */
  readonly lines: readonly string[];
}

const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

const linesOf = ({ id, input, expected, tolerance }: ReferenceCase, adapter: Adapter): readonly string[] => {
  try {
    return mismatches(expected, adapter(input), tolerance).map(
      (found) => `FAIL ${id} ${found.key}: expected ${show(found.expected)}, got ${show(found.actual)}`,
    );
  } catch (error) {
    return [`FAIL ${id} ${Object.keys(expected).join(', ')}: expected ${show(expected)}, got ${String(error)}`];
  }
};

export const runCases = (cases: readonly ReferenceCase[], adapters: Adapters): Run => {
  const passed: string[] = [];
  const failed: string[] = [];
  const skipped: string[] = [];
  const lines: string[] = [];
  for (const one of cases) {
    const adapter = Object.hasOwn(adapters, one.method) ? adapters[one.method] : undefined;
    if (adapter === undefined) {
      skipped.push(one.id);
      lines.push(`SKIP ${one.id}: no adapter for the method ${one.method}`);
      continue;
    }
    const found = linesOf(one, adapter);
    (found.length === 0 ? passed : failed).push(one.id);
    lines.push(...found);
  }
  return { passed, failed, skipped, lines };
};

export const summaryOf = ({ passed, failed, skipped }: Run): string =>
  `${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`;
