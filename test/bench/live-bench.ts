/** From an event to a look: how long after its acknowledgement a verdict knows it, while traffic comes in; on one machine's platform, and distributed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LOOKS, type LookMessage } from '@rampart/contracts';
import type { EventLog } from '@rampart/event-log';
import { KafkaEventLog } from '@rampart/event-log/kafka';
import { PostgresEventLog } from '@rampart/event-log/postgres';
import { startDeployment } from '../journeys/deployment.js';
import { startLive, stream } from '../journeys/live.js';
import { type Platform, startPlatform } from '../journeys/platform.js';
import { settingsOf } from '../journeys/twin.js';
import { count, type Measurement, seconds } from './table.js';

const EXPERIMENTS = 20;
const PROBES = 60;
const EVERY_MS = 500;

interface Arrived {
  readonly atUs: number;
  readonly knownUntilUs: number;
}

const share = (values: readonly number[], of: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(of * sorted.length) - 1)] ?? Number.NaN;
};

type Say = (line: string) => void;

export const liveBench = async (say: Say): Promise<readonly Measurement[]> => {
  const platform = await startPlatform({ log: 'embedded' });
  const url = settingsOf(platform.processes().analysis ?? 0).RAMPART_DATABASE_URL;
  if (url === undefined) throw new Error('the platform has no log in PostgreSQL');
  return liveOn(platform, new PostgresEventLog({ url }), say);
};

/** Three brokers, two shards, each service twice; looks as often as anywhere else. */
export const liveClusterBench = async (say: Say): Promise<readonly Measurement[]> => {
  const deployment = await startDeployment({ env: { RAMPART_LOOK_INTERVAL_MS: '2000' } });
  return liveOn(deployment, new KafkaEventLog({ brokers: deployment.engines.kafka.brokers.split(',') }), say);
};

const liveOn = async (platform: Platform, log: EventLog, say: Say): Promise<readonly Measurement[]> => {
  const looks: Arrived[] = [];
  let isOver = false;
  try {
    const settings = [];
    for (let index = 0; index < EXPERIMENTS; index++) settings.push(await startLive(platform, { experiment: `bench-${index}` }));
    const [first] = settings;
    if (first === undefined) throw new Error('no experiment');
    const following = log.follow({
      topic: LOOKS,
      onBatch: async ({ messages }) => {
        const atUs = Date.now() * 1000;
        for (const { value } of messages) {
          const look = value === null ? undefined : (JSON.parse(Buffer.from(value).toString('utf8')) as LookMessage);
          if (look?.experiment === first.experiment) looks.push({ atUs, knownUntilUs: look.knownUntilUs });
        }
      },
    });
    await following.caughtUp;
    const behaviour = { buysOneIn: { control: 4, treatment: 4 } };
    const streams = settings.slice(0, 3).map((setting) => stream(platform, setting, behaviour, () => isOver));
    await sleep(5_000);
    const acknowledged: number[] = [];
    for (let probe = 0; probe < PROBES; probe++) {
      const event = { specversion: '1.0', id: `probe-${probe}`, source: 'bench', type: 'metric.v1' };
      const data = { unit: { type: 'user', id: `probe-${probe}` }, name: 'probe' };
      await platform.call('POST', '/v1/events', [{ ...event, data }], { key: first.key });
      // Of the machine that stamps known times, too: the event is known by now.
      acknowledged.push(Date.now() * 1000);
      await sleep(EVERY_MS);
    }
    await sleep(5_000);
    isOver = true;
    await Promise.all(streams);
    const waits = acknowledged.map((atUs) => {
      const look = looks.find(({ knownUntilUs }) => knownUntilUs >= atUs);
      return look === undefined ? Number.POSITIVE_INFINITY : (look.atUs - atUs) / 1000;
    });
    const [half, most] = [share(waits, 0.5), share(waits, 0.99)];
    say(`live: ${count(looks.length)} looks seen, event to look p50 ${seconds(half)}, p99 ${seconds(most)}`);
    const plain = { yardstick: 'a tick each second, a look each two', ratio: '–' };
    return [
      {
        what: `an event acknowledged until a look of ${EXPERIMENTS} experiments knows it, p50`,
        figure: seconds(half),
        target: '< 5 s',
        meets: half < 5_000,
        ...plain,
      },
      { what: 'the same, p99', figure: seconds(most), target: '< 10 s', meets: most < 10_000, ...plain },
    ];
  } finally {
    isOver = true;
    await log.close();
    await platform.stop();
    platform.remove();
  }
};
