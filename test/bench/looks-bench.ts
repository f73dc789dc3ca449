/** Looks at 1 and at 20 running experiments while 5,000 events come each second: what has changed since the last look, beside a recount; on one server, and on two shards. */
import { isDeepStrictEqual } from 'node:util';
import { type MetricDefinition, metricDefinition } from '@rampart/contracts';
import { addSums, ClickhouseFeedbackStore, type ComparisonQuery, type PlacedRow } from '@rampart/feedback-store';
import { oneServer, type StorePlace, twoShards } from './engines.js';
import { count, type Measurement, median, ratioOf, seconds } from './table.js';

const SECOND_US = 1_000_000;
const DAY_US = 86_400 * SECOND_US;
const EXPERIMENTS = 20;
const EVENTS_A_SECOND = 5_000;
const BATCH = 50_000;
const RUNS = 3;
const CLOSED_RUNS = 7;

const metrics: readonly MetricDefinition[] = [
  { key: 'errors', type: 'first-error', numerator: { event: 'error' }, direction: 'decrease' as const },
  { key: 'revenue', type: 'mean', numerator: { event: 'purchase' }, windowUs: 2 * DAY_US, capUpper: '500' },
  { key: 'refunds', type: 'count', numerator: { event: 'refund' }, windowUs: 2 * DAY_US },
].map((metric) => metricDefinition.parse({ name: metric.key, unitType: 'user', ...metric }));
/** Those whose windows close. */
const closing = metrics.filter(({ windowUs }) => windowUs !== null);

const queryOf = (experiment: number, environment: string, knownUntilUs: number, asked = metrics): ComparisonQuery => ({
  project: 'bench',
  environment,
  historical: false,
  experiment: `experiment-${experiment}`,
  unitType: 'user',
  cells: [
    { variant: 'control', arm: 'control' },
    { variant: 'treatment', arm: 'treatment' },
  ],
  segments: [1],
  timeline: [{ segment: 1, fromUs: 0 }],
  reasonWhenMissing: 'SPLIT',
  multipleExposure: 'exclude',
  allowedLatenessUs: 3_600 * SECOND_US,
  knownUntilUs,
  metrics: asked.map((definition) => ({ version: 1, definition })),
});

const mixed = (value: number): number => {
  let bits = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b);
  return (bits ^ (bits >>> 16)) >>> 0;
};
const hex = (value: number) => value.toString(16).padStart(8, '0');

interface Crowd {
  readonly first: number;
  readonly count: number;
}

/** Row `index` at `atUs`: two of five are exposures to one of the experiments. */
const rowAt = (environment: string, index: number, { first, count: units }: Crowd, atUs: number): PlacedRow => {
  const unit = first + (mixed(index) % units);
  const experiment = mixed(index * 5) % EXPERIMENTS;
  const common = {
    project: 'bench',
    environment,
    unitType: 'user',
    unit: hex(mixed(unit)) + hex(mixed(unit + 7)) + hex(unit) + hex(0),
    source: 'bench',
    id: `${index}`,
    at: atUs,
    digest: hex(index) + hex(unit),
    key: 'bench',
  };
  const variant = mixed(unit * 31 + experiment) % 2 === 0 ? 'control' : 'treatment';
  const row =
    index % 5 < 2
      ? ({ ...common, kind: 'exposure', name: `experiment-${experiment}`, variant, segment: 1, reason: 'SPLIT' } as const)
      : ({
          ...common,
          kind: 'metric',
          name: ['purchase', 'refund', 'visit', 'error'][mixed(index * 7) % 4] ?? 'visit',
          value: String(mixed(index * 11) % 9e7),
        } as const);
  return { row, position: BigInt(Math.floor(index / 1000)) * 4096n + BigInt(index % 1000), knownAtUs: atUs, partition: 0 };
};

class Traffic {
  private index = 0;

  constructor(
    private readonly store: ClickhouseFeedbackStore,
    private readonly environment: string,
    private readonly units: number,
  ) {}

  async insert(rows: number, fromUs: number, toUs: number, crowd: Crowd = { first: 0, count: this.units }): Promise<void> {
    for (let start = 0; start < rows; start += BATCH) {
      const size = Math.min(BATCH, rows - start);
      const atUs = (at: number) => Math.floor(fromUs + ((toUs - fromUs) * (start + at + 1)) / rows);
      await this.store.insert(
        Array.from({ length: size }, (_, at) => rowAt(this.environment, this.index++, crowd, atUs(at))),
        [],
      );
    }
  }
}

const timed = async <T>(what: () => Promise<T>): Promise<readonly [number, T]> => {
  const begun = performance.now();
  const answer = await what();
  return [performance.now() - begun, answer];
};

const growth = (what: string, [small = Number.NaN, large = Number.NaN]: readonly number[]): Measurement => ({
  what: `results asked for again, moved forward by a second of traffic: ${what}`,
  figure: `${seconds(small)} → ${seconds(large)}`,
  target: '≤ 1.5 ×',
  meets: large <= 1.5 * small,
  yardstick: 'the same with a tenth of it',
  ratio: ratioOf(large, small),
});

/** The same five days, with and without nine times as many rows of other units before them; the second of traffic comes from all units alike, old ones too. */
const closedRefreshes = async (store: ClickhouseFeedbackStore, say: (line: string) => void): Promise<readonly number[]> => {
  const medians: number[] = [];
  const [rows, recent] = [1_000_000, 100_000];
  for (const times of [1, 10]) {
    const environment = `closed-${times}`;
    const traffic = new Traffic(store, environment, recent * times);
    let nowUs = Date.now() * 1000 - 600 * SECOND_US;
    const recentUs = nowUs - 5 * DAY_US;
    await traffic.insert(rows * (times - 1), recentUs - 45 * DAY_US, recentUs, { first: recent, count: recent * (times - 1) });
    await traffic.insert(rows, recentUs, nowUs, { first: 0, count: recent });
    await store.merge();
    const looks: number[] = [];
    for (let run = 0; run < CLOSED_RUNS; run++) {
      const sinceUs = nowUs;
      nowUs += SECOND_US;
      await traffic.insert(EVENTS_A_SECOND, sinceUs, nowUs);
      const [ms, [delta]] = await timed(() => store.delta([queryOf(0, environment, nowUs, closing)], sinceUs));
      looks.push(ms);
      if (run > 0) continue;
      const before = await store.sums(queryOf(0, environment, sinceUs, closing));
      const recount = await store.sums(queryOf(0, environment, nowUs, closing));
      if (delta === undefined || !isDeepStrictEqual(addSums(before, delta), recount)) throw new Error('base and delta are not the recount');
    }
    medians.push(median(looks));
    say(`${count(rows * times)} rows, all but ${count(rows)} of them closed long ago: ${seconds(median(looks))}`);
  }
  return medians;
};

type Say = (line: string) => void;

export const looksBench = async (say: Say): Promise<readonly Measurement[]> => looksOn(await oneServer('looks'), say);
export const looksClusterBench = async (say: Say): Promise<readonly Measurement[]> => looksOn(await twoShards(), say);

const looksOn = async (place: StorePlace, say: Say): Promise<readonly Measurement[]> => {
  const store = new ClickhouseFeedbackStore({ ...place.options, maxMemoryBytes: 2_200_000_000 });
  const results: Measurement[] = [];
  try {
    await store.prepare();
    const refreshes: number[] = [];
    for (const { environment, rows, units } of [
      { environment: 'small', rows: 1_000_000, units: 100_000 },
      { environment: 'large', rows: 10_000_000, units: 1_000_000 },
    ]) {
      const traffic = new Traffic(store, environment, units);
      let nowUs = Date.now() * 1000 - 600 * SECOND_US;
      await traffic.insert(rows, nowUs - 5 * DAY_US, nowUs);
      say(`${environment}: ${count(rows)} rows stored`);
      await store.merge();
      for (const [experiments, passedSeconds, target] of [
        [1, 1, 1_000],
        [EXPERIMENTS, 1, 1_500],
        [EXPERIMENTS, 5, 1_500],
      ] as const) {
        const queriesAt = (atUs: number) => Array.from({ length: experiments }, (_, experiment) => queryOf(experiment, environment, atUs));
        const looks: number[] = [];
        let recountMs = Number.NaN;
        for (let run = 0; run < RUNS; run++) {
          const sinceUs = nowUs;
          nowUs += passedSeconds * SECOND_US;
          await traffic.insert(EVENTS_A_SECOND * passedSeconds, sinceUs, nowUs);
          const [ms, deltas] = await timed(() => store.delta(queriesAt(nowUs), sinceUs));
          looks.push(ms);
          if (run > 0) continue;
          const [first, last] = [queriesAt(sinceUs)[0], queriesAt(nowUs)[0]];
          if (first === undefined || last === undefined || deltas[0] === undefined) throw new Error('nothing was asked');
          const [ownMs, recount] = await timed(() => store.sums(last));
          recountMs = ownMs * experiments;
          const added = addSums(await store.sums(first), deltas[0]);
          if (!isDeepStrictEqual(added, recount)) throw new Error('base and delta are not the recount');
        }
        const look = median(looks);
        if (experiments === 1) refreshes.push(look);
        say(
          `${experiments} experiments, ${count(rows)} rows, ${passedSeconds} s of traffic: ${seconds(look)}, a recount ${seconds(recountMs)}`,
        );
        results.push({
          what: `a look at ${experiments} of ${EXPERIMENTS} experiments, ${count(rows)} rows, ${count(units)} units, ${passedSeconds} s of ${count(EVENTS_A_SECOND)} events/s`,
          figure: seconds(look),
          target: `< ${seconds(target)}`,
          meets: look < target,
          yardstick: `recount ${seconds(recountMs)}`,
          ratio: ratioOf(look, recountMs),
        });
      }
    }
    results.push(growth('10 × the history, with a metric whose window never closes', refreshes));
    results.push(growth('10 × the closed history', await closedRefreshes(store, say)));
    return results;
  } finally {
    await store.close();
    await place.stop();
  }
};
