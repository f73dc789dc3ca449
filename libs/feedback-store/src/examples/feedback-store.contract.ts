/** What every feedback store must do. */
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { MetricInput } from '@rampart/contracts';
import type { ComparisonQuery, FeedbackStore, MetricSums, PlacedRow } from '../feedback-store.js';
import { countingUnits } from './feedback-units.contract.js';
import { comparison, event, exposure } from './rows.examples.js';

/** @param create  an empty store, prepared */
export const feedbackStoreContract = (name: string, create: () => Promise<FeedbackStore>): void => {
  describe(`the contract of a feedback store, by ${name}`, () => {
    let store: FeedbackStore;

    beforeEach(async () => {
      if (store === undefined) store = await create();
      else await store.reset();
    });

    afterAll(async () => {
      await store?.close();
    });

    const sumsOf = async (rows: readonly PlacedRow[], query: ComparisonQuery): Promise<readonly MetricSums[]> => {
      await store.insert(rows, []);
      return (await store.sums(query)).cells[0]?.metrics ?? [];
    };

    const one = async (rows: readonly PlacedRow[], metric: Partial<MetricInput> = {}, about: Partial<ComparisonQuery> = {}) => {
      const [sums] = await sumsOf(rows, comparison([metric], about));
      return sums;
    };

    it('counts an event from the exposure on, up to the end of the window and not at it', async () => {
      const rows = [
        event(1, { at: 999 }),
        exposure(2, { at: 1000 }),
        event(3, { at: 1000 }),
        event(4, { at: 1099 }),
        event(5, { at: 1100 }),
      ];
      expect(await one(rows)).toMatchObject({ units: 1, openUnits: 0, sum: 2_000_000n, sumSquares: 4_000_000_000_000n, lateEvents: 0 });
    });

    it('counts a row known exactly at the close, and one known later as late', async () => {
      const rows = [exposure(1, { at: 1000 }), event(2, { at: 1050, known: 1110 }), event(3, { at: 1050, known: 1111 })];
      expect(await one(rows)).toMatchObject({ sum: 1_000_000n, lateEvents: 1 });
    });

    it('keeps a unit open until everything that may count is known', async () => {
      const rows = [exposure(1, { at: 1000 }), event(2, { at: 1050 })];
      expect(await one(rows, {}, { knownUntilUs: 1109 })).toMatchObject({ units: 0, openUnits: 1, sum: 0n });
      expect(await one([], {}, { knownUntilUs: 1110 })).toMatchObject({ units: 1, openUnits: 0, sum: 1_000_000n });
    });

    it('counts units without events as zero, within the caps', async () => {
      const rows = [exposure(1, { at: 1000 }), exposure(2, { at: 1000, unit: 2 }), event(3, { at: 1010, unit: 2, value: '9000000' })];
      expect(await one(rows, { capLower: '0.5', capUpper: '2' })).toMatchObject({
        units: 2,
        sum: 2_500_000n,
        sumSquares: 4_250_000_000_000n,
      });
    });

    it('stores what is gathered piece by piece as what comes at once, and nothing of what was only gathered', async () => {
      const many = store.gather();
      many.add([exposure(1, { at: 1000 })]);
      many.add(Array.from({ length: 400 }, (_, index) => event(10 + index, { at: 1010 })));
      const never = store.gather();
      never.add([event(2_000, { at: 1010 })]);
      await many.insert();
      expect(await one([])).toMatchObject({ units: 1, sum: 400_000_000n });
      // Fewer rows than before, which take the place of those in memory.
      const few = store.gather();
      few.add([event(3_000, { at: 1020 })]);
      await few.insert();
      expect(await one([])).toMatchObject({ units: 1, sum: 401_000_000n });
    });

    it('stores what is gathered beside what is inserted, each of its scopes, also after everything was dropped', async () => {
      const round = async (unit: number) => {
        const [first, second] = [store.gather(), store.gather()];
        first.add([exposure(10 * unit, { at: 1000, unit })]);
        second.add([event(10 * unit + 1, { at: 1010, unit })]);
        await store.insert([event(10 * unit + 2, { at: 1020, unit })], []);
        await Promise.all([first.insert(), second.insert()]);
      };
      await round(1);
      await round(2);
      expect(await one([])).toMatchObject({ units: 2, sum: 4_000_000n });
      await store.reset();
      await round(3);
      expect(await one([])).toMatchObject({ units: 1, sum: 2_000_000n });
    });

    it('lets the first arrival of an id win, whatever a retry says', async () => {
      const first = event(2, { id: 'same', at: 1010, value: '1000000' });
      const retry = event(3, { id: 'same', at: 1020, value: '7000000' });
      expect(await one([retry, exposure(1, { at: 1000 }), first])).toMatchObject({ sum: 1_000_000n });
    });

    it('does not see what came into a history after its completion, whenever it says that it became known', async () => {
      const history = { historical: true, loggedUntilUs: 5_000 };
      const early = [exposure(1, { at: 1000, known: 4_000, knownAt: 1000 }), event(2, { at: 1010, known: 5_000, knownAt: 1010 })];
      const late = [
        event(3, { at: 1020, known: 5_001, knownAt: 1020 }),
        exposure(4, { at: 990, known: 5_001, knownAt: 990, unit: 2 }),
        event(5, { at: 1010, known: 5_002, knownAt: 1010, id: 'metric-2', value: '7000000' }),
      ];
      expect(await one(early, {}, history)).toMatchObject({ units: 1, sum: 1_000_000n });
      expect(await one(late, {}, history)).toMatchObject({ units: 1, sum: 1_000_000n });
      expect(await one([], {}, { ...history, loggedUntilUs: 5_002 })).toMatchObject({ units: 2, sum: 2_000_000n });
      expect(await one([], {}, { historical: true })).toMatchObject({ units: 2, sum: 2_000_000n });
    });

    it('takes the exposure that became known first, not the one that claims to be earliest', async () => {
      const rows = [exposure(1, { at: 1000, known: 1000 }), exposure(2, { at: 995, known: 1001 }), event(3, { at: 997, known: 1002 })];
      expect(await one(rows)).toMatchObject({ units: 1, sum: 0n });
    });

    it('does not admit an exposure that became known too late after its time', async () => {
      await store.insert([exposure(1, { at: 1000, known: 1011 })], []);
      expect(await store.sums(comparison([{}]))).toEqual({ cells: [], population: [], lateExposures: 1, crossedLate: 0 });
    });

    it('leaves out a unit seen in two arms before its window closed, and counts one that crosses later', async () => {
      const rows = [
        exposure(1, { at: 1000 }),
        exposure(2, { at: 1050, variant: 'b' }),
        exposure(3, { at: 1000, unit: 2 }),
        exposure(4, { at: 1111, unit: 2, variant: 'b' }),
      ];
      await store.insert(rows, []);
      const { cells, population, crossedLate } = await store.sums(comparison([{}]));
      expect(cells[0]?.metrics[0]).toMatchObject({ units: 1 });
      expect(population).toEqual([
        { cell: 0, segment: 1, kind: 'counted', units: 1 },
        { cell: 0, segment: 1, kind: 'two-arms', units: 1 },
      ]);
      expect(crossedLate).toBe(1);
      const first = await store.sums(comparison([{}], { multipleExposure: 'first' }));
      expect(first.cells[0]?.metrics[0]).toMatchObject({ units: 2 });
    });

    it('takes a report that names no segment for the one in force at its time', async () => {
      const rows = [990, 1000, 1049, 1050, 1099, 1100].map((at, index) =>
        exposure(index + 1, { unit: index + 1, at, known: at + 2, segment: undefined }),
      );
      await store.insert([...rows, exposure(9, { unit: 9, at: 1200, segment: 1 })], []);
      const timeline = [
        { segment: 1, fromUs: 1000 },
        { segment: 2, fromUs: 1050 },
        { segment: 3, fromUs: 1100 },
      ] as const;
      const segmentsOf = async (segments: readonly number[]) =>
        (await store.sums(comparison([{}], { segments, timeline }))).population.map(({ segment, units }) => [segment, units]);
      expect(await segmentsOf([1, 2])).toEqual([
        [1, 4],
        [2, 2],
      ]);
      expect(await segmentsOf([3])).toEqual([[3, 1]]);
    });

    it('counts who is not in the comparison by why', async () => {
      const reasons = ['OVERRIDE', 'USER_CHANNEL', 'HOLDOUT', 'STATIC', 'unknown'] as const;
      const rows = reasons.map((reason, index) => exposure(index + 1, { unit: index + 1, at: 1000, reason }));
      await store.insert([...rows, exposure(9, { unit: 9, at: 1000, variant: 'z' })], []);
      const { population } = await store.sums(comparison([], { reasonWhenMissing: 'unknown' }));
      expect(population.map(({ cell, kind, units }) => [cell, kind, units])).toEqual([
        [-1, 'unknown-variant', 1],
        [0, 'not-randomised', 2],
        [0, 'override', 1],
        [0, 'own-choice', 1],
        [0, 'reason-unknown', 1],
      ]);
    });

    it('tells an assignment from an exposure', async () => {
      const assigned = exposure(1, { at: 1000 });
      await store.insert([{ ...assigned, row: { ...assigned.row, kind: 'assignment' } }], []);
      expect((await store.sums(comparison([{}]))).cells).toEqual([]);
      expect((await store.sums(comparison([{ population: 'assigned' }]))).cells[0]?.metrics[0]).toMatchObject({ units: 1 });
    });

    it('leaves out events without a value where values are taken, and counts them', async () => {
      const { row, ...place } = event(2, { at: 1010 });
      const { value: _, ...valueless } = row;
      const rows = [exposure(1, { at: 1000 }), { ...place, row: valueless }, event(3, { at: 1011 })];
      const sums = await sumsOf(rows, comparison([{ type: 'mean' }, { type: 'count' }, { type: 'proportion' }]));
      expect(sums.map(({ sum, unconverted }) => [sum, unconverted])).toEqual([
        [1_000_000n, 1],
        [2_000_000n, 0],
        [1_000_000n, 0],
      ]);
    });

    it('reads a numeric property exactly, whether it came as a number or as text', async () => {
      const bought = (number: number, amount: string | number | boolean) => event(number, { at: 1010, properties: { amount } });
      const rows = [exposure(1, { at: 1000 }), bought(2, 0.1), bought(3, '0.0000015'), bought(4, true), bought(5, 'dear')];
      expect(await one(rows, { numerator: { event: 'buy', property: 'amount' } })).toMatchObject({ sum: 100_002n, unconverted: 2 });
    });

    it('filters by type: a number equals no text', async () => {
      const bought = (number: number, size: string | number) => event(number, { at: 1010, properties: { size } });
      const rows = [exposure(1, { at: 1000 }), bought(2, 1), bought(3, '1'), event(4, { at: 1010 })];
      const counting = (operator: 'eq' | 'ne', value: string | number): Partial<MetricInput> => ({
        type: 'count',
        numerator: { event: 'buy', filters: [{ property: 'size', operator, value }] },
      });
      const sums = await sumsOf(rows, comparison([counting('eq', 1), counting('eq', '1'), counting('ne', 1)]));
      expect(sums.map(({ sum }) => sum)).toEqual([1_000_000n, 1_000_000n, 2_000_000n]);
    });

    it('never takes text of a filter for SQL', async () => {
      const value = "x' OR 1=1 -- \\ \n\t\0 {p0:String}";
      const rows = [exposure(1, { at: 1000 }), event(2, { at: 1010 }), event(3, { at: 1010, properties: { note: value } })];
      const numerator = { event: 'buy', filters: [{ property: 'note', operator: 'eq' as const, value }] };
      expect(await one(rows, { type: 'count', numerator })).toMatchObject({ sum: 1_000_000n });
    });

    it('sums what a Float64 and an Int64 cannot hold', async () => {
      const most = '9200000000000000000';
      const rows = [
        exposure(1, { at: 1000 }),
        event(2, { at: 1010, value: most }),
        event(3, { at: 1010, value: most }),
        event(4, { at: 1010, value: '1' }),
      ];
      const sum = 18_400_000_000_000_000_001n;
      expect(await one(rows)).toMatchObject({ sum, sumSquares: sum * sum });
    });

    it('gives a ratio its cross products and caps the numerator alone', async () => {
      const rows = [
        exposure(1, { at: 1000 }),
        event(2, { at: 1010, value: '5000000' }),
        event(3, { at: 1010, name: 'visit', value: '3000000' }),
      ];
      expect(await one(rows, { type: 'ratio', denominator: { event: 'visit' }, capUpper: '4' })).toMatchObject({
        sum: 4_000_000n,
        denominatorSum: 3_000_000n,
        denominatorSumSquares: 9_000_000_000_000n,
        crossSum: 12_000_000_000_000n,
      });
    });

    it('pairs each unit with what it did before its exposure', async () => {
      const rows = [
        event(1, { at: 949, value: '8000000' }),
        event(2, { at: 950, value: '2000000' }),
        event(3, { at: 999, value: '1000000' }),
        exposure(4, { at: 1000 }),
        event(5, { at: 1010, value: '5000000' }),
        exposure(6, { at: 1000, unit: 2 }),
      ];
      const covariate = (whenMissing: 'zero' | 'exclude') => ({ covariate: { lookbackUs: 50, whenMissing } });
      const [zero, exclude] = await sumsOf(rows, comparison([covariate('zero'), covariate('exclude')]));
      const pair = { sum: 5_000_000n, covariateSum: 3_000_000n, covariateCrossSum: 15_000_000_000_000n };
      expect(zero?.covariate).toMatchObject({ units: 2, ...pair });
      expect(exclude?.covariate).toMatchObject({ units: 1, ...pair });
    });

    it('sums the parts of a ratio together with what they were before the exposure', async () => {
      const rows = [
        event(1, { at: 960, value: '2000000' }),
        event(2, { at: 970, name: 'visit', value: '4000000' }),
        exposure(3, { at: 1000 }),
        event(4, { at: 1010, value: '5000000' }),
        event(5, { at: 1010, name: 'visit', value: '3000000' }),
        event(6, { at: 980, unit: 2, name: 'visit', value: '1000000' }),
        exposure(7, { at: 1000, unit: 2 }),
        exposure(8, { at: 1000, unit: 3 }),
        event(9, { at: 1010, unit: 3, name: 'visit', value: '7000000' }),
      ];
      const ratio = (whenMissing: 'zero' | 'exclude', more: Partial<MetricInput> = {}) =>
        ({ type: 'ratio', denominator: { event: 'visit' }, covariate: { lookbackUs: 50, whenMissing }, ...more }) as const;
      const metrics = [ratio('zero'), ratio('exclude'), ratio('zero', { capLower: '1' })];
      const [zero, exclude, raised] = await sumsOf(rows, comparison(metrics));
      const millions = (...values: readonly number[]) => values.map((value) => BigInt(value) * 1_000_000n);
      const squares = (...values: readonly number[]) => values.map((value) => BigInt(value) * 1_000_000_000_000n);
      expect(zero?.covariate).toBeNull();
      // Units as (after, after; before, before): (5, 3; 2, 4), (0, 0; 0, 1), (0, 7; 0, 0).
      expect(zero?.joint).toEqual({ units: 3, sums: millions(5, 10, 2, 5), products: squares(25, 15, 10, 20, 58, 6, 12, 4, 8, 17) });
      expect(exclude?.joint).toEqual({ units: 2, sums: millions(5, 3, 2, 5), products: squares(25, 15, 10, 20, 9, 6, 12, 4, 8, 17) });
      expect(raised?.joint).toEqual({ units: 3, sums: millions(7, 10, 2, 5), products: squares(27, 22, 10, 21, 58, 6, 12, 4, 8, 17) });
    });

    it('counts who takes the steps of a funnel one after another, and who comes back in time', async () => {
      const rows = [
        // Looks, then buys; buys before looking; one event that is both; looks twice, buys once.
        exposure(1, { at: 1000 }),
        event(2, { at: 1010, name: 'look' }),
        event(3, { at: 1020 }),
        exposure(4, { at: 1000, unit: 2 }),
        event(5, { at: 1010, unit: 2 }),
        event(6, { at: 1020, unit: 2, name: 'look' }),
        exposure(7, { at: 1000, unit: 3 }),
        event(8, { at: 1010, unit: 3, properties: { both: true } }),
        exposure(9, { at: 1000, unit: 4 }),
        event(10, { at: 1060, unit: 4, properties: { both: true } }),
        event(11, { at: 1060, unit: 4 }),
      ];
      const both = { event: 'buy', filters: [{ property: 'both', operator: 'eq', value: true }] } as const;
      const [looked, twice, back] = await sumsOf(
        rows,
        comparison([
          { type: 'funnel', steps: [{ event: 'look' }] },
          { type: 'funnel', steps: [{ ...both, filters: [...both.filters] }] },
          { type: 'retention', delayUs: 50, windowUs: 20 },
        ]),
      );
      expect(looked).toMatchObject({ units: 4, sum: 1_000_000n });
      expect(twice).toMatchObject({ units: 4, sum: 1_000_000n });
      expect(back).toMatchObject({ units: 4, sum: 1_000_000n });
    });

    it('gives the order statistics of an arm: of all events with their clusters, or of one value per unit', async () => {
      const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
      const rows = [
        exposure(1, { at: 1000 }),
        ...values.map((value) => event(1 + value, { at: 1010 + value, value: String(value * 1_000_000) })),
        exposure(20, { at: 1000, unit: 2 }),
        event(21, { at: 1010, unit: 2, value: '7000000' }),
        exposure(22, { at: 1000, unit: 3 }),
        exposure(23, { at: 1000, unit: 4, variant: 'b' }),
      ];
      await store.insert(rows, []);
      const metrics = [{}, { quantileOf: 'events' }, { quantileOf: 'units' }] as const;
      const query = comparison(
        metrics.map((metric, place) => (place === 0 ? metric : { ...metric, type: 'quantile', quantileLevel: 0.5 })),
        {
          quantiles: true,
        },
      );
      const { quantiles } = await store.sums(query);
      // Eleven values, the sixth in the middle; the band reaches from the second to the ninth.
      const clusters = { sumX: 11n, sumY: 6n, sumSquaresX: 101n, sumSquaresY: 36n, sumProducts: 60n };
      const none = { sumX: 0n, sumY: 0n, sumSquaresX: 0n, sumSquaresY: 0n, sumProducts: 0n };
      expect(quantiles).toEqual([
        {
          metric: 1,
          arms: [
            { arm: 'control', observations: 11, quantile: 6_000_000n, lower: 2_000_000n, upper: 8_000_000n, clusters },
            { arm: 'treatment', observations: 0, quantile: 0n, lower: 0n, upper: 0n, clusters: none },
          ],
        },
        {
          metric: 2,
          arms: [
            { arm: 'control', observations: 3, quantile: 7_000_000n, lower: 0n, upper: 55_000_000n, clusters: null },
            { arm: 'treatment', observations: 1, quantile: 0n, lower: 0n, upper: 0n, clusters: null },
          ],
        },
      ]);
      expect(await store.quantiles(query)).toEqual(quantiles);
      expect(await store.sums({ ...query, quantiles: false })).not.toHaveProperty('quantiles');
      const ladders = (await store.quantiles({ ...query, quantileLadder: true })).map(({ arms }) => arms.map(({ ladder }) => ladder));
      // Around the middle, a quarter of the rank's standard error apart, as far as there are ranks.
      const [ofEvents, ofUnits] = [
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
        [1, 2, 3],
      ].map((ranks) => ranks.map((rank) => ({ rank, value: expect.any(BigInt) })));
      expect(ladders).toEqual([
        [ofEvents, []],
        [ofUnits, [{ rank: 1, value: 0n }]],
      ]);
      expect(ladders[1]?.[0]?.map(({ value }) => value)).toEqual([0n, 7_000_000n, 55_000_000n]);
      expect(ladders[0]?.[0]?.[5]).toEqual({ rank: 6, value: 6_000_000n });
      await expect(store.delta([{ ...query, knownUntilUs: 2000 }], 1000)).rejects.toThrow(RangeError);
    });

    countingUnits(() => store);

    it('tells units apart by a property of their first exposure', async () => {
      const rows = [
        exposure(1, { at: 1000, properties: { plan: 'free', seats: 1 } }),
        exposure(2, { at: 1005, properties: { plan: 'paid' } }),
        event(3, { at: 1010 }),
        exposure(4, { at: 1000, unit: 2, properties: { plan: 'paid', seats: 12.5 } }),
        exposure(5, { at: 1000, unit: 3, properties: { plan: true, seats: '1' } }),
        exposure(6, { at: 1000, unit: 4 }),
        exposure(7, { at: 1000, unit: 5, properties: { plan: 'free', seats: 1e21 }, reason: 'OVERRIDE' }),
      ];
      await store.insert(rows, []);
      const unitsBy = async (strata: NonNullable<ComparisonQuery['strata']>) => {
        const { cells, population } = await store.sums(comparison([{}], { strata }));
        const counted = population.filter(({ kind }) => kind === 'counted').map(({ stratum, units }) => [stratum, units]);
        return { units: cells.map(({ stratum, metrics }) => [stratum, metrics[0]?.units, Number(metrics[0]?.sum) / 1e6]), counted };
      };
      expect(await unitsBy({ property: 'plan', values: ['free', 'paid', 'none'] })).toEqual({
        units: [
          ['*', 2, 0],
          ['=free', 1, 1],
          ['=paid', 1, 0],
        ],
        counted: [
          ['*', 2],
          ['=free', 1],
          ['=paid', 1],
        ],
      });
      expect((await unitsBy({ property: 'seats', values: ['1', '12.5', '', '1e+21'] })).units).toEqual([
        ['=', 1, 0],
        ['=1', 2, 1],
        ['=12.5', 1, 0],
      ]);
      expect((await unitsBy({ property: 'plan', values: ['true', ''] })).units.map(([stratum]) => stratum)).toEqual(['*', '=', '=true']);
      expect(await store.strata(comparison([{}]), 'seats', 2)).toEqual([
        { value: '1', units: 2 },
        { value: '', units: 1 },
      ]);
      expect(await store.strata(comparison([{}]), 'plan', 9)).toEqual([
        { value: '', units: 1 },
        { value: 'free', units: 1 },
        { value: 'paid', units: 1 },
        { value: 'true', units: 1 },
      ]);
    });

    it('takes the known time that a history states, and breaks its ties by id, not by place', async () => {
      const rows = [
        exposure(1, { id: 'x', at: 1000, known: 5_000, knownAt: 1000, variant: 'a' }),
        exposure(2, { id: 'y', at: 1000, known: 5_000, knownAt: 1000, variant: 'b' }),
      ];
      const query = comparison([], { historical: true, multipleExposure: 'first' });
      await store.insert(rows, []);
      const { population } = await store.sums(query);
      await store.reset();
      const [x, y] = rows;
      if (x === undefined || y === undefined) throw new Error('two rows');
      await store.insert(
        [
          { ...y, position: x.position },
          { ...x, position: y.position },
        ],
        [],
      );
      expect((await store.sums(query)).population).toEqual(population);
      expect((await store.sums(query)).lateExposures).toBe(0);
    });

    it('remembers how far it has read, and that only forwards', async () => {
      const at = (partition: number, generation: number, offset: bigint, knownAtUs: number) => ({
        topic: 'feedback.v1',
        partition,
        generation,
        offset,
        knownAtUs,
      });
      await store.insert([], [at(0, 0, 7n, 70), at(1, 0, 3n, 30)]);
      await store.insert([], [at(0, 1, 2n, 80), at(1, 0, 1n, 10)]);
      expect(await store.progress('feedback.v1')).toEqual([at(0, 1, 2n, 80), at(1, 0, 3n, 30)]);
      expect(await store.progress('other.v1')).toEqual([]);
    });

    it('says version and time of each of its servers, and how much room their disks have', async () => {
      const servers = await store.servers();
      expect(servers.length).toBeGreaterThan(0);
      for (const { version, nowUs, disks } of servers) {
        expect(version).not.toBe('');
        // A machine's own clock: beyond a minute it would be another unit, not another time.
        expect(Math.abs(nowUs - Date.now() * 1_000)).toBeLessThan(60_000_000);
        for (const { freeBytes, totalBytes } of disks) expect(0 <= freeBytes && freeBytes <= totalBytes).toBe(true);
      }
    });

    it('serves while another is filled beside it, which then takes its place', async () => {
      const [query, read] = [comparison([{}]), { topic: 'feedback.v1', partition: 0, generation: 0, knownAtUs: 10 }];
      const counted = async () => (await store.sums(query)).population.reduce((units, one) => units + one.units, 0);
      await store.insert([exposure(1, { at: 1000, unit: 1 })], [{ ...read, offset: 1n }]);
      await (await store.beside()).insert([exposure(9, { at: 1000, unit: 9 })], []);
      const beside = await store.beside();
      expect((await beside.sums(query)).population).toEqual([]);
      await beside.insert([exposure(1, { at: 1000, unit: 1 }), exposure(2, { at: 1000, unit: 2 })], [{ ...read, offset: 2n }]);
      expect(await counted()).toBe(1);
      const filling = await beside.identity();
      expect(filling).not.toBe(await store.identity());
      await store.takeOver(beside);
      await beside.close();
      expect(await store.identity()).toBe(filling);
      expect(await counted()).toBe(2);
      expect(await store.progress('feedback.v1')).toEqual([{ ...read, offset: 2n }]);
      // What views fill is there, too: a delta reads it.
      await store.insert([exposure(3, { at: 1000, unit: 3 })], [{ ...read, offset: 3n }]);
      expect(await counted()).toBe(3);
      const until = { ...query, knownUntilUs: query.knownUntilUs };
      const [delta] = await store.delta([until], 0);
      expect(delta?.population.reduce((units, one) => units + one.units, 0)).toBe(3);
    });

    it('is another filling after a reset, and empty', async () => {
      const before = await store.identity();
      expect(await store.identity()).toBe(before);
      await store.insert([exposure(1, { at: 1000 })], []);
      await store.reset();
      expect(await store.identity()).not.toBe(before);
      expect((await store.sums(comparison([{}]))).population).toEqual([]);
    });
  });
};
