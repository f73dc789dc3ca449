import { describe, expect, it } from '@jest/globals';
import { namesUnit, textsIn } from './named-units.js';

describe('a text', () => {
  it.each([
    ['order-42', '42', true],
    ['42', '42', true],
    ['got "42".', '42', true],
    ['1042', '42', false],
    ['42nd', '42', false],
    ['é42', '42', false],
    ['1042 of 42', '42', true],
    ['xxann@example.orgxx', 'ann@example.org', true],
    ['nothing', '42', false],
    ['', '42', false],
  ])('%j names %j: %j', (text, id, expected) => {
    expect(namesUnit(text, id)).toBe(expected);
  });

  it('is any in a document, also a number or the name of a field', () => {
    expect(textsIn({ a: ['b', 7, { c: null }], d: true }).toSorted()).toEqual(['7', 'a', 'b', 'c', 'd']);
  });
});
