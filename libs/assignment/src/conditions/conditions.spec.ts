import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compilePayload } from '../payload/compile-payload.js';
import { evaluate } from '../ruleset/evaluate.js';
import { unitOf } from '../ruleset/unit.js';
import { compileCondition, holds } from './condition.js';
import { automatonOf } from './pattern-automaton.js';
import { patternOf } from './pattern-syntax.js';
import { compilePattern } from './patterns.js';

describe('a condition', () => {
  it.each([
    ['a missing attribute is the text "null"', { a: 'null' }, {}, true],
    ['a missing attribute equals 0', { a: 0 }, {}, true],
    ['"5" equals 5', { a: 5 }, { a: '5' }, true],
    ['…but not strictly', { a: { $eq: 5 } }, { a: '5' }, false],
    ['an empty object is compared as JSON', { a: {} }, { a: {} }, true],
    ['$or of nothing holds', { $or: [] }, {}, true],
    ['$nor of nothing does not', { $nor: [] }, {}, false],
    ['$elemMatch skips falsy elements', { a: { $elemMatch: { $eq: 0 } } }, { a: [0] }, false],
    ['the order of keys counts in JSON', { a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }, false],
    ['an unknown operator never holds', { a: { $near: 1 } }, { a: 1 }, false],
    ['an operator that every object has never holds', { a: { $constructor: 1 } }, { a: 1 }, false],
    ['inherited names are no attributes', { 'constructor.name': 'Object' }, {}, false],
    ['an unknown group is empty', { a: { $notInGroup: 'g' } }, { a: 1 }, true],
  ])('%s', (_name, condition, attributes, expected) => {
    expect(holds(condition, attributes)).toBe(expected);
  });

  it('never throws, whatever it says and whatever the attributes hold', () => {
    const hostile = fc.constantFrom<unknown>({ toString: 1, valueOf: 2 }, { length: -1 }, JSON.parse('{"__proto__": {"a": 1}}'));
    const keys = fc.constantFrom(
      'a',
      '$in',
      '$regex',
      '$size',
      '$or',
      '$not',
      '$elemMatch',
      '$gt',
      '$veq',
      '$all',
      '$inGroup',
      '__proto__',
      'a.b',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        hostile,
        fc.array(tie('value'), { maxLength: 2 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 2 }),
      ),
    }));
    fc.assert(
      fc.property(value, value, (condition, attributes) => typeof compileCondition(condition)(attributes) === 'boolean'),
      { numRuns: 5000 },
    );
  });
});

describe('a payload', () => {
  it('that makes no sense never makes the engine throw', () => {
    const keys = fc.constantFrom(
      'rules',
      'force',
      'variations',
      'weights',
      'ranges',
      'filters',
      'namespace',
      'meta',
      'condition',
      'coverage',
      'hashVersion',
      'parentConditions',
      'id',
      'key',
      'contextualBanditRef',
      'f',
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.constantFrom<unknown>(null, 0, 1, 2, -1, 'f', '', true),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 5 }),
      ),
    }));
    const rules = fc.array(fc.dictionary(keys, value, { maxKeys: 5 }), { maxLength: 3 });
    fc.assert(
      fc.property(rules, value, (given, bandits) => {
        const ruleset = compilePayload({ features: { f: { rules: given } }, contextualBandits: { f: bandits } } as never);
        return evaluate(ruleset, 'f', unitOf({ attributes: { id: 'u' } })).feature === 'f';
      }),
      { numRuns: 3000 },
    );
  });
});

describe('a regular expression', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '.',
    '\\w',
    '\\d',
    '[ab]',
    '[^a]',
    '(a|b)',
    '(?:ab|a)',
    '(a*b)',
    '^',
    '$',
    '\\b',
    '\\.',
    'a{2}',
    '(a|aa)',
  );
  const quantified = fc
    .tuple(piece, fc.constantFrom('', '', '*', '+', '?', '{1,3}', '{2,}', '*?'))
    .map(([atom, sign]) => (/^(\^|\$|\\b)$|\}$/.test(atom) ? atom : atom + sign));
  const source = fc.array(quantified, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
  const text = fc.array(fc.constantFrom('a', 'b', 'A', '1', '.', ' ', '\n', 'é'), { maxLength: 9 }).map((chars) => chars.join(''));

  it('means in linear time what it means to the engine', () => {
    fc.assert(
      fc.property(
        source,
        text,
        fc.constantFrom('', 'i'),
        (pattern, given, flags) => automatonOf(patternOf(pattern), flags)?.(given) === new RegExp(pattern, flags).test(given),
      ),
      { numRuns: 10_000 },
    );
  });

  it.each([
    '^(a+)+$',
    '(a|a)*b',
    '(a|aa)+$',
    '^(\\w+\\s?)*$',
    '(.*)*x',
    'a*a*a*a*a*a*a*b',
    '(x+x+)+y',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
    '(?=(a+)+b)a',
    '(a+)\\1+b',
  ])('cannot run away: %s', (pattern) => {
    const matches = compilePattern(pattern, false);
    const began = performance.now();
    for (const long of [`${'a'.repeat(5000)}!`, 'x'.repeat(5000), 'ab '.repeat(1500)]) expect(typeof matches?.(long)).toBe('boolean');
    // Backtracking would take longer than the universe.
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  it('that is none never matches', () => {
    expect(compilePattern('(', false)).toBeUndefined();
    expect(holds({ a: { $regex: '(' } }, { a: '(' })).toBe(false);
    expect(holds({ a: { $regex: 5 } }, { a: '5' })).toBe(false);
  });
});
