import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LiveSetting, neverClosing, OUTSIDERS, startLive, visits, wholeResults } from './live.js';
import { eventually, killPart, type Platform, startPlatform } from './platform.js';
import { isOnKafka } from './servers.js';
import { twinOf } from './twin.js';

const UNITS = 1_200;
const PER_BATCH = 60;
/** A member of a group on Kafka is missed after ten seconds; the group would wait for it for a minute if it weren't. */
const HANDED_OVER_WITHIN_MS = 30_000;

const describeOnKafka = isOnKafka ? describe : () => undefined;

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform({ env: { RAMPART_LOOK_INTERVAL_MS: '500' } });
}, 120_000);

afterAll(async () => {
  await platform.stop();
  platform.remove();
}, 60_000);

const start = (environment: string): Promise<LiveSetting> => startLive(platform, { ...neverClosing, project: 'disturbed', environment });

const events = (setting: LiveSetting): readonly { readonly id: string }[] =>
  visits(setting, 0, UNITS, {
    buysOneIn: { control: 3, treatment: 4 },
    crashes: (arm, place) => arm === 'control' && place % 7 === 0,
  }) as readonly { readonly id: string }[];

/** Every batch until it is acknowledged; `during` runs before each. */
const sendAll = async (
  { key }: LiveSetting,
  all: readonly { readonly id: string }[],
  during: (batch: number) => Promise<void> = async () => undefined,
): Promise<ReadonlySet<string>> => {
  const acknowledged = new Set<string>();
  for (let at = 0; at < all.length; at += PER_BATCH) {
    await during(at / PER_BATCH);
    const batch = all.slice(at, at + PER_BATCH);
    await eventually(
      `batch at ${at} is acknowledged`,
      async () => {
        const answer = await platform.call('POST', '/v1/events', batch, { key });
        return answer.status === 202 && answer.body.rejected === 0 ? true : undefined;
      },
      90_000,
    );
    for (const { id } of batch) acknowledged.add(id);
  }
  return acknowledged;
};

/** Deterministic, and no event moves further than `reach` places. */
const shuffledWithin = <T>(all: readonly T[], reach: number): readonly T[] => {
  let state = 12_345;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x8000_0000;
  };
  return all
    .map((event, index) => ({ event, place: index + next() * reach }))
    .sort((a, b) => a.place - b.place)
    .map(({ event }) => event);
};

interface Evidence {
  readonly evidenceDigest: string;
  readonly stored: number;
  /** Says what differs. */
  readonly sums: readonly (readonly string[])[];
}

/** When everything that was sent is stored and counted. */
const evidenceOf = async (setting: LiveSetting, sent: number): Promise<Evidence> => {
  const { evidenceDigest, population, metrics } = await wholeResults(platform, setting, sent);
  const sums = metrics.map(({ arms }: { arms: readonly { n: number; sum: string }[] }) => arms.map(({ n, sum }) => `${n}: ${sum}`));
  return { evidenceDigest, stored: population.duplicates.stored, sums };
};

let undisturbed: Evidence;

beforeAll(async () => {
  const setting = await start('calm');
  const acknowledged = await sendAll(setting, events(setting));
  undisturbed = await evidenceOf(setting, acknowledged.size);
  expect(undisturbed.stored).toBe(acknowledged.size + OUTSIDERS);
}, 120_000);

describe('the same events, disturbed', () => {
  it('everything twice and shuffled within the lateness: the same evidence', async () => {
    const setting = await start('shuffled');
    const all = events(setting);
    const acknowledged = await sendAll(setting, shuffledWithin([...all, ...all], 400));
    expect(await evidenceOf(setting, acknowledged.size)).toEqual(undisturbed);
  }, 120_000);

  it('each service killed at some moment, and the log’s own engine under load: nothing acknowledged is missing', async () => {
    const setting = await start('killed');
    const all = events(setting);
    const logEngine = platform.servers === undefined ? 'postgres' : 'kafka';
    const victims = ['analysis', 'ingestion', 'experiments', 'clickhouse', logEngine, 'analysis', 'ingestion'];
    const acknowledged = await sendAll(setting, all, async (batch) => {
      const victim = batch % 7 === 3 ? victims[Math.floor(batch / 7)] : undefined;
      if (victim !== undefined) await killPart(platform, victim);
      await sleep(150);
    });
    expect(await evidenceOf(setting, acknowledged.size)).toEqual(undisturbed);
  }, 240_000);

  it('a consumer that stands still for half a minute and then goes on as if it owned the partitions still', async () => {
    const setting = await start('stopped');
    const pid = platform.processes().analysis ?? 0;
    const other = await twinOf(platform, 'analysis');
    try {
      process.kill(pid, 'SIGSTOP');
      const standing = sleep(30_000);
      const acknowledged = await sendAll(setting, events(setting), async () => sleep(100));
      await standing;
      process.kill(pid, 'SIGCONT');
      expect(await evidenceOf(setting, acknowledged.size)).toEqual(undisturbed);
    } finally {
      process.kill(pid, 'SIGCONT');
      other.kill('SIGTERM');
    }
  }, 180_000);

  it('two analysis processes share the work; one dies, and the other takes all of it', async () => {
    const setting = await start('shared');
    const other = await twinOf(platform, 'analysis');
    let diedAtMs = 0;
    try {
      const acknowledged = await sendAll(setting, events(setting), async (batch) => {
        if (batch === 20) await killPart(platform, 'analysis');
        if (batch === 20) diedAtMs = performance.now();
        await sleep(100);
      });
      expect(await evidenceOf(setting, acknowledged.size)).toEqual(undisturbed);
      expect(performance.now() - diedAtMs).toBeLessThan(HANDED_OVER_WITHIN_MS);
    } finally {
      other.kill('SIGKILL');
    }
  }, 180_000);

  it('the store emptied and filled again from the log', async () => {
    const setting: LiveSetting = { project: 'disturbed', environment: 'shuffled', experiment: 'steady', key: '' };
    // The other process has just died: until its partitions are taken over, a rebuild is refused.
    await eventually(
      'the rebuild begins',
      async () => {
        const { status, body } = await platform.call('POST', '/v1/analysis/rebuild');
        if (status !== 202) expect([status, body.code]).toEqual([409, 'rebuild-shared']);
        return status === 202 ? true : undefined;
      },
      HANDED_OVER_WITHIN_MS,
    );
    expect(await evidenceOf(setting, undisturbed.stored - OUTSIDERS)).toEqual(undisturbed);
  }, 120_000);
});

// The engines of the embedded log die in the journey of crashes.
describeOnKafka('a platform without its Kafka', () => {
  it('says 503 and why, takes no event, and comes back by itself', async () => {
    const setting = await start('away');
    const isReady = async () => ((await platform.call('GET', '/readyz')).status === 200 ? true : undefined);
    await eventually('it is ready', isReady);
    const statuses = new Set<number>();
    // An outage that is over within ten seconds is only waited out.
    await platform.servers?.kill('kafka', async () => {
      await eventually('it is not ready', async () => ((await platform.call('GET', '/readyz')).status === 503 ? true : undefined));
    });
    await eventually('it is ready again', async () => {
      statuses.add((await platform.call('POST', '/v1/events', [], { key: setting.key })).status);
      statuses.add((await platform.call('GET', '/v1/projects')).status);
      return isReady();
    });
    expect([...statuses].filter((status) => ![200, 202, 503].includes(status))).toEqual([]);
  }, 90_000);
});
