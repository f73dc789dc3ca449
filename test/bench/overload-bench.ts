/**
 * Ten times what the platform drains, for ten minutes (RAMPART_OVERLOAD_SECONDS for a shorter run): the line to the log is slow, and in the middle third the store
 * is away. What each process needs over time, what the door says, how far the store falls behind, and whether everything that was accepted is there afterwards.
 */
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Line } from '../chaos/line.js';
import { freePort } from '../journeys/platform.js';
import { clickhouse, remove, repository, scratchFolder, startClickhouse, startPostgres } from './engines.js';
import { residentBytes } from './processes.js';
import { call, type Running, startProgram, startService, until } from './services.js';
import { count, type Measurement, seconds } from './table.js';

const PER_BODY = 100;
/** Of a chunk on its way to the log: as if it lay in another country. */
const SLOW_LOG_MS = 100;
const CONNECTIONS = 200;
const TIMES = 10;
/** The drain is measured for so long, or for half of the overload. */
const MOST_CALIBRATION_MS = 15_000;
/** Ticks that are on their way. */
const IDLE_LAG = 8;
const SAMPLE_EVERY_MS = 2_000;
const MIB = 2 ** 20;
/** Of the second half's peak over the first half's: what a process has taken by half-time is what it takes. */
const FLAT = 1.2;

/** Each body has its number in every event, by which it is found in the store. */
const bodyOf = (number: number): Buffer =>
  Buffer.from(
    JSON.stringify(
      Array.from({ length: PER_BODY }, (_, index) => ({
        specversion: '1.0',
        id: `overload-${number}-${index}`,
        source: 'bench/overload',
        type: 'metric.v1',
        time: new Date(1_700_000_000_000 + number).toISOString(),
        data: {
          unit: { type: 'user', id: `user-${(number * PER_BODY + index) % 50_000}` },
          name: 'overload',
          value: number,
          properties: { country: 'NZ', plan: 'pro', items: index % 7, returning: index % 2 === 0 },
        },
      })),
    ),
  );

interface Answers {
  readonly statuses: Map<number, number>;
  /** Numbers of the bodies of which the door said that the log has them. */
  readonly accepted: Set<number>;
  withoutRetryAfter: number;
  offered: number;
}

interface Target {
  readonly url: string;
  readonly key: string;
}

const newAnswers = (): Answers => ({ statuses: new Map(), accepted: new Set(), withoutRetryAfter: 0, offered: 0 });

const post = (agent: Agent, { url, key }: Target, body: Buffer): Promise<{ readonly status: number; readonly retryAfter: boolean }> =>
  new Promise((resolve) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json', 'content-length': body.length };
    const none = { status: 0, retryAfter: false };
    const sent = request(`${url}/v1/events`, { agent, method: 'POST', headers, timeout: 60_000 }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'] !== undefined }));
      answer.on('error', () => resolve(none));
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(none));
    sent.end(body);
  });

let nextBody = 0;

/** @param perSecond  bodies that are due; none: as fast as answers come */
const send = async (
  target: Target,
  { connections, durationMs, perSecond }: { readonly connections: number; readonly durationMs: number; readonly perSecond?: number },
): Promise<Answers> => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const answers = newAnswers();
  const begun = performance.now();
  let place = 0;
  const worker = async () => {
    while (performance.now() - begun < durationMs) {
      if (perSecond !== undefined) {
        const due = begun + (place++ * 1_000) / perSecond;
        if (due > begun + durationMs) return;
        if (due > performance.now()) await sleep(due - performance.now());
      }
      const number = nextBody++;
      answers.offered += 1;
      const { status, retryAfter } = await post(agent, target, bodyOf(number));
      answers.statuses.set(status, (answers.statuses.get(status) ?? 0) + 1);
      if (status === 202) answers.accepted.add(number);
      if (status === 503 && !retryAfter) answers.withoutRetryAfter += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  agent.destroy();
  return answers;
};

export interface Sample {
  readonly atMs: number;
  readonly lag: number;
  readonly bytes: Readonly<Record<string, number>>;
}

const lagOf = async (analysis: Running): Promise<number> => {
  const { partitions } = await call<{ partitions: readonly { topic: string; lag: number }[] }>(
    analysis.url,
    'GET',
    '/v1/analysis/freshness',
  );
  return partitions.filter(({ topic }) => topic === 'feedback.v1').reduce((sum, one) => sum + one.lag, 0);
};

const watch = (processes: Readonly<Record<string, Running>>, analysis: Running) => {
  const samples: Sample[] = [];
  const begun = performance.now();
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const bytes = Object.fromEntries(Object.entries(processes).map(([name, { pid }]) => [name, residentBytes(pid)]));
      const lag = await lagOf(analysis).catch(() => Number.NaN);
      samples.push({ atMs: performance.now() - begun, lag, bytes });
      await sleep(SAMPLE_EVERY_MS);
    }
  })();
  return {
    samples,
    stop: async () => {
      isOver = true;
      await watching;
    },
  };
};

const writeKey = async (url: string): Promise<string> => {
  await call(url, 'POST', '/v1/projects', { key: 'bench', name: 'Benchmarks' });
  await call(url, 'POST', '/v1/environments?project=bench', { key: 'production', kind: 'live' });
  const { key } = await call<{ key: string }>(url, 'POST', '/v1/keys?project=bench', {
    name: 'bench',
    role: 'emit',
    environment: 'production',
  });
  return key;
};

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

/** @returns bodies with how many of their events are stored, each counted once */
const storedBodies = async (url: string): Promise<ReadonlyMap<number, number>> => {
  const sql = 'SELECT intDiv(value, 1000000), uniqExact(id_hash) FROM rampart.feedback FINAL GROUP BY 1 FORMAT TSV';
  const lines = (await clickhouse(url, sql)).split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => line.split('\t').map(Number) as [number, number]));
};

export interface Overload {
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
  /** Accepted before, meanwhile and afterwards. */
  readonly acceptedInAll: number;
  readonly missing: number;
  readonly invented: number;
  readonly storedThoughRefused: number;
  readonly samples: readonly Sample[];
  readonly afterwards: Readonly<Record<string, number>>;
}

const judged = (accepted: ReadonlySet<number>, stored: ReadonlyMap<number, number>) => {
  const all = [...stored.values()].reduce((sum, one) => sum + one, 0);
  return {
    acceptedInAll: accepted.size * PER_BODY,
    missing: [...accepted].reduce((sum, number) => sum + PER_BODY - (stored.get(number) ?? 0), 0),
    invented: [...stored.keys()].filter((number) => number < 0 || number >= nextBody).length,
    storedThoughRefused: all - accepted.size * PER_BODY,
  };
};

const doorRows = (overload: Overload): readonly Measurement[] => {
  const { statuses, withoutRetryAfter, drained, durationMs, missing, invented } = overload;
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
      figure: `${count(missing)} of ${count(overload.acceptedInAll)}; ${count(invented)}; ${count(overload.storedThoughRefused)}`,
      target: '0; 0; any: their sender repeats them, and they count once',
      meets: missing === 0 && invented === 0,
      ...plain,
    },
  ];
};

/** @throws when the platform did not come back by itself */
export const overload = async (durationMs: number, say: (line: string) => void): Promise<Overload> => {
  const folder = scratchFolder('overload');
  const [postgres, store] = await Promise.all([startPostgres(join(folder, 'p')), startClickhouse(join(folder, 'c'))]);
  const [toLog, toStore] = await Promise.all([lineBefore(postgres.url), lineBefore(store.url)]);
  const processes: Record<string, Running> = {};
  try {
    const logUrl = { RAMPART_DATABASE_URL: through(postgres.url, toLog.port) };
    processes.experiments = await startService('experiments', { RAMPART_DATABASE_URL: postgres.url });
    processes.ingestion = await startService('ingestion', logUrl);
    processes.assignment = await startService('assignment', { ...logUrl, RAMPART_ASSIGNMENT_FOLDER: join(folder, 'a') });
    const analysis = await startService('analysis', {
      RAMPART_DATABASE_URL: postgres.url,
      RAMPART_CLICKHOUSE_URL: through(store.url, toStore.port),
    });
    processes.analysis = analysis;
    const door = await startDoor(processes);
    processes['front door'] = door;
    const target = { url: door.url, key: await writeKey(door.url) };
    const probe = () => post(new Agent(), target, Buffer.from('[]'));
    await until('the key is known', async () => ![0, 401, 503].includes((await probe()).status), 20_000);
    const caughtUp = async () => (await lagOf(analysis)) <= IDLE_LAG;

    toLog.slowMs = SLOW_LOG_MS;
    await toLog.become('slow');
    const calibrationMs = Math.min(MOST_CALIBRATION_MS, durationMs / 2);
    const calibrated = await send(target, { connections: 8, durationMs: calibrationMs });
    const drained = (calibrated.accepted.size * PER_BODY * 1_000) / calibrationMs;
    if (drained === 0) throw new Error(`nothing was accepted: ${JSON.stringify([...calibrated.statuses])}`);
    say(`overload: ${count(drained)} events/s are drained; ${TIMES} × that for ${seconds(durationMs)}`);
    const watched = watch(processes, analysis);
    const weather = async () => {
      await sleep(durationMs / 3);
      await toStore.become('refused');
      await sleep(durationMs / 3);
      await toStore.become('clear');
    };
    const load = { connections: CONNECTIONS, durationMs, perSecond: (TIMES * drained) / PER_BODY };
    const [answers] = await Promise.all([send(target, load), weather()]);
    await watched.stop();
    const { samples } = watched;

    await toLog.become('clear');
    const endedMs = performance.now();
    await until('the store has caught up', caughtUp, 300_000);
    await until('the door is ready', async () => (await fetch(`${door.url}/readyz`)).ok, 60_000);
    const again = await send(target, { connections: 1, durationMs: 500 });
    if (again.accepted.size !== again.offered) throw new Error(`after it the door says ${JSON.stringify([...again.statuses])}`);
    await until('the store has caught up again', caughtUp, 60_000);
    const recoveredMs = performance.now() - endedMs;
    await sleep(2 * SAMPLE_EVERY_MS);
    const accepted = new Set([...calibrated.accepted, ...answers.accepted, ...again.accepted]);
    return {
      ...{ statuses: answers.statuses, withoutRetryAfter: answers.withoutRetryAfter, drained, durationMs, samples, recoveredMs },
      ...{ offered: answers.offered * PER_BODY, accepted: answers.accepted.size * PER_BODY },
      peakLag: Math.max(...samples.map(({ lag }) => lag).filter((lag) => !Number.isNaN(lag))),
      ...judged(accepted, await storedBodies(store.url)),
      afterwards: Object.fromEntries(Object.entries(processes).map(([name, { pid }]) => [name, residentBytes(pid)])),
    };
  } finally {
    await Promise.all(Object.values(processes).map((one) => one.stop()));
    await Promise.all([toLog.close(), toStore.close()]);
    await Promise.all([postgres.stop(), store.stop()]);
    remove(folder);
  }
};

export const overloadBench = async (say: (line: string) => void): Promise<readonly Measurement[]> => {
  const seen = await overload(Number(process.env.RAMPART_OVERLOAD_SECONDS ?? 600) * 1_000, say);
  return [...doorRows(seen), ...Object.keys(seen.afterwards).map((name) => memoryRow(name, seen))];
};

const startDoor = async (processes: Readonly<Record<string, Running>>): Promise<Running> => {
  const upstreams = Object.entries(processes).map(([name, { url }]) => [`RAMPART_UPSTREAM_${name.toUpperCase()}`, url]);
  const program = join(repository, 'apps/launcher/dist/front-door/main.js');
  const door = await startProgram(program, { RAMPART_PORT: String(await freePort()), ...Object.fromEntries(upstreams) });
  await until('the platform is ready', async () => (await fetch(`${door.url}/readyz`)).ok, 60_000);
  return door;
};

const lineBefore = (url: string): Promise<Line> => {
  const { hostname, port } = new URL(url);
  return Line.before(hostname, Number(port));
};

const through = (url: string, port: number): string => {
  const seen = new URL(url);
  seen.hostname = '127.0.0.1';
  seen.port = String(port);
  return seen.href;
};
