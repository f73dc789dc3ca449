/** OFREP through the front door before two assignment processes, on three brokers and two shards: answers, and the way of what was told into the store. */
import { type Deployment, startDeployment } from '../journeys/deployment.js';
import { CONNECTIONS, contexts, defineFlags, figureOf, knowsFlags, type Loaded, loaded, ONE_FLAG, SECONDS } from './ofrep-load.js';
import { until } from './services.js';
import { count, type Measurement, ratioOf, seconds } from './table.js';

/** Each is a comparison that is looked at every two seconds meanwhile. */
const RUNNING = 20;
const WARM_SECONDS = 5;
/** Less than a member's session at Kafka: who stands still longer loses its partitions, and the group shares anew. */
const AWAY_SECONDS = 8;
const ASSIGNING = ['assignment-1', 'assignment-2'] as const;

export const assignmentClusterBench = async (say: (line: string) => void): Promise<readonly Measurement[]> => {
  const deployment = await startDeployment({ env: { RAMPART_LOOK_INTERVAL_MS: '2000' } });
  try {
    const key = await defineFlags(async (method, path, body) => {
      const answer = await deployment.call(method, path, body);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    }, RUNNING);
    const places = ASSIGNING.map((name) => deployment.member(name).address);
    for (const place of places) await until('the flags are known', () => knowsFlags(place, key, RUNNING), 20_000);
    return await measure(deployment, places, key, say);
  } finally {
    await deployment.stop();
    deployment.remove();
  }
};

const measure = async (
  deployment: Deployment,
  places: readonly string[],
  key: string,
  say: (line: string) => void,
): Promise<readonly Measurement[]> => {
  const counted = { authorization: `Bearer ${key}` };
  const uncounted = { ...counted, 'x-rampart-exposure': 'none' };
  const [door, direct] = [{ url: deployment.address }, { url: places[0] ?? '' }];
  const some = contexts('some', 20_000);
  // Processes that have answered a few thousand requests run code that is compiled; brokers, too, take half the CPU that they take at first.
  for (const server of [...places.map((url) => ({ url })), door]) {
    await loaded(server, ONE_FLAG, some, uncounted, { seconds: WARM_SECONDS });
    await loaded(server, ONE_FLAG, contexts(`warm-${server.url}`, WARM_SECONDS * 20_000), counted, { seconds: WARM_SECONDS });
  }
  say('assignment-cluster: units that are not counted');
  const one = await loaded(door, ONE_FLAG, some, uncounted, { seconds: SECONDS });
  const oneAlone = await loaded(direct, ONE_FLAG, some, uncounted, { seconds: SECONDS });
  say('assignment-cluster: new units');
  const before = await told(deployment);
  const fresh = await loaded(door, ONE_FLAG, contexts('new', SECONDS * 20_000), counted, { seconds: SECONDS });
  const endedAt = performance.now();
  const { kept } = await told(deployment);
  await until('every exposure is in the log', async () => (await told(deployment)).waiting === 0, 120_000, 20);
  const drained = performance.now() - endedAt;
  const half = { seconds: SECONDS, perSecond: Math.floor(fresh.perSecond / 2) };
  const atHalf = await loaded(door, ONE_FLAG, contexts('light', SECONDS * 20_000), counted, half);
  say('assignment-cluster: while analysis stands still');
  const analysis = ['analysis-1', 'analysis-2'].map((name) => deployment.member(name));
  for (const one of analysis) one.signal('SIGSTOP');
  const beside = { seconds: AWAY_SECONDS, perSecond: half.perSecond };
  const still = await loaded(door, ONE_FLAG, contexts('still', AWAY_SECONDS * 20_000), counted, beside).finally(() => {
    for (const one of analysis) one.signal('SIGCONT');
  });
  return [
    row(
      `OFREP, one flag of ${RUNNING}, not counted, through the front door to two processes (${CONNECTIONS} connections)`,
      one,
      oneAlone,
      'stated',
      true,
    ),
    row('OFREP, one flag, each for a new unit: its exposure is on the disk before the answer', fresh, oneAlone, 'stated', true),
    row('the same at half of that load', atHalf, oneAlone, 'p99 < 5 ms', atHalf.p99 < 5),
    row('the same while analysis stands still, whose shards flush the same disk else', still, oneAlone, 'p99 < 5 ms', still.p99 < 5),
    {
      what: 'exposures that were answered and are kept; until the last of them is on three brokers',
      figure: `${count(kept - before.kept)} of ${count(fresh.events)}; ${seconds(drained)}`,
      target: 'all',
      meets: kept - before.kept === fresh.events,
      ...{ yardstick: '–', ratio: '–' },
    },
  ];
};

const row = (what: string, ours: Loaded, alone: Loaded, target: string, meets: boolean): Measurement => ({
  what,
  figure: figureOf(ours),
  target,
  meets: meets && ours.refused === 0,
  yardstick: `one process asked directly, not counted: ${count(alone.perSecond)} requests/s`,
  ratio: ratioOf(ours.perSecond, alone.perSecond),
});

/** By both processes: exposures that are durable there, and rows that the log does not have yet. */
const told = async (deployment: Deployment): Promise<{ readonly kept: number; readonly waiting: number }> => {
  const texts = await Promise.all(ASSIGNING.map(async (name) => (await fetch(`${deployment.member(name).address}/metrics`)).text()));
  const lines = texts.flatMap((text) => text.split('\n'));
  const sum = (start: string) =>
    lines.filter((line) => line.startsWith(start)).reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
  return { kept: sum('rampart_assignment_exposures_total{'), waiting: sum('rampart_assignment_spool_rows{') };
};
