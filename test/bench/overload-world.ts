/** A platform of single processes whose log and store lie behind lines that can be made bad; the log is the embedded one or Kafka. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, type OwnKafka, ownKafka } from '@rampart/test-engines';
import { Line } from '../chaos/line.js';
import { type Engine, remove, repository, scratchFolder, startClickhouse, startPostgres } from './engines.js';
import { residentBytes } from './processes.js';
import { call, type Running, startProgram, startService, until } from './services.js';

export type LogKind = 'embedded' | 'kafka';

/** Of a chunk on its way to the log: as if it lay in another country. */
const SLOW_LOG_MS = 100;
const SAMPLE_EVERY_MS = 2_000;

export type Limits = Readonly<Partial<Record<'experiments' | 'assignment' | 'ingestion' | 'analysis', Readonly<Record<string, string>>>>>;

export interface OverloadWorld {
  readonly door: Running;
  readonly store: Engine;
  readonly toLog: Line;
  readonly toStore: Line;
  /** By name. */
  readonly processes: Readonly<Record<string, Running>>;
  /** Messages by which the store lies behind, as freshness tells it. */
  lag(): Promise<number>;
  stop(): Promise<void>;
}

interface LogServer {
  readonly line: Line;
  /** Of those whose way to the log is slow, and of analysis. */
  readonly env: Readonly<Record<'writers' | 'analysis', Readonly<Record<string, string>>>>;
  stop(): Promise<void>;
}

/** Analysis reads it directly: it is to fall behind by the store alone, and to catch up as fast as it can. */
const embeddedLog = async (postgres: Engine): Promise<LogServer> => {
  const line = await lineBefore(postgres.url);
  line.slowMs = SLOW_LOG_MS;
  return {
    line,
    env: { writers: { RAMPART_DATABASE_URL: through(postgres.url, line.port) }, analysis: { RAMPART_DATABASE_URL: postgres.url } },
    stop: () => line.close(),
  };
};

/** A broker has one address for all: what goes to it is slow, what comes from it is not, so that reading is not what holds analysis up. */
const kafkaLog = async (): Promise<LogServer> => {
  const lines: Line[] = [];
  const before = async (port: number) => {
    const line = await Line.before('127.0.0.1', port);
    lines.push(line);
    return line.port;
  };
  const kafka: OwnKafka = await ownKafka({ through: before });
  const [line] = lines;
  if (line === undefined) throw new Error('the broker has no line before it');
  line.slowMs = SLOW_LOG_MS;
  line.slows = 'requests';
  const env = { KAFKA_BROKERS: kafka.brokers };
  return {
    line,
    env: { writers: env, analysis: env },
    stop: async () => {
      await kafka.stop();
      await line.close();
    },
  };
};

/** @param limits  settings of single services */
export const startWorld = async (kind: LogKind, limits: Limits = {}): Promise<OverloadWorld> => {
  const folder = scratchFolder('overload');
  // One after the other: Jest links no two modules that share others at once.
  const postgres = await startPostgres(join(folder, 'p'));
  const store = await startClickhouse(join(folder, 'c'));
  const stops = [() => remove(folder), () => Promise.all([postgres.stop(), store.stop()])];
  const stop = async () => {
    for (const one of stops.toReversed()) await one();
  };
  try {
    const log = await (kind === 'kafka' ? kafkaLog() : embeddedLog(postgres));
    stops.push(log.stop);
    const toStore = await lineBefore(store.url);
    stops.push(() => toStore.close());
    const processes: Record<string, Running> = {};
    stops.push(() => Promise.all(Object.values(processes).map((one) => one.stop())));
    const { writers } = log.env;
    const start = async (name: keyof Limits, env: Readonly<Record<string, string>>) => {
      const service = await startService(name, { ...env, ...limits[name] });
      processes[name] = service;
      return service;
    };
    await start('experiments', { ...log.env.analysis, RAMPART_DATABASE_URL: postgres.url });
    const [, , analysis] = await Promise.all([
      start('ingestion', writers),
      start('assignment', { ...writers, RAMPART_ASSIGNMENT_FOLDER: join(folder, 'a') }),
      start('analysis', { ...log.env.analysis, RAMPART_CLICKHOUSE_URL: through(store.url, toStore.port) }),
    ]);
    const door = await startDoor(processes);
    processes['front door'] = door;
    return { door, store, toLog: log.line, toStore, processes, lag: () => lagOf(analysis), stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

export interface Sample {
  readonly atMs: number;
  /** NaN when it was not told. */
  readonly lag: number;
  readonly bytes: Readonly<Record<string, number>>;
}

export const residents = (processes: Readonly<Record<string, Running>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(processes).map(([name, { pid }]) => [name, residentBytes(pid)]));

/** Looks at the processes until it is stopped. */
export const watch = ({ processes, lag }: OverloadWorld) => {
  const samples: Sample[] = [];
  const begun = performance.now();
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const bytes = residents(processes);
      samples.push({ atMs: performance.now() - begun, lag: await lag().catch(() => Number.NaN), bytes });
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

export const writeKey = async (url: string): Promise<string> => {
  await call(url, 'POST', '/v1/projects', { key: 'bench', name: 'Benchmarks' });
  await call(url, 'POST', '/v1/environments?project=bench', { key: 'production', kind: 'live' });
  const { key } = await call<{ key: string }>(url, 'POST', '/v1/keys?project=bench', {
    name: 'bench',
    role: 'emit',
    environment: 'production',
  });
  return key;
};

const lagOf = async (analysis: Running): Promise<number> => {
  const { partitions } = await call<{ partitions: readonly { topic: string; lag: number }[] }>(
    analysis.url,
    'GET',
    '/v1/analysis/freshness',
  );
  return partitions.filter(({ topic }) => topic === 'feedback.v1').reduce((sum, one) => sum + one.lag, 0);
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
