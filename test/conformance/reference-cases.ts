/** A file of reference cases: what it may contain, and how a result is held against it. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonRecord = { readonly [key: string]: Json };

export interface Tolerance {
  readonly rel?: number;
  readonly abs?: number;
  readonly exact?: boolean;
  /** For `p` only: also passes within this distance, so that a p below the smallest double may be 0. */
  readonly pAbs?: number;
}

export interface ReferenceCase {
  readonly id: string;
  readonly method: string;
  readonly input: JsonRecord;
  readonly expected: JsonRecord;
  readonly tolerance: Tolerance;
}

export const isRecord = (value: unknown): value is JsonRecord => typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws Error naming what is missing, when the text is no file of cases */
export const parseCases = (text: string): readonly ReferenceCase[] => {
  const parsed: unknown = JSON.parse(text);
  const cases = isRecord(parsed) ? parsed.cases : parsed;
  if (!Array.isArray(cases)) throw new Error('a file of cases holds {"cases": […]}');
  return cases.map((one: unknown, index) => {
    if (!isRecord(one) || typeof one.id !== 'string' || typeof one.method !== 'string' || !isRecord(one.input) || !isRecord(one.expected)) {
      throw new Error(`case number ${index + 1} lacks an id, a method, an input or an expected result`);
    }
    const tolerance: Tolerance = isRecord(one.tolerance) ? one.tolerance : { exact: true };
    return { id: one.id, method: one.method, input: one.input, expected: one.expected, tolerance };
  });
};

export interface Mismatch {
  /** Where in `expected`: `ciLower`, `looks[2].alwaysValidP`. */
  readonly key: string;
  readonly expected: Json | undefined;
  readonly actual: unknown;
}

/** An expected 0 has no relative neighbourhood: this near counts as 0. */
const NEAR_ZERO = 1e-12;

const numbersAgree = (key: string, expected: number, actual: number, { rel, abs, exact, pAbs }: Tolerance): boolean => {
  if (expected === actual) return true;
  if (!Number.isFinite(actual)) return false;
  const distance = Math.abs(actual - expected);
  if (pAbs !== undefined && key === 'p' && distance <= pAbs) return true;
  if (exact === true) return false;
  if (rel !== undefined && distance <= (expected === 0 ? NEAR_ZERO : rel * Math.abs(expected))) return true;
  return abs !== undefined && distance <= abs;
};

/** Every key of `expected` that `actual` does not meet; keys that only `actual` has are ignored. */
export const mismatches = (expected: Json, actual: unknown, tolerance: Tolerance, key = ''): readonly Mismatch[] => {
  if (typeof expected === 'number') {
    const name = key.split('.').at(-1) ?? key;
    return typeof actual === 'number' && numbersAgree(name, expected, actual, tolerance) ? [] : [{ key, expected, actual }];
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return [{ key, expected, actual }];
    return expected.flatMap((one: Json, i) => mismatches(one, actual[i], tolerance, `${key}[${i}]`));
  }
  if (isRecord(expected)) {
    if (!isRecord(actual)) return [{ key, expected, actual }];
    return Object.entries(expected).flatMap(([name, one]) =>
      mismatches(one, actual[name], tolerance, key === '' ? name : `${key}.${name}`),
    );
  }
  return expected === actual ? [] : [{ key, expected, actual }];
};
