import { describe, expect, it } from '@jest/globals';
import { KnownAges } from './known-ages.js';

const SECOND_US = 1_000_000;

describe('the age of a hop', () => {
  it('is what is known now', () => {
    const ages = new KnownAges();
    expect([...ages.seconds([{ hop: 'store', ageMs: 1_500 }], 10 * SECOND_US)]).toEqual([['store', 1.5]]);
    expect([...ages.seconds([{ hop: 'store', ageMs: 500 }], 20 * SECOND_US)]).toEqual([['store', 0.5]]);
  });

  it('grows from what was known last while nobody can say', () => {
    const ages = new KnownAges();
    ages.seconds([{ hop: 'store', ageMs: 1_000 }], 10 * SECOND_US);
    expect([...ages.seconds([], 50 * SECOND_US)]).toEqual([['store', 41]]);
    expect([...ages.seconds([{ hop: 'store', ageMs: null }], 90 * SECOND_US)]).toEqual([['store', 81]]);
  });

  it('is absent once another process knows it', () => {
    const ages = new KnownAges();
    ages.seconds([{ hop: 'look', ageMs: 0 }], 0);
    ages.forget('look');
    expect([...ages.seconds([], SECOND_US)]).toEqual([]);
  });

  it('is absent where it was never known, and never below zero', () => {
    const ages = new KnownAges();
    expect([...ages.seconds([{ hop: 'look', ageMs: null }], 0)]).toEqual([]);
    ages.seconds([{ hop: 'log', ageMs: 0 }], 50 * SECOND_US);
    expect([...ages.seconds([], 40 * SECOND_US)]).toEqual([['log', 0]]);
  });
});
