import { describe, expect, it } from '@jest/globals';
import type { FeedbackRow } from '@rampart/contracts';
import { positionOf } from '@rampart/event-log';
import type { PlacedRow } from '@rampart/feedback-store';
import { ErasedBefore } from './erased-before.js';

const placed = (generation: number, offset: number, change: Partial<FeedbackRow> = {}): PlacedRow => ({
  row: {
    ...{ kind: 'metric', project: 'shop', environment: 'live', name: 'buy', unitType: 'user', unit: 'a'.repeat(32), source: 'web' },
    ...{ id: 'e', at: 1, value: '1', digest: '0'.repeat(16), key: 'k' },
    ...change,
  } as FeedbackRow,
  position: positionOf(generation, offset),
  knownAtUs: 1,
  partition: 0,
});
const erasure = (generation: number, offset: number) => placed(generation, offset, { kind: 'erasure', name: '' });

describe('rows of a unit that was erased before they are read', () => {
  it('are those at smaller positions, of that unit in that environment, and no erasure', async () => {
    const erased = new ErasedBefore();
    await erased.note([erasure(1, 5)]);
    expect(erased.has(placed(0, 900))).toBe(true);
    expect(erased.has(placed(1, 6))).toBe(false);
    expect(erased.has(placed(2, 0))).toBe(false);
    for (const change of [{ unit: 'b'.repeat(32) }, { unitType: 'device' }, { environment: 'staging' }, { project: 'other' }])
      expect(erased.has(placed(0, 900, change))).toBe(false);
    expect(erased.has(erasure(0, 900))).toBe(false);
  });

  it('are those before the last of several erasures, in whatever order these are read', async () => {
    const erased = new ErasedBefore();
    await erased.note([erasure(2, 5)]);
    await erased.note([erasure(1, 5)]);
    expect(erased.has(placed(1, 900))).toBe(true);
    expect(erased.has(placed(2, 6))).toBe(false);
  });

  it('are none in a log that has one generation', async () => {
    const erased = new ErasedBefore();
    await erased.note([erasure(0, 5)]);
    expect(erased.has(placed(0, 1))).toBe(false);
  });

  it('are waited for where they are being written, and nothing else is', async () => {
    const erased = new ErasedBefore();
    let isThere: () => void = () => undefined;
    const order: string[] = [];
    const older = erased.written(0, new Promise<void>((resolve) => (isThere = resolve))).then(() => order.push('older'));
    void erased.written(1, new Promise(() => undefined));
    const noted = erased.note([erasure(1, 5)]).then(() => order.push('noted'));
    await new Promise(setImmediate);
    expect(order).toEqual([]);
    isThere();
    await Promise.all([older, noted]);
    expect(order).toEqual(['older', 'noted']);
    await expect(erased.written(0, Promise.reject(new Error('the store is away')))).rejects.toThrow('the store is away');
    await erased.note([erasure(1, 6)]);
  });
});
