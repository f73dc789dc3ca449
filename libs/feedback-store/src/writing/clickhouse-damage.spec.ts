import { describe, expect, it } from '@jest/globals';
import { isCovered } from './clickhouse-damage.js';

const part = (first: number, last: number, table = 'feedback', partition = 'all') => ({
  ...{ table, partition, name: `${partition}_${first}_${last}_1` },
  ...{ first: String(first), last: String(last) },
});

describe('a damaged part', () => {
  const damaged = part(3, 9);

  it('is covered by parts that lie side by side from its first block to its last', () => {
    expect(isCovered(damaged, [part(1, 2), part(3, 5), part(6, 6), part(7, 9), part(10, 12)])).toBe(true);
    expect(isCovered(damaged, [part(1, 20)])).toBe(true);
  });

  it.each([
    ['the first is missing', [part(4, 9)]],
    ['one in between is missing', [part(3, 5), part(7, 9)]],
    ['the last is missing', [part(3, 8)]],
    ['they are of another table or partition', [part(3, 9, 'exposure'), part(3, 9, 'feedback', '202611')]],
    ['there is none', []],
  ])('is not where %s', (_, active) => {
    expect(isCovered(damaged, active)).toBe(false);
  });
});
