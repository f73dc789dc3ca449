/** HTTP → log → store on three brokers and two shards, each service twice: through the door while everything runs, and what has gathered while analysis was away. */
import { type Deployment, startDeployment } from '../journeys/deployment.js';
import { type LoadResult, metricBodies, run } from './load.js';
import { until } from './services.js';
import { count, type Measurement, median } from './table.js';

const PER_BODY = 100;
const CONNECTIONS = 8;
const SECONDS = 15;
/** Less than a member's session at Kafka: who stands still longer loses its partitions, and the group shares anew. */
const AWAY_SECONDS = 8;
const AT = '?project=bench';
const plain = { yardstick: '–', ratio: '–' } as const;

type Say = (line: string) => void;

export const ingestionClusterBench = async (say: Say): Promise<readonly Measurement[]> => {
  const deployment = await startDeployment({ env: { RAMPART_LOOK_INTERVAL_MS: '2000' } });
  try {
    const key = await writeKey(deployment);
    const load = (name: string, seconds: number) => loaded(deployment, key, name, seconds);
    await until('the write key is known', async () => (await load('known', 0.2)).events > 0, 20_000);
    say('ingestion-cluster: loading');
    const beside = await load('beside', SECONDS);
    await storedAll(deployment);
    const analysis = ['analysis-1', 'analysis-2'].map((name) => deployment.member(name));
    const rowsBefore = await rowsStored(deployment);
    for (const one of analysis) one.signal('SIGSTOP');
    const alone = await load('alone', AWAY_SECONDS);
    say(`ingestion-cluster: ${count(alone.events)} events wait in the log`);
    for (const one of analysis) one.signal('SIGCONT');
    const begun = performance.now();
    // What a process tells of its lag is as old as it has been away.
    await until('what waited is stored', async () => (await rowsStored(deployment)) >= rowsBefore + alone.events, 300_000, 50);
    const perSecond = (alone.events * 1_000) / (performance.now() - begun);
    const what = `ingestion HTTP → log on three brokers, batches of ${PER_BODY}, ${CONNECTIONS} connections through the front door`;
    return [
      doorRow(`${what}, while two analysis processes store them`, beside),
      doorRow(`${what}, while analysis is away`, alone),
      {
        what: 'log on three brokers → two shards, two analysis processes that catch up',
        figure: `${count(perSecond)} events/s`,
        target: 'stated',
        meets: true,
        ...plain,
      },
    ];
  } finally {
    await deployment.stop();
    deployment.remove();
  }
};

const doorRow = (what: string, { events, elapsedMs, latencies, refused }: LoadResult): Measurement => {
  const p99 = [...latencies].sort((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
  const perSecond = (events * 1_000) / elapsedMs;
  const figure = `${count(perSecond)} events/s; answer p50 ${median(latencies).toFixed(1)}, p99 ${p99.toFixed(1)} ms; ${count(refused)} refused`;
  return { what, figure, target: 'stated', meets: true, ...plain };
};

const loaded = ({ address }: Deployment, key: string, name: string, seconds: number): Promise<LoadResult> =>
  run({
    url: `${address}/v1/events`,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents-batch+json' },
    bodies: metricBodies({ bodies: Math.ceil(seconds * 300), perBody: PER_BODY, units: 200_000, run: name }),
    ...{ eventsPerBody: PER_BODY, connections: CONNECTIONS, durationMs: seconds * 1_000 },
  });

const writeKey = async ({ call }: Deployment): Promise<string> => {
  await call('POST', '/v1/projects', { key: 'bench', name: 'Benchmarks' });
  await call('POST', `/v1/environments${AT}`, { key: 'production', kind: 'live' });
  const { body } = await call('POST', `/v1/keys${AT}`, { name: 'bench', role: 'emit', environment: 'production' });
  return body.key;
};

/** By both processes. */
const rowsStored = async (deployment: Deployment): Promise<number> => {
  const texts = await Promise.all(
    ['analysis-1', 'analysis-2'].map(async (name) => (await fetch(`${deployment.member(name).address}/metrics`)).text()),
  );
  return texts.reduce((sum, text) => sum + Number(/^rampart_feedback_rows_total\{[^}]*\} (\S+)$/m.exec(text)?.[1] ?? 0), 0);
};

/** Each process tells how far it is behind in its own partitions. */
const storedAll = async (deployment: Deployment): Promise<void> => {
  const lag = async () => {
    const texts = await Promise.all(
      ['analysis-1', 'analysis-2'].map(async (name) => (await fetch(`${deployment.member(name).address}/metrics`)).text()),
    );
    const lines = texts.flatMap((text) =>
      text.split('\n').filter((line) => line.startsWith('rampart_consumer_lag_messages{topic="feedback.v1"')),
    );
    if (lines.length < 2) throw new Error('analysis tells no lag');
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  await until('the store has caught up', async () => (await lag()) <= 8, 300_000, 50);
};
