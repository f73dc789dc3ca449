import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { partsOfPosition, positionOf } from './positions.js';

const parts = fc.tuple(fc.integer({ min: 0, max: 127 }), fc.integer({ min: 0, max: 2 ** 44 - 1 }), fc.integer({ min: 0, max: 4095 }));

describe('a position', () => {
  it('is generation·2⁵⁶ + offset·2¹² + row', () => {
    expect(positionOf(0, 0)).toBe(0n);
    expect(positionOf(2, 3, 5)).toBe(2n * 2n ** 56n + 3n * 4096n + 5n);
  });

  it('orders rows by generation, then offset, then row', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const order = a.map((part, index) => part - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
        const difference = positionOf(...a) - positionOf(...b);
        expect(Math.sign(Number(difference))).toBe(Math.sign(order));
      }),
    );
  });

  it('gives its parts back and fits into a signed 64-bit integer', () => {
    fc.assert(
      fc.property(parts, ([generation, offset, row]) => {
        const position = positionOf(generation, offset, row);
        expect(partsOfPosition(position)).toEqual({ generation, offset, row });
        expect(BigInt.asIntN(64, position)).toBe(position);
      }),
    );
  });

  it('refuses what has no room', () => {
    for (const [generation, offset, row] of [
      [0, 0, 4096],
      [0, 2 ** 44, 0],
      [128, 0, 0],
      [0, -1, 0],
      [0, 0.5, 0],
    ] as const) {
      expect(() => positionOf(generation, offset, row)).toThrow(RangeError);
    }
  });
});
