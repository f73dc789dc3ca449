/** One machine whose only disk is full: log, definitions, store and spool all lie on it. Takes root on Linux, for the disk. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { SmallDisk } from '../chaos/small-disk.js';
import { assigned, defineAssigned } from './assigned.js';
import { type LiveSetting, liveEvent, neverClosing, startLive, visits, wholeResults } from './live.js';
import { eventually, isAlive, type Platform, startPlatform } from './platform.js';

const MEGABYTES = 1_500;
const UNITS = 1_200;
const PER_BATCH = 60;
const MOST_BATCHES = 2_000;
const FULL_FOR_MS = 20_000;
/** A busy machine starts nothing at once. */
const READY_WITHIN_MS = 30_000;

const smallDisk = (): SmallDisk | undefined => {
  try {
    return SmallDisk.make(MEGABYTES);
  } catch (error) {
    process.stderr.write(`left out: ${error instanceof Error ? error.message : error}\n`);
    return undefined;
  }
};

const disk = smallDisk();
const itOnDisk = disk === undefined ? it.skip : it;

let platform: Platform;
let clientKey: string;

beforeAll(async () => {
  if (disk === undefined) return;
  platform = await startPlatform({ data: disk.folder, log: 'embedded' });
  ({ clientKey } = await defineAssigned(platform));
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  disk?.remove();
}, 60_000);

const events = (setting: LiveSetting) =>
  visits(setting, 0, UNITS, { buysOneIn: { control: 3, treatment: 4 } }) as readonly { readonly id: string }[];

/** Each batch until it is acknowledged. @returns what else was answered */
const sendAll = async ({ key }: LiveSetting, all: readonly object[]): Promise<ReadonlySet<string>> => {
  const statuses = new Set<string>();
  for (let at = 0; at < all.length; at += PER_BATCH)
    await eventually(
      `batch at ${at} is acknowledged`,
      async () => {
        const { status, headers } = await platform.call('POST', '/v1/events', all.slice(at, at + PER_BATCH), { key });
        statuses.add(status === 503 && headers.get('retry-after') === null ? '503 without Retry-After' : String(status));
        return status === 202 ? true : undefined;
      },
      FULL_FOR_MS + READY_WITHIN_MS + 60_000,
    );
  return statuses;
};

/** PostgreSQL keeps files that it has room in: those are to be full, too. @returns how many events were acknowledged */
const overfill = async ({ key }: LiveSetting): Promise<number> => {
  let acknowledged = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const more = Array.from({ length: 500 }, (_, nth) => liveEvent('purchase', `more-${batch}-${nth}`, Date.now(), 1));
    const { status } = await platform.call('POST', '/v1/events', more, { key });
    if (status === 503) return acknowledged;
    if (status !== 202) throw new Error(`events are answered with ${status}`);
    acknowledged += more.length;
  }
  throw new Error(`the disk is full, and ${acknowledged} events found room`);
};

const evidenceOf = async (setting: LiveSetting, sent: number) => (await wholeResults(platform, setting, sent)).evidenceDigest as string;

itOnDisk(
  'refuses what it can’t keep, goes on telling variants, and goes on by itself when there is room again: nothing acknowledged is missing',
  async () => {
    const calm = await startLive(platform, { ...neverClosing, project: 'full', environment: 'calm' });
    await sendAll(calm, events(calm));
    const undisturbed = await evidenceOf(calm, events(calm).length);

    const setting = await startLive(platform, { ...neverClosing, project: 'full', environment: 'filled' });
    const all = events(setting);
    await sendAll(setting, all.slice(0, all.length / 2));
    const more = await startLive(platform, { ...neverClosing, project: 'full', environment: 'more' });
    // Where they run can't be written down from here on.
    const engines = ['postgres', 'clickhouse'].map((name) => platform.processes()[name] ?? Number.NaN);
    disk?.fill();
    const found = await overfill(more);
    const sending = sendAll(setting, all.slice(all.length / 2));
    const refusals: string[] = [];
    let killed: readonly number[] = [];
    const since = performance.now();
    for (let [unit, isKilled] = [0, false]; performance.now() - since < FULL_FOR_MS; unit++) {
      // It has to begin anew without a byte of room.
      if (!isKilled && performance.now() - since > FULL_FOR_MS / 2) {
        isKilled = true;
        killed = engines.filter(isAlive);
        for (const pid of killed) process.kill(pid, 'SIGKILL');
      }
      await assigned(platform.address, clientKey, 'checkout', `unit-${unit}`).catch((error: unknown) => refusals.push(String(error)));
      await sleep(100);
    }
    disk?.empty();
    await eventually(
      'everything is ready',
      async () => ((await platform.call('GET', '/readyz')).status === 200 ? true : undefined),
      READY_WITHIN_MS,
    );
    const statuses = await sending;
    expect(refusals).toEqual([]);
    // One that had ended by itself before has begun anew on the full disk just so.
    expect(killed.length).toBeGreaterThan(0);
    expect([...statuses].sort()).toEqual(['202', '503']);
    expect(await evidenceOf(setting, all.length)).toBe(undisturbed);
    await wholeResults(platform, more, found);
  },
  240_000,
);
