import { describe, expect, it } from '@jest/globals';
import { found } from './finding.js';

const names = ['Grüner Knopf running', 'green-button released', 'Blue Button held'];
const by = (said: string) => found(names, said, (name) => name);

describe('finding', () => {
  it('takes every word, in any order, case and accent', () => {
    expect(by('BUTTON green')).toEqual(['green-button released']);
    expect(by('gruner')).toEqual(['Grüner Knopf running']);
    expect(by('button')).toEqual(names.slice(1));
    expect(by('button purple')).toEqual([]);
  });

  it('leaves all in their order when nothing is said', () => {
    expect(by('')).toBe(names);
    expect(by('  ')).toBe(names);
  });
});
