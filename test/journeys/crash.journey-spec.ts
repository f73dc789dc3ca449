import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '@rampart/test-engines';
import { Random } from '../simulation/random.js';
import { completed, defineExperiment, finalResults, history, type Setting } from './experiment.js';
import { checkoutButton, enlarged, importFile, removeScratch, startImport } from './importer.js';
import { eventually, isAlive, killPart, type Platform, startPlatform, temporaryData } from './platform.js';
import { isOnKafka } from './servers.js';

/** What dies here besides the services; what does not depend on the log is not told twice. */
const killed = isOnKafka ? ['ingestion', 'analysis', 'kafka'] : ['ingestion', 'analysis', 'experiments', 'postgres', 'clickhouse'];
const calmResults = '/v1/experiments/button/results?project=journeys&environment=calm';
const enginesAway: [name: string, path: string][] = [
  ['postgres', '/v1/projects'],
  ['clickhouse', calmResults],
];

const [itOnce, describeOnce] = isOnKafka ? [() => undefined, () => undefined] : [it, describe];

const UNITS = 6_000;
const PER_BATCH = 100;
/** The batch after which the launcher is killed, and when after it. */
const chance = new Random(Number(process.env.RAMPART_CHAOS_SEED ?? 1), 'launcher', 1);
const lastOfLauncher = Math.floor(chance.uniform() * 50);
const launcherAfterMs = chance.uniform() * 200;

let platform: Platform;
let port: number;

beforeAll(async () => {
  port = await freePort();
  platform = await startPlatform({ data: temporaryData(), port });
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
});

/** What a client may be told while a part is away. */
const answered = new Set<number>();

/** Sends a history in batches, each until it is acknowledged; `during` runs after every batch. */
const sendAll = async ({ key }: Setting, during: (batch: number) => Promise<void>): Promise<number> => {
  const events = [...history(UNITS)];
  let acknowledged = 0;
  const acknowledge = (what: string, batch: readonly object[]) =>
    eventually(
      `${what} is acknowledged`,
      async () => {
        const response = await platform.call('POST', '/v1/events', batch, { key });
        answered.add(response.status);
        return response.status === 202 ? response.body : undefined;
      },
      60_000,
    );
  for (let start = 0; start < events.length; start += PER_BATCH) {
    const { accepted } = await acknowledge(`batch at ${start}`, events.slice(start, start + PER_BATCH));
    acknowledged += accepted;
    await during(start / PER_BATCH);
  }
  await acknowledge('completion', [completed]);
  return acknowledged;
};

type Seen = Awaited<ReturnType<typeof finalResults>>;
const evidence = ({ evidenceDigest, sufficientStatistics, population }: Seen) => ({
  digest: evidenceDigest,
  sums: sufficientStatistics,
  population: population.rows,
  stored: population.duplicates.stored,
});

const isReady = async (): Promise<true | undefined> => ((await platform.call('GET', '/readyz')).status === 200 ? true : undefined);

describe('kill -9 in the middle of an import', () => {
  let undisturbed: ReturnType<typeof evidence>;

  beforeAll(async () => {
    const setting = await defineExperiment(platform, 'calm', 'historical');
    expect(await sendAll(setting, async () => undefined)).toBe(history(UNITS).length);
    undisturbed = evidence(await finalResults(platform, setting));
    expect(undisturbed.stored).toBe(history(UNITS).length);
  }, 120_000);

  it.each(killed)(
    'of %s loses nothing that was acknowledged and changes no sum',
    async (name) => {
      const setting = await defineExperiment(platform, `kill-${name}`, 'historical');
      const dead = new Set<number>();
      const acknowledged = await sendAll(setting, async (batch) => {
        if (batch % 25 === 20) dead.add(await killPart(platform, name));
      });
      expect(dead.size).toBe(3);
      expect(acknowledged).toBe(history(UNITS).length);
      expect(evidence(await finalResults(platform, setting, 90_000))).toEqual(undisturbed);
      await eventually('everything has come back', isReady);
      expect([...answered].filter((status) => status !== 202 && status !== 503)).toEqual([]);
    },
    180_000,
  );

  itOnce(
    'of the launcher ends everything, and the next start goes on',
    async () => {
      const setting = await defineExperiment(platform, 'kill-launcher', 'historical');
      let started: Promise<void> | undefined;
      const acknowledged = await sendAll(setting, async (batch) => {
        if (batch !== lastOfLauncher) return;
        const parts = Object.values(platform.processes());
        await sleep(launcherAfterMs);
        await platform.stop('SIGKILL');
        await eventually('no part is left', async () => (parts.some(isAlive) ? undefined : true), 10_000);
        // The sender goes on while the platform comes back.
        started = startPlatform({ data: platform.data, port }).then((again) => {
          platform = again;
        });
      });
      await started;
      expect(acknowledged).toBe(history(UNITS).length);
      expect(evidence(await finalResults(platform, setting, 90_000))).toEqual(undisturbed);
    },
    180_000,
  );
});

describeOnce('the importer', () => {
  it('outlives kill -9 of the launcher and goes on with the next one', async () => {
    const data = enlarged(checkoutButton.data, 6);
    const { plan } = checkoutButton;
    const { evidenceDigest } = (await importFile(platform, { plan, data, project: 'calm' })).results;
    const running = startImport(platform, { plan, data, project: 'orphaned' });
    const results = '/v1/experiments/checkout_button/results?project=orphaned&environment=checkout_button';
    await eventually('some units have arrived', async () =>
      (await platform.call('GET', results)).body.population?.units > 0 ? true : undefined,
    );
    await platform.stop('SIGKILL');
    platform = await startPlatform({ data: platform.data, port });
    expect(await running.ended).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(running.out, 'utf8'))).toMatchObject({ status: 'complete', evidenceDigest });
    removeScratch();
  }, 180_000);
});

describeOnce('a platform without one of its engines', () => {
  it.each(enginesAway)(
    'says 503 while %s is away, and comes back by itself',
    async (name, path) => {
      await eventually('it is ready', isReady);
      const statuses = new Set<number>();
      await killPart(platform, name);
      await eventually('it is not ready', async () => ((await platform.call('GET', '/readyz')).status === 503 ? true : undefined));
      await eventually('it is ready again', async () => {
        const answer = await platform.call('GET', path);
        statuses.add(answer.status);
        return await isReady();
      });
      expect((await platform.call('GET', path)).status).toBe(200);
      expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    },
    60_000,
  );
});
