import { describe, expect, it } from '@jest/globals';
import { isEqual } from './equality.js';

describe('two documents', () => {
  it.each([
    [1, 1],
    [null, null],
    [
      { a: 1, b: [1, { c: 2 }] },
      { b: [1, { c: 2 }], a: 1 },
    ],
    [{ a: 1, b: undefined }, { a: 1 }],
  ])('%j and %j say the same', (one, other) => {
    expect([isEqual(one, other), isEqual(other, one)]).toEqual([true, true]);
  });
  it.each([
    [1, '1'],
    [null, undefined],
    [0, null],
    [
      [1, 2],
      [2, 1],
    ],
    [[1], [1, 2]],
    [[], {}],
    [{ a: null }, {}],
    [{ a: { b: 1 } }, { a: { b: 2 } }],
  ])('%j and %j do not', (one, other) => {
    expect([isEqual(one, other), isEqual(other, one)]).toEqual([false, false]);
  });
});
