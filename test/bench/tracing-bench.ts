/** What traces cost in ingestion: off, on with nothing sampled, on with everything sampled; the same load in turns, CPU of the process per event. */
import { join } from 'node:path';
import { remove, repository, scratchFolder, startPostgres } from './engines.js';
import { metricBodies, run } from './load.js';
import { cpuMs } from './processes.js';
import { call, type Running, startProgram, startService, until } from './services.js';
import { type Measurement, median, ratioOf } from './table.js';

const PER_BODY = 100;
const CONNECTIONS = 8;
const ROUNDS = 5;
const SECONDS = 4;

interface Contender {
  readonly what: string;
  readonly target: string;
  readonly meets: (ratio: number) => boolean;
  readonly environment: Readonly<Record<string, string>>;
}

const contenders = (collector: string): readonly Contender[] => [
  { what: 'off', target: 'yardstick', meets: () => true, environment: {} },
  {
    ...{ what: 'on, nothing sampled', target: 'stated', meets: () => true },
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_TRACES_SAMPLER_ARG: '0' },
  },
  {
    ...{ what: 'on, every request sampled', target: '≤ 1.25 ×', meets: (ratio: number) => ratio <= 1.25 },
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_TRACES_SAMPLER_ARG: '1' },
  },
];

const keyOf = async (experiments: Running): Promise<string> => {
  await call(experiments.url, 'POST', '/v1/projects', { key: 'bench', name: 'Benchmarks' });
  await call(experiments.url, 'POST', '/v1/environments?project=bench', { key: 'production', kind: 'live' });
  const asked = { name: 'bench', role: 'emit', environment: 'production' };
  return (await call<{ key: string }>(experiments.url, 'POST', '/v1/keys?project=bench', asked)).key;
};

/** @returns microseconds of the server's CPU per event */
const cpuOf = async (server: Running, key: string, name: string, seconds: number): Promise<number> => {
  const bodies = metricBodies({ bodies: seconds * 1_000, perBody: PER_BODY, units: 200_000, run: name });
  const before = cpuMs(server.pid);
  const { events } = await run({
    url: `${server.url}/v1/events`,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json' },
    ...{ bodies, eventsPerBody: PER_BODY, connections: CONNECTIONS, durationMs: seconds * 1_000 },
  });
  return ((cpuMs(server.pid) - before) * 1_000) / events;
};

export const tracingBench = async (say: (line: string) => void): Promise<readonly Measurement[]> => {
  const folder = scratchFolder('tracing');
  const postgres = await startPostgres(join(folder, 'p'));
  const running: Running[] = [];
  const started = async (starting: Promise<Running>): Promise<Running> => {
    const one = await starting;
    running.push(one);
    return one;
  };
  try {
    const environment = { RAMPART_DATABASE_URL: postgres.url };
    const key = await keyOf(await started(startService('experiments', environment)));
    const collector = await started(startProgram(join(repository, 'test/dist/bench/bare-server.js'), {}));
    const all = contenders(collector.url);
    const servers = [];
    for (const one of all) servers.push(await started(startService('ingestion', { ...environment, ...one.environment })));
    for (const server of servers) {
      const probe = () =>
        fetch(`${server.url}/v1/events`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: '[]',
        });
      await until('the write key is known', async () => (await probe()).status === 202, 20_000);
      await cpuOf(server, key, `warm-${server.pid}`, 2);
    }
    const figures: number[][] = all.map(() => []);
    for (let round = 0; round < ROUNDS; round += 1) {
      say(`tracing: round ${round + 1} of ${ROUNDS}`);
      // In turns, so that whatever else the machine does falls on all of them.
      for (const [index, server] of servers.entries()) figures[index]?.push(await cpuOf(server, key, `${round}-${index}`, SECONDS));
    }
    const [off = Number.NaN, ...others] = figures.map(median);
    return [off, ...others].map((figure, index) => ({
      what: `ingestion's CPU per event with tracing ${all[index]?.what} (batches of ${PER_BODY}, median of ${ROUNDS} rounds in turns)`,
      figure: `${figure.toFixed(2)} µs`,
      target: all[index]?.target ?? '',
      meets: all[index]?.meets(figure / off) ?? false,
      yardstick: `off ${off.toFixed(2)} µs`,
      ratio: ratioOf(figure, off),
    }));
  } finally {
    await Promise.all(running.map((one) => one.stop()));
    await postgres.stop();
    remove(folder);
  }
};
