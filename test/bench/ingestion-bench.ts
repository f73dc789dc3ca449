/** HTTP → durable log, one ingestion process; then the same log → feedback store, one analysis process. */
import { join } from 'node:path';
import { clickhouse, type Engine, remove, repository, scratchFolder, startClickhouse, startPostgres } from './engines.js';
import { type LoadResult, metricBodies, run } from './load.js';
import { cpuMs } from './processes.js';
import { call, type Running, startProgram, startService, until } from './services.js';
import { count, type Measurement, median, ratioOf } from './table.js';

const PER_BODY = 100;
const CONNECTIONS = 8;
const SECONDS = 20;
const RAW_BATCH = 100_000;
const RAW_ROUNDS = 5;

interface Loaded extends LoadResult {
  readonly perSecond: number;
  /** Of the server process, per event. */
  readonly cpuUs: number;
}

const loaded = async (server: Running, path: string, key: string, name: string, seconds: number): Promise<Loaded> => {
  const bodies = metricBodies({ bodies: seconds * 2_500, perBody: PER_BODY, units: 200_000, run: name });
  const before = cpuMs(server.pid);
  const result = await run({
    url: `${server.url}${path}`,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json' },
    bodies,
    eventsPerBody: PER_BODY,
    connections: CONNECTIONS,
    durationMs: seconds * 1000,
  });
  const perSecond = result.events / (result.elapsedMs / 1000);
  return { ...result, perSecond, cpuUs: ((cpuMs(server.pid) - before) * 1000) / result.events };
};

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;

const writeKey = async (experiments: Running): Promise<string> => {
  await call(experiments.url, 'POST', '/v1/projects', { key: 'bench', name: 'Benchmarks' });
  await call(experiments.url, 'POST', '/v1/environments?project=bench', { key: 'production', kind: 'live' });
  const { key } = await call<{ key: string }>(experiments.url, 'POST', '/v1/keys?project=bench', {
    name: 'bench',
    role: 'emit',
    environment: 'production',
  });
  return key;
};

const ingestionRows = async (
  ingestion: Running,
  key: string,
  say: (line: string) => void,
): Promise<{ rows: readonly Measurement[]; events: number }> => {
  const bare = await startProgram(join(repository, 'test/dist/bench/bare-server.js'), {});
  try {
    await loaded(ingestion, '/v1/events', key, 'warm', 3);
    say('ingestion: loading');
    const yardstick = await loaded(bare, '/', key, 'bare', 5);
    const ours = await loaded(ingestion, '/v1/events', key, 'full', SECONDS);
    if (ours.refused > 0) say(`ingestion refused ${ours.refused} requests`);
    const rows: readonly Measurement[] = [
      {
        what: `ingestion HTTP → durable log, batches of ${PER_BODY}, ${CONNECTIONS} connections (load generator on the same cores)`,
        figure: `${count(ours.perSecond)} events/s; answer p50 ${median(ours.latencies).toFixed(1)}, p99 ${percentile(ours.latencies, 0.99).toFixed(1)} ms`,
        target: '≥ 50,000 events/s',
        meets: ours.perSecond >= 50_000,
        yardstick: `bare node:http + JSON.parse ${count(yardstick.perSecond)} events/s`,
        ratio: ratioOf(ours.perSecond, yardstick.perSecond),
      },
      {
        what: 'its CPU per event',
        figure: `${ours.cpuUs.toFixed(2)} µs`,
        target: 'stated',
        meets: true,
        yardstick: `bare ${yardstick.cpuUs.toFixed(2)} µs`,
        ratio: ratioOf(ours.cpuUs, yardstick.cpuUs),
      },
    ];
    return { rows, events: ours.events };
  } finally {
    await bare.stop();
  }
};

/** The rows that are in the store, encoded by the engine itself, inserted into a plain table of the same columns and order. */
const rawInsert = async (engine: Engine): Promise<number> => {
  const columns =
    'scope, unit, id_hash, space, event_at, known_at, position, digest, key, kind, value, strings, numbers, booleans, millionths';
  const target = new URL(engine.url);
  const headers = { 'X-ClickHouse-User': target.username, 'X-ClickHouse-Key': target.password };
  target.username = '';
  target.password = '';
  const select = new URL(target);
  select.searchParams.set('query', `SELECT ${columns} FROM rampart.feedback LIMIT ${RAW_BATCH} FORMAT RowBinary`);
  const bytes = await (await fetch(select, { headers })).arrayBuffer();
  await clickhouse(engine.url, `CREATE TABLE rampart.raw AS rampart.feedback ENGINE = MergeTree ORDER BY (scope, unit, id_hash)`);
  const insert = new URL(target);
  insert.searchParams.set('query', `INSERT INTO rampart.raw (${columns}) FORMAT RowBinary`);
  insert.searchParams.set('async_insert', '0');
  const begun = performance.now();
  for (let round = 0; round < RAW_ROUNDS; round++) {
    const response = await fetch(insert, { method: 'POST', headers, body: bytes });
    if (!response.ok) throw new Error((await response.text()).split('\n')[0]);
  }
  return (RAW_BATCH * RAW_ROUNDS) / ((performance.now() - begun) / 1000);
};

const storeRow = async (database: string, engine: Engine, events: number, say: (line: string) => void): Promise<Measurement> => {
  const begun = performance.now();
  const analysis = await startService('analysis', { RAMPART_DATABASE_URL: database, RAMPART_CLICKHOUSE_URL: engine.url });
  try {
    say('store: reading the log');
    const lag = async () => {
      const { partitions } = await call<{ partitions: readonly { topic: string; lag: number }[] }>(
        analysis.url,
        'GET',
        '/v1/analysis/freshness',
      );
      return partitions.filter(({ topic }) => topic === 'feedback.v1').reduce((sum, one) => sum + one.lag, 0);
    };
    const stored = async () => Number(await clickhouse(engine.url, 'SELECT sum(rows) FROM rampart.arrival FINAL'));
    await until('the store has caught up', async () => (await stored()) > 0 && (await lag()) <= 8, 300_000);
    const elapsed = performance.now() - begun - analysis.listenedAfterMs;
    const rows = await stored();
    if (rows < events) throw new Error(`${count(events)} events were acknowledged, ${count(rows)} are stored`);
    const perSecond = rows / (elapsed / 1000);
    const raw = await rawInsert(engine);
    return {
      what: 'log → feedback store, one analysis process (its start left out)',
      figure: `${count(perSecond)} events/s`,
      target: '≥ 100,000 events/s',
      meets: perSecond >= 100_000,
      yardstick: `raw insert of the same rows ${count(raw)} rows/s`,
      ratio: ratioOf(perSecond, raw),
    };
  } finally {
    await analysis.stop();
  }
};

export const ingestionBench = async (say: (line: string) => void): Promise<readonly Measurement[]> => {
  const folder = scratchFolder('ingestion');
  const [postgres, store] = await Promise.all([startPostgres(join(folder, 'p')), startClickhouse(join(folder, 'c'))]);
  const environment = { RAMPART_DATABASE_URL: postgres.url };
  const services: Running[] = [];
  try {
    const experiments = await startService('experiments', environment);
    services.push(experiments);
    const key = await writeKey(experiments);
    const ingestion = await startService('ingestion', environment);
    services.push(ingestion);
    await until(
      'the write key is known',
      async () => {
        const probe = await fetch(`${ingestion.url}/v1/events`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
          body: '[]',
        });
        return probe.status !== 401 && probe.status !== 503;
      },
      20_000,
    );
    const { rows, events } = await ingestionRows(ingestion, key, say);
    say(`ingestion: ${count(events)} events are in the log`);
    await Promise.all(services.splice(0).map((service) => service.stop()));
    return [...rows, await storeRow(postgres.url, store, events, say)];
  } finally {
    await Promise.all(services.map((service) => service.stop()));
    await Promise.all([postgres.stop(), store.stop()]);
    remove(folder);
  }
};
