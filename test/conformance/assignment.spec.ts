import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type AssignmentAdapter, assignmentAdapters } from './assignment-adapters.js';
import { type AssignmentCase, isEqual, parseAssignmentCases } from './assignment-cases.js';
import type { JsonRecord } from './reference-cases.js';
import { runAssignmentCases } from './run-assignment-cases.js';
import { summaryOf } from './run-cases.js';

const sources = resolve(import.meta.dirname, '..', '..', 'conformance');
const cases = parseAssignmentCases(readFileSync(resolve(sources, 'golden-assignment', 'growthbook-cases.json'), 'utf8'));

/** The groups of the format, version 0.8.0. */
const groups = [
  'chooseVariation',
  'contextualBandit',
  'decrypt',
  'evalCondition',
  'feature',
  'getBucketRange',
  'getEqualWeights',
  'getQueryStringOverride',
  'hash',
  'inNamespace',
  'run',
  'stickyBucket',
  'urlRedirect',
];

describe('the assignment engine', () => {
  it('meets every case of the public SDKs, and skips none', async () => {
    const run = await runAssignmentCases(cases, assignmentAdapters);
    expect(run.lines).toEqual([]);
    expect(summaryOf(run)).toBe(`${cases.length} passed, 0 failed, 0 skipped`);
    expect(cases.length).toBeGreaterThanOrEqual(229);
  });

  it('understands every group of the format', () => {
    expect(Object.keys(assignmentAdapters).sort()).toEqual(groups);
  });

  it('is asked through adapters that know no case by name', () => {
    const text = readFileSync(resolve(sources, 'assignment-adapters.ts'), 'utf8');
    const names = cases.map(({ tuple }) => tuple[0]).filter((name): name is string => typeof name === 'string' && name.length > 3);
    expect(names.length).toBeGreaterThan(200);
    expect(names.filter((name) => text.includes(`'${name}'`))).toEqual([]);
  });
});

describe('groups that our copy has no case of', () => {
  const meets = async (group: string, tuple: AssignmentCase['tuple']) =>
    (await runAssignmentCases([{ id: 'one', group, tuple }], assignmentAdapters)).lines;

  it('reads an arm from the address', async () => {
    expect(await meets('getQueryStringOverride', ['n', 'exp', 'http://a.com/?x=1&exp=1#end', 2, 1])).toEqual([]);
    expect(await meets('getQueryStringOverride', ['n', 'exp', 'http://a.com/?exp=2', 2, null])).toEqual([]);
    expect(await meets('getQueryStringOverride', ['n', 'exp', 'http://a.com/?exp=-1', 2, null])).toEqual([]);
    expect(await meets('getQueryStringOverride', ['n', 'exp', 'http://a.com/', 2, null])).toEqual([]);
  });

  it('decrypts what it has the key of, and nothing else', async () => {
    const key = 'AQIDBAUGBwgJCgsMDQ4PEA==';
    const subtle = globalThis.crypto.subtle;
    const bytes = Uint8Array.from(atob(key), (char) => char.charCodeAt(0));
    const iv = new Uint8Array(16).fill(7);
    const secret = await subtle.importKey('raw', bytes, { name: 'AES-CBC', length: 128 }, true, ['encrypt']);
    const cipher = new Uint8Array(await subtle.encrypt({ name: 'AES-CBC', iv }, secret, new TextEncoder().encode('{"a":1}')));
    const text = (part: Uint8Array) => btoa(String.fromCharCode(...part));
    expect(await meets('decrypt', ['n', `${text(iv)}.${text(cipher)}`, key, '{"a":1}'])).toEqual([]);
    expect(await meets('decrypt', ['n', `${text(iv)}.${text(cipher)}`, 'AAAAAAAAAAAAAAAAAAAAAA==', null])).toEqual([]);
    expect(await meets('decrypt', ['n', 'no cipher', key, null])).toEqual([]);
  });

  const redirect: JsonRecord = {
    key: 'redirect',
    weights: [0, 1],
    persistQueryString: true,
    urlPatterns: [{ include: true, type: 'simple', pattern: 'http://www.example.com/home' }],
    variations: [{}, { urlRedirect: 'http://www.example.com/home-new?b=2' }],
  };
  const at = (url: string) => ({ attributes: { id: '1' }, url, experiments: [redirect, { ...redirect, key: 'second' }] });

  it('redirects once, with the query of the page', async () => {
    const going = [
      {
        inExperiment: true,
        urlRedirect: 'http://www.example.com/home-new?b=2',
        urlWithParams: 'http://www.example.com/home-new?b=2&a=1',
      },
    ];
    expect(await meets('urlRedirect', ['n', at('http://www.example.com/home?a=1&b=1'), going])).toEqual([]);
    expect(await meets('urlRedirect', ['n', at('http://www.example.com/other'), []])).toEqual([]);
  });

  it('gives a contextual bandit the weights of the first leaf that holds', async () => {
    const context = {
      attributes: { id: '1', plan: 'pro' },
      features: {
        f: { defaultValue: 'd', rules: [{ key: 'b', contextualVariations: ['x', 'y'], contextualBanditRef: 'r', weights: [1, 0] }] },
      },
      contextualBandits: { r: { banditVersion: 3, contexts: [{ leafId: 9, condition: { plan: 'pro' }, weights: [0, 1] }] } },
    };
    const leaf = { leafId: 9, variationWeights: [0, 1], banditVersion: 3 };
    // fnv1a("1" + "b") mod 1000, worked out apart from the library
    const bucket = 0.37;
    const expected = {
      value: 'y',
      on: true,
      off: false,
      source: 'experiment',
      ruleId: '',
      experiment: { key: 'b', variations: ['x', 'y'], weights: [0, 1], contextualBandit: leaf },
      experimentResult: {
        key: '1',
        featureId: 'f',
        inExperiment: true,
        hashUsed: true,
        variationId: 1,
        value: 'y',
        hashAttribute: 'id',
        hashValue: '1',
        stickyBucketUsed: false,
        bucket,
        ...leaf,
      },
    };
    expect(await meets('contextualBandit', ['n', context, 'f', expected])).toEqual([]);
  });
});

describe('the runner of assignment cases', () => {
  const half: Readonly<Record<string, AssignmentAdapter>> = { half: ([x, expected]) => ({ expected, actual: Number(x) / 2 }) };
  const one = (tuple: AssignmentCase['tuple'], group = 'half'): AssignmentCase => ({ id: 'one', group, tuple });

  it('counts a wrong answer, an exception and an unknown group', async () => {
    const throwing: Readonly<Record<string, AssignmentAdapter>> = {
      ...half,
      bad: () => {
        throw new RangeError('no');
      },
    };
    const run = await runAssignmentCases([one([4, 2]), one([4, 3]), one([], 'bad'), one([], 'toString')], throwing);
    expect(summaryOf(run)).toBe('1 passed, 2 failed, 1 skipped');
    expect(run.lines).toEqual([
      'FAIL one: expected 3, got 2',
      'FAIL one: threw RangeError: no',
      'SKIP one: no adapter for the group toString',
    ]);
  });

  it('compares key by key: a missing, another or one key more is a failure', () => {
    expect(isEqual({ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1, d: undefined })).toBe(true);
    expect(isEqual({ a: 1 }, {})).toBe(false);
    expect(isEqual({ a: 1 }, { a: 1, b: 2 })).toBe(false);
    expect(isEqual({ a: 1 }, { a: '1' })).toBe(false);
    expect(isEqual([1], [1, 1])).toBe(false);
    expect(isEqual(null, 0)).toBe(false);
  });

  it('refuses a file that holds no cases', () => {
    expect(() => parseAssignmentCases('[]')).toThrow('a file of assignment cases');
    expect(() => parseAssignmentCases('{"specVersion": "1"}')).toThrow('no case');
    expect(() => parseAssignmentCases('{"hash": 1}')).toThrow('the group hash');
    expect(() => parseAssignmentCases('{"hash": [{}]}')).toThrow('case 0 of the group hash');
  });
});
