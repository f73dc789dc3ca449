import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { type LiveSetting, neverClosing, OUTSIDERS, startLive, visits, wholeResults } from './live.js';
import { eventually, type Platform, startPlatform } from './platform.js';
import { settingsOf, type Twin, twinOf } from './twin.js';
import { wrongClock } from './wrong-clock.js';

const HOUR_MS = 3_600_000;
const UNITS = 600;
const PER_BATCH = 50;

let platform: Platform;
let twins: readonly Twin[];

beforeAll(async () => {
  platform = await startPlatform();
  twins = [
    await twinOf(platform, 'ingestion', wrongClock(platform.data, HOUR_MS)),
    await twinOf(platform, 'ingestion', wrongClock(platform.data, -HOUR_MS)),
  ];
}, 120_000);

afterAll(async () => {
  for (const twin of twins ?? []) twin.kill('SIGKILL');
  await platform.stop();
  platform.remove();
}, 60_000);

const start = (environment: string): Promise<LiveSetting> => startLive(platform, { ...neverClosing, project: 'clocks', environment });

/** In turn to the doors of several processes; a full copy of every third batch to another one. */
const sendTo = async (
  doors: readonly string[],
  { key }: LiveSetting,
  events: readonly object[],
  during: (batch: number) => Promise<void>,
) => {
  for (let at = 0, batch = 0; at < events.length; at += PER_BATCH, batch += 1) {
    await during(batch);
    const body = JSON.stringify(events.slice(at, at + PER_BATCH));
    const chosen = batch % 3 === 0 ? [doors[batch % doors.length], doors[(batch + 1) % doors.length]] : [doors[batch % doors.length]];
    for (const door of chosen)
      await eventually('a batch is taken', async () => {
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
        const answer = await fetch(`${door}/v1/events`, { method: 'POST', headers, body });
        const { rejected } = (await answer.json()) as { rejected?: number };
        return answer.status === 202 && rejected === 0 ? true : undefined;
      });
  }
};

const evidenceOf = async (setting: LiveSetting, sent: number) => {
  const { evidenceDigest, population, watermark, metrics } = await wholeResults(platform, setting, sent);
  const sums = metrics.map(({ arms }: { arms: readonly { n: number; sum: string }[] }) => arms.map(({ n, sum }) => `${n}: ${sum}`));
  return {
    evidence: { digest: evidenceDigest as string, stored: population.duplicates.stored as number, sums },
    watermark: watermark as string,
  };
};

const behaviour = { buysOneIn: { control: 3, treatment: 4 } };

describe('clocks that are wrong', () => {
  it('by an hour in ingestion, and stepping back by an hour in the log: known time rises, nothing is lost or counted twice', async () => {
    const calm = await start('calm');
    const events = visits(calm, 0, UNITS, behaviour);
    await sendTo([platform.address], calm, events, async () => undefined);
    const expected = await evidenceOf(calm, events.length);
    expect(expected.evidence.stored).toBe(events.length + OUTSIDERS);

    const skewed = await start('skewed');
    const watermarks: string[] = [];
    await sendTo([platform.address, ...twins.map(({ address }) => address)], skewed, visits(skewed, 0, UNITS, behaviour), async (batch) => {
      if (batch === 6) await stepLogClockBack();
      const { body } = await platform.call('GET', '/v1/analysis/freshness');
      if (body.watermark !== null) watermarks.push(body.watermark);
    });
    const found = await evidenceOf(skewed, events.length);
    expect(found.evidence).toEqual(expected.evidence);
    // ISO 8601 with six decimals sorts as text.
    expect([...watermarks].sort()).toEqual(watermarks);
    expect(found.watermark > (watermarks[0] ?? '')).toBe(true);
  }, 120_000);
});

/**
 * What a server whose clock falls back by an hour leaves behind: partitions whose last known time lies an hour ahead of the clock.
 * A log on Kafka has its broker's clock, which nobody can turn from here: its adapter's own suite does.
 */
const stepLogClockBack = async (): Promise<void> => {
  const url = settingsOf(platform.processes().ingestion ?? 0).RAMPART_DATABASE_URL;
  if (url === undefined) return;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`update log.partition set last_known_us = last_known_us + 3600000000`);
  } finally {
    await client.end();
  }
};
