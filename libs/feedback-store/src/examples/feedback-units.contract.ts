/** A part of the contract of a feedback store: what is told of units beside their sums, and what their totals tell. */
import { expect, it } from '@jest/globals';
import type { MetricInput } from '@rampart/contracts';
import type { ComparisonQuery, FeedbackStore } from '../feedback-store.js';
import { comparison, event, exposure } from './rows.examples.js';

/** @param store  emptied before each test */
export const countingUnits = (store: () => FeedbackStore): void => {
  it('counts the units of which any event came, whatever it is worth', async () => {
    const rows = [
      ...[1, 2, 3, 4, 5].map((unit) => exposure(unit, { at: 1000, unit, variant: unit > 3 ? 'b' : 'a' })),
      event(11, { at: 1010, unit: 1 }),
      event(12, { at: 1020, unit: 1 }),
      event(13, { at: 1150, unit: 2 }),
      event(14, { at: 999, unit: 3 }),
      event(15, { at: 1010, unit: 4, known: 1400 }),
      exposure(16, { at: 1010, unit: 5, variant: 'a' }),
      event(17, { at: 1010, unit: 5 }),
    ];
    await store().insert(rows, []);
    const tracked = [
      { cell: 0, segment: 1, units: 2 },
      { cell: 1, segment: 1, units: 1 },
    ];
    expect(await store().tracked(comparison([{}]))).toEqual(tracked);
    expect(await store().tracked(comparison([{ numerator: { event: 'other' }, type: 'ratio', denominator: { event: 'buy' } }]))).toEqual(
      tracked,
    );
    expect(await store().tracked(comparison([{}], { knownUntilUs: 1399 }))).toEqual(tracked.slice(0, 1));
    expect(await store().tracked(comparison([{}], { multipleExposure: 'first' }))).toEqual([tracked[0], { cell: 1, segment: 1, units: 2 }]);
    expect(await store().tracked(comparison([]))).toEqual([]);
  });

  it('gives the order statistics of each stratum by itself where they are asked for', async () => {
    const rows = Array.from({ length: 12 }, (_, index) => {
      const unit = index + 1;
      const [variant, plan] = [index % 2 === 0 ? 'a' : 'b', ['free', 'paid', 'other'][Math.floor(index / 4)] ?? ''];
      return [
        exposure(10 * unit, { at: 1000, unit, variant, properties: { plan } }),
        event(10 * unit + 1, { at: 1010, unit, value: String(unit * 1_000_000) }),
        event(10 * unit + 2, { at: 1011, unit, value: String(100 * unit * 1_000_000) }),
      ];
    }).flat();
    await store().insert(rows, []);
    const strata = { property: 'plan', values: ['free', 'paid'] };
    const metrics = [{ quantileOf: 'events' }, { quantileOf: 'units' }] as const;
    const query = comparison(
      metrics.map((metric) => ({ ...metric, type: 'quantile', quantileLevel: 0.5 })),
      { quantiles: true, quantilesByStratum: true, strata },
    );
    const { quantiles } = await store().sums(query);
    // Free: units 1 and 3 against 2 and 4; of events the second of four, of units the first of two.
    const found = quantiles?.map(({ arms }) =>
      arms.map(({ stratum, arm, observations, quantile }) => [stratum, arm, observations, quantile]),
    );
    expect(found).toEqual([
      [
        ['*', 'control', 4, 11_000_000n],
        ['*', 'treatment', 4, 12_000_000n],
        ['=free', 'control', 4, 3_000_000n],
        ['=free', 'treatment', 4, 4_000_000n],
        ['=paid', 'control', 4, 7_000_000n],
        ['=paid', 'treatment', 4, 8_000_000n],
      ],
      [
        ['*', 'control', 2, 909_000_000n],
        ['*', 'treatment', 2, 1_010_000_000n],
        ['=free', 'control', 2, 101_000_000n],
        ['=free', 'treatment', 2, 202_000_000n],
        ['=paid', 'control', 2, 505_000_000n],
        ['=paid', 'treatment', 2, 606_000_000n],
      ],
    ]);
    const whole = await store().sums({ ...query, quantilesByStratum: false });
    expect(whole.quantiles?.[0]?.arms.map(({ arm, stratum, observations }) => [arm, stratum, observations])).toEqual([
      ['control', undefined, 12],
      ['treatment', undefined, 12],
    ]);
  });

  it('counts a unit once for its first error, however many errors it has', async () => {
    const rows = [
      ...[1, 2, 3].map((unit) => exposure(unit, { at: 1000, unit })),
      ...[1, 1, 1, 2].map((unit, index) => event(10 + index, { at: 1010 + index, unit })),
    ];
    await store().insert(rows, []);
    for (const type of ['first-error', 'proportion'] as const)
      expect((await store().sums(comparison([{ type }]))).cells[0]?.metrics[0]).toMatchObject({
        units: 3,
        sum: 2_000_000n,
        sumSquares: 2_000_000_000_000n,
      });
  });

  it('tells units apart by the arm in which another comparison counts them', async () => {
    const there = (number: number, about: Parameters<typeof exposure>[1]) =>
      exposure(number, { name: 'banner', at: 900, variant: 'x', ...about });
    const rows = [
      ...[1, 2, 3, 4, 5, 6, 7].flatMap((unit) => [
        exposure(unit, { at: 1000, unit, variant: unit % 2 === 0 ? 'b' : 'a' }),
        event(100 + unit, { at: 1010, unit, value: String(10 ** (unit - 1) * 1_000_000) }),
      ]),
      there(11, { unit: 1 }),
      there(12, { unit: 2 }),
      there(13, { unit: 3, variant: 'y' }),
      // Seen in two arms; chosen by hand; by a variant that is no more; later than the other one's end. Unit 7 is not there at all, and unit 8 not here.
      there(14, { unit: 4 }),
      there(15, { unit: 4, variant: 'y', at: 1900 }),
      there(16, { unit: 5, reason: 'OVERRIDE' }),
      there(17, { unit: 6, variant: 'z' }),
      there(18, { unit: 7, at: 2500 }),
      there(19, { unit: 8 }),
    ];
    await store().insert(rows, []);
    const cells = [
      { variant: 'y', arm: 'Y' },
      { variant: 'x', arm: 'X' },
    ];
    const sums = async (about: Partial<ComparisonQuery>) => {
      const armIn = comparison([], { experiment: 'banner', cells, knownUntilUs: 2000, ...about });
      const found = await store().sums(comparison([{}], { strata: { armIn } }));
      return found.cells.map(({ cell, stratum, metrics }) => [cell, stratum, Number(metrics[0]?.sum) / 1e6]);
    };
    expect(await sums({})).toEqual([
      [0, '*', 1_010_000],
      [0, '=X', 1],
      [0, '=Y', 100],
      [1, '*', 101_000],
      [1, '=X', 10],
    ]);
    expect(await sums({ multipleExposure: 'first' })).toEqual([
      [0, '*', 1_010_000],
      [0, '=X', 1],
      [0, '=Y', 100],
      [1, '*', 100_000],
      [1, '=X', 1_010],
    ]);
    expect((await sums({ knownUntilUs: 2500 })).slice(0, 2)).toEqual([
      [0, '*', 10_000],
      [0, '=X', 1_000_001],
    ]);
    const moving = comparison([{}], { strata: { armIn: comparison([], { experiment: 'banner', cells }) } });
    await expect(store().delta([moving], 1500)).rejects.toThrow('counted whole');
  });

  it('caps totals at their own quantile, of all arms together', async () => {
    const rows = Array.from({ length: 10 }, (_, index) => [
      exposure(10 * index + 1, { at: 1000 + index, unit: index + 1, variant: index % 2 === 0 ? 'a' : 'b' }),
      ...(index === 0 ? [] : [event(10 * index + 2, { at: 1020, unit: index + 1, value: String(index * index * 1_000_000) })]),
    ]).flat();
    await store().insert(rows, []);
    const caps = async (capQuantile: NonNullable<MetricInput['capQuantile']>, about: Partial<ComparisonQuery> = {}) => {
      const { caps: found, cells } = await store().sums(comparison([{ capQuantile }], about));
      return { found: found?.[0], sums: cells.map(({ metrics }) => metrics[0]?.sum) };
    };
    // Totals 0, 4, 16, 36, 64 in one arm and 1, 9, 25, 49, 81 in the other: the eighth of ten is 49.
    expect(await caps({ upper: 0.8 })).toEqual({
      found: { metric: 0, lower: null, upper: 49_000_000n, units: 10, areFixed: true },
      sums: [105_000_000n, 133_000_000n],
    });
    expect(await caps({ lower: 0.2, upper: 0.5 })).toEqual({
      found: { metric: 0, lower: 1_000_000n, upper: 16_000_000n, units: 10, areFixed: true },
      sums: [53_000_000n, 58_000_000n],
    });
    // Of nine that are not 0 the fifth.
    expect((await caps({ upper: 0.5, ignoreZeros: true })).found).toMatchObject({ upper: 25_000_000n, units: 10 });
    // The first five by exposure have 0, 1, 4, 9, 16, whatever came after them.
    const first = { capsOf: 'first-closed' } as const;
    expect(await caps({ upper: 0.8, cohort: 5 }, first)).toEqual({
      found: { metric: 0, lower: null, upper: 9_000_000n, units: 5, areFixed: true },
      sums: [31_000_000n, 37_000_000n],
    });
    // As of a moment at which four have closed they are not fixed yet.
    expect(await caps({ upper: 0.8, cohort: 5 }, { ...first, knownUntilUs: 1113 })).toMatchObject({
      found: { upper: 9_000_000n, units: 4, areFixed: false },
    });
    expect((await caps({ upper: 0.8, cohort: 5 }, { ...first, knownUntilUs: 1114 })).found).toMatchObject({ units: 5, areFixed: true });
    // Without a window nobody ever closes, so nothing is fixed.
    const open = await store().sums(comparison([{ capQuantile: { upper: 0.8, cohort: 5 }, windowUs: null }], first));
    expect(open.caps?.[0]).toMatchObject({ units: 5, areFixed: false });
  });
};
