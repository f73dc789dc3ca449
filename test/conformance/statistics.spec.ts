import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isRecord, type Json, mismatches, parseCases, type ReferenceCase } from './reference-cases.js';
import { type Adapter, type Adapters, runCases, summaryOf } from './run-cases.js';
import { statisticsAdapters } from './statistics-adapters.js';

const sources = resolve(import.meta.dirname, '..', '..', 'conformance');
const cases = parseCases(readFileSync(resolve(sources, 'golden', 'stat-cases.json'), 'utf8'));

/** The same adapters, each input answered once: two tests hold the same answers against different expectations. */
const remembering = (adapters: Adapters): Adapters => {
  const known = new WeakMap<object, ReturnType<Adapter>>();
  const once =
    (adapter: Adapter): Adapter =>
    (input) => {
      const answer = known.get(input) ?? adapter(input);
      known.set(input, answer);
      return answer;
    };
  return Object.fromEntries(Object.entries(adapters).map(([method, adapter]) => [method, once(adapter)]));
};
const adapters = remembering(statisticsAdapters);

/** Every number moved by one part in 1e8: a hundred times less than a reader would see, ten times more than the tolerance. */
const nudged = (value: Json): Json => {
  if (typeof value === 'number') return value * (1 + 1e-8);
  if (Array.isArray(value)) return value.map(nudged);
  return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, nudged(one)])) : value;
};

/** Whether the nudge takes at least one expected number out of its tolerance. */
const isSensitive = (value: Json, tolerance: ReferenceCase['tolerance']): boolean => {
  if (typeof value === 'number') return Math.max((tolerance.rel ?? 0) * Math.abs(value), tolerance.abs ?? 0) < 0.9e-8 * Math.abs(value);
  if (Array.isArray(value)) return value.some((one) => isSensitive(one, tolerance));
  return isRecord(value) && Object.values(value).some((one) => isSensitive(one, tolerance));
};

describe('the statistics library', () => {
  it('meets every reference case, and skips none', () => {
    const run = runCases(cases, adapters);
    expect(run.lines).toEqual([]);
    expect(summaryOf(run)).toBe(`${cases.length} passed, 0 failed, 0 skipped`);
    expect(cases.length).toBeGreaterThanOrEqual(130);
  });

  it('would be caught at a deviation of one part in 1e8', () => {
    const tight = cases.filter(({ expected, tolerance }) => isSensitive(expected, tolerance));
    expect(tight.length).toBeGreaterThan(60);
    const run = runCases(
      tight.map((one) => ({ ...one, expected: nudged(one.expected) as ReferenceCase['expected'] })),
      adapters,
    );
    expect(run.passed).toEqual([]);
  });

  it('is asked through adapters that know no case by name and no expected figure', () => {
    const folder = resolve(sources, 'adapters');
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    const text = [
      ...files.map((name) => readFileSync(resolve(folder, name), 'utf8')),
      readFileSync(resolve(sources, 'statistics-adapters.ts'), 'utf8'),
    ].join('\n');
    expect(cases.map(({ id }) => id).filter((id) => text.includes(`'${id}'`))).toEqual([]);
    expect(text).not.toMatch(/\.id\b|\['id'\]|\bexpected\.|published/);
    // A figure long enough to be a result, not a default.
    expect(text.match(/\d\.\d{5,}|\d{6,}/g)).toBeNull();
  });
});

describe('the runner', () => {
  const one: ReferenceCase = { id: 'one', method: 'double', input: { x: 2 }, expected: { y: 4 }, tolerance: { rel: 1e-9 } };
  const double = { double: ({ x }: { readonly [key: string]: Json }) => ({ y: 2 * Number(x) }) };

  it('prints case, key, expected and actual of a failure', () => {
    const run = runCases([{ ...one, expected: { y: 5 } }], double);
    expect(run.lines).toEqual(['FAIL one y: expected 5, got 4']);
    expect(summaryOf(run)).toBe('0 passed, 1 failed, 0 skipped');
  });

  it('fails a key that the library does not give', () => {
    expect(runCases([{ ...one, expected: { y: 4, z: 1 } }], double).lines).toEqual(['FAIL one z: expected 1, got nothing']);
  });

  it('names a skipped case and its method', () => {
    const run = runCases([{ ...one, method: 'triple' }], double);
    expect(run.lines).toEqual(['SKIP one: no adapter for the method triple']);
    expect(summaryOf(run)).toBe('0 passed, 0 failed, 1 skipped');
  });

  it('does not find methods that every object has', () => {
    expect(runCases([{ ...one, method: 'toString' }], double).skipped).toEqual(['one']);
  });

  it('counts an adapter that throws as a failure', () => {
    const run = runCases([one], {
      double: () => {
        throw new RangeError('x must be smaller');
      },
    });
    expect(run.lines).toEqual(['FAIL one y: expected {"y":4}, got RangeError: x must be smaller']);
  });
});

describe('a tolerance', () => {
  it.each([
    ['rel', { rel: 1e-6 }, 2, 2.000001, 2.00001],
    ['abs', { abs: 1e-3 }, 2, 2.0009, 2.002],
    ['exact', { exact: true }, 2, 2, 2.0000000001],
    ['rel of 0, which is abs 1e-12', { rel: 1e-6 }, 0, 1e-13, 1e-11],
    ['either of two', { rel: 1e-9, abs: 0.5 }, 2, 2.4, 2.6],
  ] as const)('%s holds inside and breaks outside', (_name, tolerance, expected, inside, outside) => {
    expect(mismatches({ y: expected }, { y: inside }, tolerance)).toEqual([]);
    expect(mismatches({ y: expected }, { y: outside }, tolerance)).toHaveLength(1);
  });

  it('pAbs speaks of p alone', () => {
    expect(mismatches({ p: 1e-310 }, { p: 0 }, { rel: 1e-9, pAbs: 1e-300 })).toEqual([]);
    expect(mismatches({ q: 1e-310 }, { q: 0 }, { rel: 1e-9, pAbs: 1e-300 })).toHaveLength(1);
  });

  it('goes element by element, and a list of another length never passes', () => {
    expect(mismatches({ z: [1, 2] }, { z: [1, 3] }, { rel: 1e-9 })).toEqual([{ key: 'z[1]', expected: 2, actual: 3 }]);
    expect(mismatches({ z: [1] }, { z: [1, 1] }, { rel: 1e-9 })).toHaveLength(1);
  });

  it('never accepts what is not a finite number', () => {
    expect(mismatches({ y: 1 }, { y: Number.NaN }, { abs: 1e9 })).toHaveLength(1);
    expect(mismatches({ y: 1 }, { y: '1' }, { abs: 1e9 })).toHaveLength(1);
    expect(mismatches({ y: null }, { y: 0 }, { abs: 1e9 })).toHaveLength(1);
  });
});

describe('a file of cases', () => {
  it('is refused when it holds none, or one without a method', () => {
    expect(() => parseCases('{}')).toThrow('a file of cases');
    expect(() => parseCases('{"cases": [{"id": "a"}]}')).toThrow('case number 1');
  });
});
