/** How fast all decision records are recounted: a platform with a hundred experiments whose definitions changed again and again, and the command of the CLI. */
import { startDeployment } from '../journeys/deployment.js';
import { rampart } from '../journeys/importer.js';
import { liveMetrics, liveUses, send, startLive, visits } from '../journeys/live.js';
import { eventually, type Platform, startPlatform } from '../journeys/platform.js';
import { count, type Measurement } from './table.js';

const RECORDS = Number(process.env.RAMPART_BENCH_RECORDS ?? 1_000);
const EXPERIMENTS = 50;
const UNITS = 500;
const PROJECT = 'live';

interface Report {
  readonly counts: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
  readonly records: readonly unknown[];
}

type Say = (line: string) => void;
const env = { RAMPART_LOOK_INTERVAL_MS: '300' };

export const replayBench = async (say: Say): Promise<readonly Measurement[]> =>
  replayOn(await startPlatform({ log: 'embedded', env }), say);
/** Three brokers, two shards, each service twice. */
export const replayClusterBench = async (say: Say): Promise<readonly Measurement[]> => replayOn(await startDeployment({ env }), say);

const replayOn = async (platform: Platform, say: Say): Promise<readonly Measurement[]> => {
  try {
    const keys = Array.from({ length: EXPERIMENTS }, (_, index) => `button-${index}`);
    for (const experiment of keys) {
      const setting = await startLive(platform, { experiment, metrics: liveMetrics.slice(0, 1), uses: liveUses.slice(0, 1) });
      await send(platform, setting, visits(setting, 0, UNITS, { buysOneIn: { control: 5, treatment: 4 } }));
    }
    // Each pause and each resumption is another definition, and has a record of its own.
    for (let round = 0, have = 0; have < RECORDS; round++) {
      const action = round % 2 === 0 ? 'pause' : 'resume';
      for (const key of keys) await platform.call('POST', `/v1/experiments/${key}/${action}?project=${PROJECT}&environment=production`, {});
      const before = have;
      have = await eventually(
        'the new definitions have records',
        async () => {
          const found = await recorded(platform);
          return found >= before + EXPERIMENTS ? found : undefined;
        },
        120_000,
      );
      say(`replay: ${count(have)} records`);
    }
    const { ended } = rampart(['replay', 'decisions', '--json', '--address', platform.address], { RAMPART_ADMIN_KEY: platform.adminKey });
    const { code, stdout, stderr } = await ended;
    if (code !== 0) throw new Error(`replay ended with ${code}: ${stderr} ${stdout.slice(0, 2_000)}`);
    const { counts, elapsedMs, records } = JSON.parse(stdout) as Report;
    const what = `decision records recounted and held against the history, ${EXPERIMENTS} experiments of ${count(UNITS)} units`;
    const perSecond = (records.length * 1000) / elapsedMs;
    return [
      {
        what,
        figure: `${perSecond.toFixed(0)} records/s (${count(records.length)} in ${(elapsedMs / 1000).toFixed(1)} s), ${count(counts.same ?? 0)} the same`,
        target: '≥ 1,000 records, all the same',
        meets: records.length >= 1_000 && counts.same === records.length,
        ...{ yardstick: '–', ratio: '–' },
      },
    ];
  } finally {
    await platform.stop();
    platform.remove();
  }
};

const recorded = async (platform: Platform): Promise<number> => {
  const { body } = await platform.call('POST', '/v1/decisions/replay', { limit: 1 });
  return body.total as number;
};
