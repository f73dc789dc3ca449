/** OFREP over HTTP, one assignment process: one flag and all flags, counted and not, beside node:http that parses the same and answers as much. */
import { join } from 'node:path';
import { remove, repository, scratchFolder, startPostgres } from './engines.js';
import { type LoadResult, run } from './load.js';
import { cpuMs } from './processes.js';
import { call, type Running, startProgram, startService, until } from './services.js';
import { count, type Measurement, median, ratioOf } from './table.js';

const CONNECTIONS = 16;
const SECONDS = Number(process.env.RAMPART_BENCH_SECONDS ?? 10);
const FLAGS = 100;
const PROJECT = 'bench';

interface Loaded extends LoadResult {
  readonly perSecond: number;
  /** Of the server process, per request. */
  readonly cpuUs: number;
  readonly p99: number;
  /**
   * The median over the seconds of the run, in ms: one pause of 50 ms of the load generator, which shares the cores, is more than 1 % of all requests of five seconds.
   */
  readonly p99OfSecond: number;
}

const p99Of = (latencies: readonly number[]): number =>
  [...latencies].sort((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? Number.NaN;

const p99OfMedianSecond = ({ latencies, dueAt }: LoadResult): number => {
  const seconds = new Map<number, number[]>();
  latencies.forEach((latency, nth) => {
    const second = Math.floor((dueAt[nth] ?? 0) / 1_000);
    const others = seconds.get(second);
    if (others === undefined) seconds.set(second, [latency]);
    else others.push(latency);
  });
  return median([...seconds.values()].map(p99Of));
};

const contexts = (name: string, units: number): readonly Buffer[] =>
  Array.from({ length: units }, (_, n) =>
    Buffer.from(
      JSON.stringify({ context: { targetingKey: `${name}-${n}-6f1ed002ab5595859014`, country: n % 3 === 0 ? 'DE' : 'NZ', age: n % 90 } }),
    ),
  );

const loaded = async (
  server: Running,
  path: string,
  bodies: readonly Buffer[],
  headers: Readonly<Record<string, string>>,
  { seconds, perSecond }: { readonly seconds: number; readonly perSecond?: number },
): Promise<Loaded> => {
  const before = cpuMs(server.pid);
  const result = await run({
    url: `${server.url}${path}`,
    headers: { 'content-type': 'application/json', ...headers },
    ...{
      bodies,
      eventsPerBody: 1,
      connections: CONNECTIONS,
      durationMs: seconds * 1_000,
      ...(perSecond === undefined ? {} : { perSecond }),
    },
  });
  return {
    ...result,
    perSecond: result.events / (result.elapsedMs / 1_000),
    cpuUs: ((cpuMs(server.pid) - before) * 1_000) / result.events,
    p99: p99Of(result.latencies),
    p99OfSecond: p99OfMedianSecond(result),
  };
};

/** A hundred features with an experiment each, one in five with two conditions. @returns a client key */
const define = async (experiments: Running): Promise<string> => {
  const at = `?project=${PROJECT}`;
  await call(experiments.url, 'POST', '/v1/projects', { key: PROJECT, name: 'Benchmarks' });
  await call(experiments.url, 'POST', `/v1/environments${at}`, { key: 'production', kind: 'live' }).catch(() => undefined);
  await call(experiments.url, 'PUT', `/v1/metrics/converted${at}`, {
    ...{
      key: 'converted',
      name: 'Converted',
      type: 'proportion',
      unitType: 'user',
      numerator: { event: 'purchase' },
      windowUs: 60_000_000,
    },
  });
  for (let n = 0; n < FLAGS; n += 1) {
    const variants = [
      { key: 'off', value: false },
      { key: 'on', value: true },
    ];
    await call(experiments.url, 'POST', `/v1/features${at}`, {
      ...{ key: `flag-${n}`, name: `Flag ${n}`, valueType: 'boolean', variants, defaultVariant: 'off' },
    });
    await call(experiments.url, 'POST', `/v1/experiments${at}`, {
      ...{ key: `experiment-${n}`, name: `Experiment ${n}`, feature: `flag-${n}`, assignment: 'rampart', control: 'off' },
      variants: [{ key: 'off' }, { key: 'on' }],
      metrics: [{ metric: 'converted', role: 'success' }],
      ...(n % 5 === 0 ? { targeting: { country: { $in: ['DE', 'NZ'] }, age: { $gte: 18 } } } : {}),
    });
    await call(experiments.url, 'POST', `/v1/experiments/experiment-${n}/start${at}&environment=production`, {});
  }
  const { key } = await call<{ key: string }>(experiments.url, 'POST', `/v1/keys${at}`, {
    name: 'bench',
    role: 'client',
    environment: 'production',
  });
  return key;
};

const p99Text = ({ p99, p99OfSecond }: Loaded): string =>
  `${p99OfSecond.toFixed(1)} ms in the median second, ${p99.toFixed(1)} ms over all`;

const row = (what: string, ours: Loaded, bare: Loaded, target: string, meets: boolean): Measurement => ({
  what,
  figure: `${count(ours.perSecond)} requests/s; p50 ${median(ours.latencies).toFixed(1)}, p99 ${p99Text(ours)}; ${ours.cpuUs.toFixed(0)} µs CPU each${
    ours.refused > 0 ? `; ${ours.refused} refused` : ''
  }`,
  target,
  meets: meets && ours.refused === 0,
  yardstick: `bare node:http, same bytes: ${count(bare.perSecond)} requests/s, p99 ${p99Text(bare)}, ${bare.cpuUs.toFixed(0)} µs`,
  ratio: `${ratioOf(ours.perSecond, bare.perSecond)}, CPU ${ratioOf(ours.cpuUs, bare.cpuUs)}`,
});

const measure = async (assignment: Running, key: string, say: (line: string) => void): Promise<readonly Measurement[]> => {
  const authorization = `Bearer ${key}`;
  const uncounted = { authorization, 'x-rampart-exposure': 'none' };
  const single = '/ofrep/v1/evaluate/flags/flag-1';
  const all = '/ofrep/v1/evaluate/flags';
  const answerOf = async (path: string) => {
    const headers = { ...uncounted, 'content-type': 'application/json' };
    const answer = await fetch(`${assignment.url}${path}`, { method: 'POST', headers, body: contexts('size', 1).join('') });
    return answer.text();
  };
  const bareOf = async (path: string) =>
    startProgram(join(repository, 'test/dist/bench/bare-answer-server.js'), { ANSWER: await answerOf(path) });
  const [bareSingle, bareAll] = [await bareOf(single), await bareOf(all)];
  try {
    const some = contexts('some', 20_000);
    await loaded(assignment, single, some, uncounted, { seconds: 2 });
    await loaded(assignment, all, some, uncounted, { seconds: 2 });
    say('assignment-http: one flag');
    const yardstick = await loaded(bareSingle, '/', some, {}, { seconds: SECONDS / 2 });
    const one = await loaded(assignment, single, some, uncounted, { seconds: SECONDS });
    const counted = await loaded(assignment, single, contexts('new', SECONDS * 20_000), { authorization }, { seconds: SECONDS });
    const again = await loaded(assignment, single, contexts('new', 20_000), { authorization }, { seconds: SECONDS });
    const half = { seconds: SECONDS, perSecond: Math.floor(again.perSecond / 2) };
    const atHalf = await loaded(assignment, single, contexts('new', 20_000), { authorization }, half);
    const halfOfNew = { seconds: SECONDS, perSecond: Math.floor(counted.perSecond / 2) };
    const newAtHalf = await loaded(assignment, single, contexts('light', SECONDS * 20_000), { authorization }, halfOfNew);
    const bareAtHalf = await loaded(bareSingle, '/', some, {}, half);
    say('assignment-http: all flags');
    const yardstickAll = await loaded(bareAll, '/', some, {}, { seconds: SECONDS / 2 });
    const many = await loaded(assignment, all, some, uncounted, { seconds: SECONDS });
    const places = `${CONNECTIONS} connections, load generator on the same cores`;
    return [
      row(`OFREP, one flag, not counted (${places})`, one, yardstick, 'stated', true),
      row('OFREP, one flag, each for a new unit: its exposure is on the disk before the answer', counted, yardstick, 'stated', true),
      row('the same at half of that load', newAtHalf, bareAtHalf, 'p99 < 5 ms', newAtHalf.p99 < 5),
      row('OFREP, one flag, units seen before', again, yardstick, 'stated', true),
      row('the same at half of that load', atHalf, bareAtHalf, 'p99 < 5 ms', atHalf.p99 < 5),
      row(`OFREP, all ${FLAGS} flags, not counted`, many, yardstickAll, 'stated', true),
    ];
  } finally {
    await Promise.all([bareSingle.stop(), bareAll.stop()]);
  }
};

export const assignmentHttpBench = async (say: (line: string) => void): Promise<readonly Measurement[]> => {
  const folder = scratchFolder('assignment-http');
  const postgres = await startPostgres(join(folder, 'p'));
  const environment = { RAMPART_DATABASE_URL: postgres.url, RAMPART_ASSIGNMENT_FOLDER: join(folder, 'a') };
  const services: Running[] = [];
  try {
    const experiments = await startService('experiments', environment);
    services.push(experiments);
    const key = await define(experiments);
    const assignment = await startService('assignment', environment);
    services.push(assignment);
    await until(
      'the flags are known',
      async () => {
        const answer = await fetch(`${assignment.url}/ofrep/v1/evaluate/flags`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-rampart-exposure': 'none' },
          body: '{"context":{"targetingKey":"probe"}}',
        });
        return answer.status === 200 && ((await answer.json()) as { flags: unknown[] }).flags.length === FLAGS;
      },
      20_000,
    );
    return await measure(assignment, key, say);
  } finally {
    await Promise.all(services.map((service) => service.stop()));
    await postgres.stop();
    remove(folder);
  }
};
