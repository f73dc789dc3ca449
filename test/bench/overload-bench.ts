/**
 * Ten times what the platform drains, for a minute or, with `--long`, for ten: the line to the log is slow, and in the middle third the store is away. What each
 * process needs over time, what the door says, how far the store falls behind, and whether everything that was accepted is there afterwards.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { clickhouse } from './engines.js';
import { type Kept, keptOf, NumberedLoad, PER_BODY, storedBodies } from './overload-load.js';
import { type LogKind, type OverloadWorld, residents, type Sample, startWorld, watch, writeKey } from './overload-world.js';
import { until } from './services.js';
import { count, type Measurement, seconds } from './table.js';

const SHORT_MS = 60_000;
const LONG_MS = 600_000;
const CONNECTIONS = 200;
const TIMES = 10;
/** The drain is measured for so long. */
const CALIBRATION_MS = 15_000;
/** Ticks that are on their way. */
const IDLE_LAG = 8;
/** Until memory that is free has been given back. */
const QUIET_MS = 4_000;
const MIB = 2 ** 20;
/** Of the second half's peak over the first half's: what a process has taken by half-time is what it takes. */
const FLAT = 1.2;

const mib = (bytes: number): string => `${Math.round(bytes / MIB)}`;

const memoryRow = (name: string, { samples, afterwards }: Overload): Measurement => {
  const of = (part: readonly Sample[]) => Math.max(...part.map(({ bytes }) => bytes[name] ?? 0));
  const fifth = Math.max(1, Math.floor(samples.length / 5));
  const parts = Array.from({ length: 5 }, (_, at) => of(samples.slice(at * fifth, at === 4 ? undefined : (at + 1) * fifth)));
  const half = Math.floor(samples.length / 2);
  const ratio = of(samples.slice(half)) / of(samples.slice(0, half));
  return {
    what: `memory of ${name} (RSS, MiB): peak of each fifth of the time, and when all was caught up`,
    figure: `${parts.map(mib).join(' · ')} → ${mib(afterwards[name] ?? 0)}`,
    target: `second half ≤ ${FLAT} × the first`,
    meets: ratio <= FLAT,
    yardstick: `before: ${mib(samples[0]?.bytes[name] ?? 0)}`,
    ratio: `${ratio.toFixed(2)} ×`,
  };
};

interface Overload {
  readonly statuses: ReadonlyMap<number, number>;
  readonly withoutRetryAfter: number;
  /** Events that the door was given meanwhile, and those of which it said that the log has them. */
  readonly offered: number;
  readonly accepted: number;
  /** Events a second, before. */
  readonly drained: number;
  readonly durationMs: number;
  /** Messages. */
  readonly peakLag: number;
  readonly recoveredMs: number;
  /** Of what was accepted before, meanwhile and afterwards. */
  readonly kept: Kept;
  readonly samples: readonly Sample[];
  readonly afterwards: Readonly<Record<string, number>>;
}

const doorRows = (overload: Overload): readonly Measurement[] => {
  const { statuses, withoutRetryAfter, drained, durationMs, kept } = overload;
  const perSecond = (events: number) => (events * 1_000) / durationMs;
  const answers = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${status || 'no answer'}: ${count(times)}`);
  const plain = { yardstick: '–', ratio: '–' };
  return [
    {
      what: `overload for ${seconds(durationMs)}: offered, accepted`,
      figure: `${count(perSecond(overload.offered))}, ${count(perSecond(overload.accepted))} events/s`,
      target: `offered ≥ ${TIMES} × drained`,
      meets: perSecond(overload.offered) >= TIMES * drained * 0.9,
      yardstick: `drained before: ${count(drained)} events/s`,
      ratio: `${(perSecond(overload.offered) / drained).toFixed(1)} ×`,
    },
    {
      what: 'what the door answered to it, in requests; 503 without Retry-After',
      figure: `${answers.join(', ')}; ${withoutRetryAfter}`,
      target: '202 and 503 only; none without',
      meets: withoutRetryAfter === 0 && [...statuses.keys()].every((status) => status === 202 || status === 503),
      ...plain,
    },
    {
      what: 'lag of the store while it was away, as freshness tells it; all caught up after the end',
      figure: `${count(overload.peakLag)} messages; ${seconds(overload.recoveredMs)}`,
      target: 'visible; no restart',
      meets: overload.peakLag > 0,
      ...plain,
    },
    {
      what: 'accepted events that are not stored, of all accepted; stored that nobody sent; stored though refused',
      figure: `${count(kept.missing)} of ${count(kept.accepted)}; ${count(kept.invented)}; ${count(kept.storedThoughRefused)}`,
      target: '0; 0; any: their sender repeats them, and they count once',
      meets: kept.missing === 0 && kept.invented === 0,
      ...plain,
    },
  ];
};

/** @throws when the platform does not come back by itself */
const overload = async (world: OverloadWorld, durationMs: number, say: (line: string) => void): Promise<Overload> => {
  const { door, toLog, toStore } = world;
  const load = await NumberedLoad.at(door.url, await writeKey(door.url));
  const caughtUp = async () => (await world.lag()) <= IDLE_LAG;

  await toLog.become('slow');
  const calibrated = await load.send({ connections: 8, durationMs: CALIBRATION_MS });
  const drained = (calibrated.accepted.size * PER_BODY * 1_000) / CALIBRATION_MS;
  if (drained === 0) throw new Error(`nothing was accepted: ${JSON.stringify([...calibrated.statuses])}`);
  say(`overload: ${count(drained)} events/s are drained; ${TIMES} × that for ${seconds(durationMs)}`);
  const watched = watch(world);
  const weather = async () => {
    await sleep(durationMs / 3);
    await toStore.become('refused');
    await sleep(durationMs / 3);
    await toStore.become('clear');
  };
  const sending = load.send({ connections: CONNECTIONS, durationMs, perSecond: (TIMES * drained) / PER_BODY });
  const [answers] = await Promise.all([sending, weather()]);
  await watched.stop();
  const { samples } = watched;

  await toLog.become('clear');
  const endedMs = performance.now();
  await until('the store has caught up', caughtUp, 300_000);
  await until('the door is ready', async () => (await fetch(`${door.url}/readyz`)).ok, 60_000);
  const again = await load.send({ connections: 1, durationMs: 500 });
  if (again.accepted.size !== again.offered) throw new Error(`after it the door says ${JSON.stringify([...again.statuses])}`);
  await until('the store has caught up again', caughtUp, 60_000);
  const recoveredMs = performance.now() - endedMs;
  await sleep(QUIET_MS);
  const accepted = new Set([...calibrated.accepted, ...answers.accepted, ...again.accepted]);
  return {
    ...{ statuses: answers.statuses, withoutRetryAfter: answers.withoutRetryAfter, drained, durationMs, samples, recoveredMs },
    ...{ offered: answers.offered * PER_BODY, accepted: answers.accepted.size * PER_BODY },
    peakLag: Math.max(...samples.map(({ lag }) => lag).filter((lag) => !Number.isNaN(lag))),
    kept: keptOf(accepted, await storedBodies((sql) => clickhouse(world.store.url, sql)), load.made),
    afterwards: residents(world.processes),
  };
};

const benchOn =
  (kind: LogKind) =>
  async (say: (line: string) => void, { isLong }: { readonly isLong: boolean }): Promise<readonly Measurement[]> => {
    const world = await startWorld(kind);
    try {
      const seen = await overload(world, isLong ? LONG_MS : SHORT_MS, say);
      return [...doorRows(seen), ...Object.keys(seen.afterwards).map((name) => memoryRow(name, seen))];
    } finally {
      await world.stop();
    }
  };

export const overloadBench = benchOn('embedded');
export const overloadOnKafkaBench = benchOn('kafka');
