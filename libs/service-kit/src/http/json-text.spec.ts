import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { brokenAt, parseJson } from './json-text.js';

describe('broken JSON', () => {
  it.each([
    ['', 0],
    ['{"a": NaN}', 6],
    ['[1,]', 3],
    ['[1 2]', 3],
    ['{"a" 1}', 5],
    ['{,}', 1],
    ['{"a":1', 6],
    ['"open', 0],
    ['{"a":tru}', 5],
    ['[1] x', 4],
    ['[1}', 2],
    ["{'a':1}", 1],
    ['[01]', 2],
  ])('%j breaks at %i', (text, position) => {
    expect(brokenAt(text)).toBe(position);
  });

  it('is told by position, line and column', () => {
    expect(() => parseJson(Buffer.from('{\n  "a": ,\n}'))).toThrow('unexpected ",\\n}" at position 9 (line 2, column 8)');
    expect(() => parseJson(Buffer.from('[1,'))).toThrow('it ends too early at position 3');
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow('not UTF-8');
  });

  it('breaks at or before the place where something was put in, and sound JSON at its end', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (json, nat) => {
        expect(brokenAt(json)).toBe(json.length);
        const at = nat % (json.length + 1);
        const broken = `${json.slice(0, at)}\u0001${json.slice(at)}`;
        expect(brokenAt(broken)).toBeLessThanOrEqual(at);
      }),
    );
  });
});
