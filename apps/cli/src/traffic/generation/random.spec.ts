import { describe, expect, it } from '@jest/globals';
import { fnv32a, Random, randomOf } from './random.js';

describe('xoshiro128**', () => {
  it('gives the numbers of its authors’ reference code', () => {
    const random = new Random(1, 2, 3, 4);
    expect(Array.from({ length: 10 }, () => random.next())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });
});

describe('the streams', () => {
  it('differ by seed, unit and purpose, and repeat', () => {
    const first = (seed: number, unit: number, purpose: number) => randomOf(seed, unit, purpose).next();
    const all = [first(1, 0, 0), first(2, 0, 0), first(1, 1, 0), first(1, 0, 1), first(2 ** 32 + 1, 0, 0)];
    expect(new Set(all).size).toBe(all.length);
    expect(first(1, 2, 3)).toBe(first(1, 2, 3));
  });

  it('are uniform across neighbouring units, and independent between purposes', () => {
    const units = 100_000;
    const cells = new Array<number>(100).fill(0);
    for (let unit = 0; unit < units; unit++) {
      const cell = Math.floor(randomOf(1, unit, 11).uniform() * 10) * 10 + Math.floor(randomOf(1, unit, 12).uniform() * 10);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const expected = units / 100;
    const chi2 = cells.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
    // Mean 99, standard deviation √(2 · 99).
    expect(Math.abs(chi2 - 99)).toBeLessThan(5 * Math.sqrt(198));
  });
});

it('fnv32a is the published function', () => {
  expect([fnv32a(''), fnv32a('a'), fnv32a('foobar')]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
});
