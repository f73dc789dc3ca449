import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { completed, defineExperiment, finalResults, history, type Setting } from './experiment.js';
import { eventually, type Platform, startPlatform } from './platform.js';

const UNITS = 6_000;
const PER_BATCH = 100;

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
});

/** Sends a history in batches, each until it is acknowledged; `during` runs after every tenth batch. */
const sendAll = async ({ key }: Setting, during: (batch: number) => Promise<void>): Promise<number> => {
  const events = [...history(UNITS)];
  let acknowledged = 0;
  for (let start = 0; start < events.length; start += PER_BATCH) {
    const batch = events.slice(start, start + PER_BATCH);
    const answer = await eventually(
      `batch at ${start} is acknowledged`,
      async () => {
        const response = await platform.call('POST', '/v1/events', batch, { key });
        return response.status === 202 ? response.body : undefined;
      },
      60_000,
    );
    acknowledged += answer.accepted;
    await during(start / PER_BATCH);
  }
  await eventually('completion is acknowledged', async () =>
    (await platform.call('POST', '/v1/events', [completed], { key })).status === 202 ? true : undefined,
  );
  return acknowledged;
};

const evidence = (results: { sufficientStatistics: unknown; population: { units: number; rows: unknown } }) => ({
  sums: results.sufficientStatistics,
  population: results.population.rows,
});

describe('kill -9 in the middle of an import', () => {
  let undisturbed: ReturnType<typeof evidence>;

  beforeAll(async () => {
    const setting = await defineExperiment(platform, 'calm', 'historical');
    await sendAll(setting, async () => undefined);
    undisturbed = evidence(await finalResults(platform, setting));
  }, 120_000);

  it.each(['ingestion', 'analysis', 'experiments', 'postgres', 'clickhouse'])(
    'of %s loses nothing that was acknowledged and changes no sum',
    async (name) => {
      const setting = await defineExperiment(platform, `kill-${name}`, 'historical');
      let kills = 0;
      const acknowledged = await sendAll(setting, async (batch) => {
        if (batch % 25 !== 20) return;
        const pid = platform.processes()[name];
        if (pid === undefined) throw new Error(`run.json names no ${name}: ${JSON.stringify(platform.processes())}`);
        process.kill(pid, 'SIGKILL');
        kills++;
        await sleep(200);
      });
      expect(kills).toBeGreaterThanOrEqual(2);
      const results = await finalResults(platform, setting, 90_000);
      expect(evidence(results)).toEqual(undisturbed);
      expect(acknowledged).toBe(history(UNITS).length);
      expect(results.population.duplicates.stored).toBe(history(UNITS).length);
    },
    180_000,
  );
});
