/** A history of eight units with everything that can be wrong with events, and the sums that follow from docs/metrics.md, worked out by hand. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, type Platform, startPlatform } from './platform.js';

const SECOND = 1_000_000;
const [project, environment] = ['dirty', 'past'];
const at = `?project=${project}&environment=${environment}`;

let platform: Platform;
let key: string;

const must = async (method: string, path: string, body: unknown): Promise<{ key: string }> => {
  const answer = await platform.call(method, path, body);
  if (answer.status > 201) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};

const buy = { event: 'buy' };
const window = { unitType: 'user', windowUs: 10 * SECOND };
const metrics = [
  { key: 'bought', name: 'Bought', type: 'proportion', numerator: buy, ...window },
  { key: 'spent', name: 'Spent', type: 'mean', numerator: buy, capUpper: '20', ...window },
  {
    key: 'visits',
    name: 'Visits in Germany',
    type: 'count',
    numerator: { event: 'visit', filters: [{ property: 'country', operator: 'eq', value: 'de' }] },
    ...window,
  },
  {
    key: 'basket',
    name: 'Per visit',
    type: 'ratio',
    numerator: { event: 'buy', property: 'amount' },
    denominator: { event: 'visit' },
    denominatorAggregate: 'count',
    ...window,
  },
  {
    key: 'before',
    name: 'Spent, adjusted',
    type: 'mean',
    numerator: buy,
    covariate: { lookbackUs: 30 * SECOND, whenMissing: 'exclude' },
    ...window,
  },
];

/** Seconds after the beginning, which is 2024-01-01 00:00. */
const instant = (second: number) => new Date(Date.UTC(2024, 0, 1) + second * 1000).toISOString();

let events = 0;
interface About {
  readonly id?: string;
  readonly known?: number;
  readonly also?: readonly object[];
  readonly [said: string]: unknown;
}
const event = (type: string, unit: string, second: number, { id = `e${events++}`, known = second, ...said }: About) => ({
  specversion: '1.0',
  id,
  source: 'dirty',
  type,
  time: instant(second),
  knownat: instant(known),
  data: { unit: { type: 'user', id: unit }, ...said },
});
const seen = (unit: string, second: number, variant: string, about: About = {}) =>
  event('exposure.v1', unit, second, { experiment: 'button', variant, ...about });
const did = (name: string, unit: string, second: number, about: About = {}) => event('metric.v1', unit, second, { name, ...about });

// L = 5 s, window 10 s: a unit first seen at t₀ closes at t₀ + 15 s.
const world = [
  // a: control; two purchases in the window, one a moment too late, one before, and one that became known after closing.
  seen('a', 100, 'control'),
  did('buy', 'a', 100, { value: 12.5, properties: { amount: 3 } }),
  did('buy', 'a', 109.999, { value: 9, properties: { amount: '4.5' } }),
  did('buy', 'a', 110, { value: 1000 }),
  did('buy', 'a', 99.999, { value: 2 }),
  did('buy', 'a', 105, { value: 500, known: 115.001 }),
  did('visit', 'a', 101, { properties: { country: 'de' } }),
  did('visit', 'a', 102, { properties: { country: 'fr' } }),
  did('visit', 'a', 103),
  // b: control; known exactly at closing still counts; an amount that is no number is left out.
  seen('b', 100, 'control', { reason: 'SPLIT' }),
  did('buy', 'b', 104, { value: -1.25, known: 115, properties: { amount: 'much' } }),
  did('buy', 'b', 71, { value: 7 }),
  did('buy', 'b', 69, { value: 100 }),
  // c: treatment, seen through a second reference of somebody else's event, and through one of another type, which is nobody.
  seen('c', 100, 'treatment'),
  did('buy', 'd', 101, {
    value: 4,
    also: [
      { type: 'user', id: 'c' },
      { type: 'user', id: 'd' },
      { type: 'device', id: 'c' },
    ],
  }),
  // d: treatment; its second exposure in the other arm comes after it has closed: it stays, "crossed late".
  seen('d', 100, 'treatment'),
  seen('d', 130, 'control'),
  did('visit', 'd', 100, { properties: { country: 'de' } }),
  // e: two arms in time: out.
  seen('e', 100, 'control'),
  seen('e', 114, 'treatment'),
  did('buy', 'e', 101, { value: 50 }),
  // f, g: overridden first, randomised later; a variant that nobody defined.
  seen('f', 100, 'treatment', { reason: 'OVERRIDE' }),
  seen('f', 101, 'treatment'),
  did('buy', 'f', 102, { value: 50 }),
  seen('g', 100, 'violet'),
  // h: known 6 s after its time, more than L: not admitted; a later one is.
  seen('h', 100, 'treatment', { known: 106 }),
  seen('h', 120, 'treatment'),
  did('buy', 'h', 101, { value: 50 }),
  did('buy', 'h', 121, { value: 0.0000005 }),
  did('buy', 'h', 122, { value: 0.0000015 }),
];

const shuffled = <T>(list: readonly T[]): readonly T[] =>
  [...list].sort((one, other) => ((JSON.stringify(one).length * 7919) % 101) - ((JSON.stringify(other).length * 7919) % 101));

/** What is accepted in the end; the log has it. */
const send = async (batch: readonly object[]): Promise<void> => {
  const { status, body } = await platform.call('POST', '/v1/events', batch, { key });
  expect([status, body.rejected]).toEqual([202, 0]);
};

const results = (accepted: number, asOf?: number) =>
  eventually('the results are complete', async () => {
    const query = asOf === undefined ? '' : `&asOf=${instant(asOf)}`;
    const { status, body } = await platform.call('GET', `/v1/experiments/button/results${at}${query}`);
    return status === 200 && body.status === 'complete' && body.population.duplicates.accepted === accepted ? body : undefined;
  });

interface Cell {
  readonly metric: string;
  readonly variant: string;
  readonly [number: string]: unknown;
}
const cell = (body: { sufficientStatistics: readonly Cell[] }, metric: string, variant: string) =>
  body.sufficientStatistics.find((one) => one.metric === metric && one.variant === variant);

beforeAll(async () => {
  platform = await startPlatform();
  await must('POST', '/v1/projects', { key: project, name: project });
  await must('POST', `/v1/environments?project=${project}`, { key: environment, kind: 'historical' });
  ({ key } = await must('POST', `/v1/keys?project=${project}`, { name: 'writes', role: 'import', environment }));
  for (const metric of metrics) await must('POST', `/v1/metrics?project=${project}`, metric);
  await must('POST', `/v1/experiments?project=${project}`, {
    key: 'button',
    name: 'Button',
    variants: [{ key: 'control' }, { key: 'treatment' }],
    control: 'control',
    metrics: metrics.map((metric, index) => ({ metric: metric.key, role: index === 0 ? 'success' : 'secondary' })),
    plan: { allowedLatenessUs: 5 * SECOND },
  });
  await must('POST', `/v1/experiments/button/start${at}`, {});
  await eventually('the write key works', async () =>
    (await platform.call('POST', '/v1/ingest/validate', [], { key })).status === 200 ? true : undefined,
  );
  await send([...world, { ...event('import.completed.v1', '', 200, {}), data: {} }]);
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
});

/** Rows that the experiment reads: one event names two users; of the device nobody asks. */
const ROWS = world.length + 1;

describe('a dirty history', () => {
  it('counts the randomised and says why others are not', async () => {
    const { population } = await results(ROWS);
    expect(population).toMatchObject({ units: 8, counted: 5, crossedLate: 1, lateExposures: 1 });
    expect(population.rows).toMatchObject([
      { variant: 'control', exposed: 3, counted: 2, excluded: { 'two-arms': 1 } },
      { variant: 'treatment', exposed: 4, counted: 3, excluded: { override: 1 } },
      { variant: '(not in the definition)', exposed: 1, counted: 0, excluded: { 'unknown-variant': 1 } },
    ]);
    expect(population.duplicates).toEqual({ accepted: ROWS, stored: ROWS, duplicates: 0, idsReused: 0 });
  });

  it('sums what lies in the windows, exactly', async () => {
    const body = await results(ROWS);
    const sums = (metric: string, ...names: readonly string[]) =>
      ['control', 'treatment'].map((variant) => names.map((name) => cell(body, metric, variant)?.[name]));
    expect(sums('bought', 'units', 'sum')).toEqual([
      [2, '2000000'],
      [3, '3000000'],
    ]);
    // a: 12.5 + 9, capped at 20; b: −1.25. c, d: 4 each; h: 0 and 0.000002, rounded half to even.
    expect(sums('spent', 'sum', 'sumSquares')).toEqual([
      ['18750000', String(20_000_000n ** 2n + 1_250_000n ** 2n)],
      ['8000002', String(2n * 4_000_000n ** 2n + 4n)],
    ]);
    expect(sums('visits', 'sum')).toEqual([['1000000'], ['1000000']]);
    expect(sums('basket', 'sum', 'denominatorSum', 'crossSum')).toEqual([
      ['7500000', '3000000', String(7_500_000n * 3_000_000n)],
      ['0', '1000000', '0'],
    ]);
    // Before t₀: a 2, b 7 (100 is too old), h 50; the others have no history.
    expect(cell(body, 'before', 'control')?.covariate).toMatchObject({ units: 2, covariateSum: '9000000', sum: '20250000' });
    expect(cell(body, 'before', 'treatment')?.covariate).toMatchObject({ units: 1, covariateSum: '50000000', sum: '2' });
    const spent = body.metrics.find((one: { metric: string }) => one.metric === 'spent');
    expect(spent.arms.map((arm: { lateEvents: number }) => arm.lateEvents)).toEqual([1, 0]);
    const basket = body.metrics.find((one: { metric: string }) => one.metric === 'basket');
    expect(basket.arms.map((arm: { unconverted: number }) => arm.unconverted)).toEqual([1, 4]);
  });

  it('as of an earlier moment has what was known and closed by then', async () => {
    const body = await results(ROWS, 115);
    // h is still out: its admitted exposure comes at 120; d has not crossed yet.
    expect(body.population).toMatchObject({ units: 7, crossedLate: 0 });
    expect(cell(body, 'spent', 'treatment')).toMatchObject({ units: 2, sum: '8000000' });
    const before = await results(ROWS, 114.999);
    expect(before.metrics[1].arms.map((arm: { n: number; openUnits: number }) => [arm.n, arm.openUnits])).toEqual([
      [0, 2],
      [0, 2],
    ]);
  });

  it('stays the same when everything comes again, in another order and with other contents', async () => {
    const calm = await results(ROWS);
    await send(shuffled(world));
    const altered = world
      .slice(0, 3)
      .map((one) => ({ ...one, data: { ...one.data, ...('value' in one.data ? { value: 77 } : { variant: 'treatment' }) } }));
    await send(altered);
    // The store counts arrivals and reused ids in two views, filled one after the other.
    const again = await eventually('all is counted', async () => {
      const found = await results(2 * ROWS + 3);
      return found.population.duplicates.idsReused >= 3 ? found : undefined;
    });
    expect(again.evidenceDigest).toBe(calm.evidenceDigest);
    expect(again.population.duplicates).toEqual({ accepted: 2 * ROWS + 3, stored: ROWS, duplicates: ROWS + 3, idsReused: 3 });
  });

  it('does not change when more comes, until that is completed too; a record of before stays what it was', async () => {
    const replayOf = async (id: string) => (await platform.call('POST', `/v1/decisions/${id}/replay?project=${project}`, {})).body;
    const records = async () => (await platform.call('GET', `/v1/experiments/button/decisions${at}`)).body.items ?? [];
    const [record] = await eventually('the look of the history is recorded', async () => {
      const found = await records();
      return found.length > 0 ? found : undefined;
    });
    const calm = await results(2 * ROWS + 3);
    // A unit that nobody knew, exposed long ago.
    await send([seen('z', 100, 'treatment'), did('buy', 'z', 101, { value: 5 })]);
    const added = await results(2 * ROWS + 5);
    expect(added.evidenceDigest).toBe(calm.evidenceDigest);
    expect(added.warnings).toContainEqual(expect.stringMatching(/^2 rows came after the history was completed/));
    expect(await replayOf(record.id)).toMatchObject({ evidence: { same: true }, intact: true });

    await send([{ ...event('import.completed.v1', '', 200, {}), data: {} }]);
    const anew = await eventually('the history is complete again', async () => {
      const found = await results(2 * ROWS + 5);
      return found.status === 'complete' && found.evidenceDigest !== calm.evidenceDigest ? found : undefined;
    });
    expect(anew.population.counted).toBe(calm.population.counted + 1);
    expect(anew.warnings.filter((one: string) => one.includes('came after'))).toEqual([]);
    const [newest] = await eventually('it is recorded again', async () => {
      const found = await records();
      return found.length > 1 ? found : undefined;
    });
    expect(newest.previous).toBe(record.id);
    for (const { id } of [record, newest])
      expect(await replayOf(id)).toMatchObject({ evidence: { same: true }, conclusion: { same: true }, intact: true });
  }, 120_000);
});
