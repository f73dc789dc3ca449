import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { canonicalOrder, hashText, Occurrences, rowHash } from './row-identity.js';

const identity = (header: readonly string[], cells: readonly string[]) => hashText(rowHash('plan', cells, canonicalOrder(header)));

describe('the identity of a row', () => {
  it('does not depend on the order of columns', () => {
    expect(identity(['a', 'b'], ['1', '2'])).toBe(identity(['b', 'a'], ['2', '1']));
  });

  it('tells cells apart, wherever their borders are', () => {
    expect(identity(['a', 'b'], ['1', '23'])).not.toBe(identity(['a', 'b'], ['12', '3']));
    expect(identity(['a', 'b'], ['1', '2'])).not.toBe(identity(['a', 'b'], ['2', '1']));
  });
});

describe('equal rows', () => {
  it('are counted, also when the table of hashes has grown', () => {
    const occurrences = new Occurrences(16);
    const digest = (index: number) => createHash('sha256').update(String(index)).digest();
    for (let index = 0; index < 5_000; index++) expect(occurrences.next(digest(index))).toBe(1);
    for (let index = 0; index < 5_000; index += 7) expect(occurrences.next(digest(index))).toBe(2);
    expect(occurrences.next(digest(0))).toBe(3);
    expect(occurrences.next(digest(1))).toBe(2);
  });
});
