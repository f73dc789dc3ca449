/** What assignment is asked over OFREP, and by how many: flags with an experiment each, units that are new or were seen before. */
import { type LoadResult, run } from './load.js';
import { cpuMs } from './processes.js';
import { count, median } from './table.js';

export const CONNECTIONS = 16;
export const SECONDS = Number(process.env.RAMPART_BENCH_SECONDS ?? 10);
export const FLAGS = 100;
export const ONE_FLAG = '/ofrep/v1/evaluate/flags/flag-1';
export const ALL_FLAGS = '/ofrep/v1/evaluate/flags';
const PROJECT = 'bench';

export interface Loaded extends LoadResult {
  readonly perSecond: number;
  /** Of the server's process, per request; undefined where there are several. */
  readonly cpuUs: number | undefined;
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

export const contexts = (name: string, units: number): readonly Buffer[] =>
  Array.from({ length: units }, (_, n) =>
    Buffer.from(
      JSON.stringify({ context: { targetingKey: `${name}-${n}-6f1ed002ab5595859014`, country: n % 3 === 0 ? 'DE' : 'NZ', age: n % 90 } }),
    ),
  );

/** @param server  with a pid, whose CPU is measured */
export const loaded = async (
  server: { readonly url: string; readonly pid?: number },
  path: string,
  bodies: readonly Buffer[],
  headers: Readonly<Record<string, string>>,
  { seconds, perSecond }: { readonly seconds: number; readonly perSecond?: number },
): Promise<Loaded> => {
  const cpu = () => (server.pid === undefined ? Number.NaN : cpuMs(server.pid));
  const before = cpu();
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
    cpuUs: server.pid === undefined ? undefined : ((cpu() - before) * 1_000) / result.events,
    p99: p99Of(result.latencies),
    p99OfSecond: p99OfMedianSecond(result),
  };
};

export const p99Text = ({ p99, p99OfSecond }: Loaded): string =>
  `${p99OfSecond.toFixed(1)} ms in the median second, ${p99.toFixed(1)} ms over all`;

export const figureOf = (loaded: Loaded): string => {
  const cpu = loaded.cpuUs === undefined ? '' : `; ${loaded.cpuUs.toFixed(0)} µs CPU each`;
  const refused = loaded.refused > 0 ? `; ${loaded.refused} refused` : '';
  return `${count(loaded.perSecond)} requests/s; p50 ${median(loaded.latencies).toFixed(1)}, p99 ${p99Text(loaded)}${cpu}${refused}`;
};

/** As admin; throws unless it is answered with success. */
type Call = <T>(method: string, path: string, body?: unknown) => Promise<T>;

/** Features with an experiment each, one in five with two conditions. @returns a client key */
export const defineFlags = async (call: Call, flags = FLAGS): Promise<string> => {
  const at = `?project=${PROJECT}`;
  await call('POST', '/v1/projects', { key: PROJECT, name: 'Benchmarks' });
  await call('POST', `/v1/environments${at}`, { key: 'production', kind: 'live' }).catch(() => undefined);
  await call('PUT', `/v1/metrics/converted${at}`, {
    ...{
      key: 'converted',
      name: 'Converted',
      type: 'proportion',
      unitType: 'user',
      numerator: { event: 'purchase' },
      windowUs: 60_000_000,
    },
  });
  for (let n = 0; n < flags; n += 1) {
    const variants = [
      { key: 'off', value: false },
      { key: 'on', value: true },
    ];
    await call('POST', `/v1/features${at}`, {
      ...{ key: `flag-${n}`, name: `Flag ${n}`, valueType: 'boolean', variants, defaultVariant: 'off' },
    });
    await call('POST', `/v1/experiments${at}`, {
      ...{ key: `experiment-${n}`, name: `Experiment ${n}`, feature: `flag-${n}`, assignment: 'rampart', control: 'off' },
      variants: [{ key: 'off' }, { key: 'on' }],
      metrics: [{ metric: 'converted', role: 'success' }],
      ...(n % 5 === 0 ? { targeting: { country: { $in: ['DE', 'NZ'] }, age: { $gte: 18 } } } : {}),
    });
    await call('POST', `/v1/experiments/experiment-${n}/start${at}&environment=production`, {});
  }
  const { key } = await call<{ key: string }>('POST', `/v1/keys${at}`, { name: 'bench', role: 'client', environment: 'production' });
  return key;
};

/** Whether a process that assigns knows all flags. */
export const knowsFlags = async (url: string, key: string, flags = FLAGS): Promise<boolean> => {
  const answer = await fetch(`${url}${ALL_FLAGS}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-rampart-exposure': 'none' },
    body: '{"context":{"targetingKey":"probe"}}',
  });
  return answer.status === 200 && ((await answer.json()) as { flags: unknown[] }).flags.length === flags;
};
