/** One experiment with five metrics, from raw rows to exact sums, at 1 M and at 10 M rows; on one server, and on two shards. */
import { ClickhouseFeedbackStore } from '@rampart/feedback-store';
import { comparisonQuery, quantileQuery, rowAt } from './comparison-world.js';
import { clickhouse, oneServer, type StorePlace, twoShards } from './engines.js';
import { count, type Measurement, median, ratioOf, seconds } from './table.js';

const BATCH = 100_000;
const RUNS = 3;

const fill = async (store: ClickhouseFeedbackStore, environment: string, rows: number, units: number, say: (line: string) => void) => {
  for (let start = 0; start < rows; start += BATCH) {
    await store.insert(
      Array.from({ length: Math.min(BATCH, rows - start) }, (_, index) => rowAt(environment, start + index, units)),
      [],
    );
    if ((start / BATCH) % 20 === 0) say(`${environment}: ${count(start + BATCH)} of ${count(rows)} rows stored`);
  }
};

const timed = async (what: () => Promise<unknown>): Promise<number> => {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const begun = performance.now();
    await what();
    times.push(performance.now() - begun);
  }
  return median(times);
};

type Say = (line: string) => void;

export const sumsBench = async (say: Say): Promise<readonly Measurement[]> => sumsOn(await oneServer('sums'), say);
export const sumsClusterBench = async (say: Say): Promise<readonly Measurement[]> => sumsOn(await twoShards(), say);

const sumsOn = async (place: StorePlace, say: Say): Promise<readonly Measurement[]> => {
  const store = new ClickhouseFeedbackStore({ ...place.options, maxMemoryBytes: 2_200_000_000 });
  const results: Measurement[] = [];
  try {
    await store.prepare();
    const sizes = [
      { environment: 'small', rows: 1_000_000, units: 100_000, targetMs: 400 },
      { environment: 'large', rows: 10_000_000, units: 1_000_000, targetMs: 2_000 },
    ] as const;
    const measured = new Map<string, number>();
    for (const { environment, rows, units, targetMs } of sizes) {
      await fill(store, environment, rows, units, say);
      const unmerged = await timed(() => store.sums(comparisonQuery(environment)));
      await store.merge();
      const merged = await timed(() => store.sums(comparisonQuery(environment)));
      const scan = await timed(() =>
        clickhouse(
          place.url,
          `SELECT sum(toInt128(assumeNotNull(value))) FROM ${place.database}.feedback WHERE space GLOBAL IN (SELECT space FROM ${place.database}.scope WHERE environment = '${environment}')`,
        ),
      );
      measured.set(environment, merged);
      results.push({
        what: `one experiment, five metrics, ${count(rows)} rows, ${count(units)} units: merged / as inserted`,
        figure: `${seconds(merged)} / ${seconds(unmerged)}`,
        target: `< ${seconds(targetMs)}`,
        meets: merged < targetMs,
        yardstick: `scan + sum ${seconds(scan)}`,
        ratio: ratioOf(merged, scan),
      });
    }
    const large = await timed(() => store.sums({ ...quantileQuery('large', 'units'), quantiles: false, quantileLadder: false }));
    for (const quantileOf of ['units', 'events'] as const) {
      const counted = await timed(() => store.quantiles(quantileQuery('large', quantileOf)));
      results.push({
        what: `order statistics of one quantile of ${quantileOf}, 10 M rows, 1 M units, as each look counts them`,
        figure: seconds(counted),
        target: '–',
        meets: true,
        yardstick: `sums of the same metric ${seconds(large)}`,
        ratio: ratioOf(counted, large),
      });
    }
    const growth = (measured.get('large') ?? Number.NaN) / (measured.get('small') ?? Number.NaN);
    results.push({
      what: 'growth of it, 10 × the rows and units',
      figure: `${growth.toFixed(1)} ×`,
      target: 'linear: ≤ 10 ×',
      meets: growth <= 10,
      yardstick: '10 ×',
      ratio: ratioOf(growth, 10),
    });
    const bytes = place.bytes();
    results.push({
      what: 'memory of the store after it',
      figure: `${(bytes / 2 ** 20).toFixed(0)} MiB`,
      target: '< 3 GB',
      meets: bytes < 3e9,
      yardstick: '–',
      ratio: '–',
    });
    return results;
  } finally {
    await store.close();
    await place.stop();
  }
};
