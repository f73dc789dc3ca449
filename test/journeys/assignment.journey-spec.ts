import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Asked, askAll, assigned, defineAssigned, inTurns } from './assigned.js';
import { eventually, isAlive, type Platform, startPlatform } from './platform.js';

let platform: Platform;
let shop: Awaited<ReturnType<typeof defineAssigned>>;

const USERS = 2_000;
const users = Array.from({ length: USERS }, (_, n) => `user-${n}`);
const testers = ['tester-1', 'tester-2'];
let told: ReadonlyMap<string, Asked>;

beforeAll(async () => {
  platform = await startPlatform({ env: { RAMPART_LOOK_INTERVAL_MS: '500', RAMPART_STALE_AFTER_SECONDS: '3' } });
  shop = await defineAssigned(platform);
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
}, 60_000);

const countOf = (answers: Iterable<Asked>, variant: string): number => [...answers].filter((one) => one.variant === variant).length;

const populationOf = async (units: number) =>
  eventually(
    `${units} units are counted`,
    async () => {
      const { body } = await platform.call('GET', `/v1/experiments/faster-checkout/results?project=${shop.project}&environment=production`);
      return body.population?.units === units ? body.population : undefined;
    },
    60_000,
  );
const countedIn = (population: { rows: readonly { variant: string; counted: number }[] }, variant: string) =>
  population.rows.find((row) => row.variant === variant)?.counted;

describe('an experiment that the platform assigns', () => {
  it('is evaluated with a public key, and its results hold exactly those who were told', async () => {
    told = await askAll(platform.address, shop.clientKey, 'checkout', users);
    expect([...told.values()].every(({ reason }) => reason === 'SPLIT')).toBe(true);
    const [control, treatment] = ['control', 'treatment'].map((variant) => countOf(told.values(), variant));
    expect((control ?? 0) + (treatment ?? 0)).toBe(USERS);
    const population = await populationOf(USERS);
    expect([countedIn(population, 'control'), countedIn(population, 'treatment')]).toEqual([control, treatment]);
    await eventually('what was told is accepted, as if it had come through the door', async () => {
      const { body } = await platform.call('GET', `/v1/experiments/faster-checkout/results?project=${shop.project}&environment=production`);
      const { accepted, stored, duplicates } = body.population.duplicates;
      return accepted === USERS && stored === USERS && duplicates === 0 ? true : undefined;
    });
  }, 120_000);

  it('is not known to another environment', async () => {
    const there = await assigned(platform.address, shop.stagingKey, 'checkout', 'user-1');
    expect(there).toMatchObject({ reason: 'STATIC', value: 'old' });
    const explained = await platform.call('POST', `/v1/evaluate/explain?project=${shop.project}&environment=staging`, {
      feature: 'checkout',
      context: { targetingKey: 'user-1' },
    });
    expect(explained.body.rules).toEqual([]);
  });

  it('is not what overridden units are in: they get their variant, and are counted apart', async () => {
    const at = `?project=${shop.project}&environment=production`;
    const override = { key: 'testers', feature: 'checkout', variant: 'treatment', units: testers };
    expect((await platform.call('PUT', `/v1/overrides/testers${at}`, override)).status).toBe(201);
    const isOverridden = ({ metadata, variant }: Asked) => metadata.reason === 'OVERRIDE' && variant === 'treatment';
    await eventually('the override is in force', async () => {
      const uncounted = { 'x-rampart-exposure': 'none' };
      return isOverridden(await assigned(platform.address, shop.clientKey, 'checkout', 'tester-1', uncounted)) ? true : undefined;
    });
    for (const tester of testers) expect(isOverridden(await assigned(platform.address, shop.clientKey, 'checkout', tester))).toBe(true);
    const asked = { feature: 'checkout', context: { targetingKey: 'tester-2' } };
    const { body } = await platform.call('POST', `/v1/evaluate/explain${at}`, asked);
    expect(JSON.stringify(body.rules)).toContain('testers');
    const population = await populationOf(USERS + testers.length);
    expect(population.counted).toBe(USERS);
    const excluded = (population.rows as readonly { excluded: { override: number } }[]).map((row) => row.excluded.override);
    expect(excluded.reduce((sum, units) => sum + units, 0)).toBe(testers.length);
    expect((await platform.call('POST', `/v1/overrides/testers/remove${at}`, { reason: 'tested' })).status).toBe(200);
  }, 90_000);

  it('is killed with its feature: everybody gets the default within a second', async () => {
    const at = `?project=${shop.project}&environment=production`;
    const ask = () => assigned(platform.address, shop.clientKey, 'checkout', 'user-1', { 'x-rampart-exposure': 'none' });
    const sinceMs = performance.now();
    expect((await platform.call('POST', `/v1/features/checkout/kill${at}`, { reason: 'it burns' })).status).toBe(200);
    await eventually('it is off', async () => ((await ask()).reason === 'DISABLED' ? true : undefined));
    expect(performance.now() - sinceMs).toBeLessThan(1_000);
    expect((await ask()).value).toBe('old');
    expect((await platform.call('POST', `/v1/features/checkout/restore${at}`, { reason: 'it is out' })).status).toBe(200);
    await eventually('it is on', async () => ((await ask()).reason === 'SPLIT' ? true : undefined));
  }, 30_000);

  it('is paused and resumed for everybody within a second', async () => {
    const act = (action: string) =>
      platform.call('POST', `/v1/experiments/faster-checkout/${action}?project=${shop.project}&environment=production`, {});
    const inForceAfterMs = async (action: string, reason: string): Promise<number> => {
      expect((await act(action)).status).toBe(200);
      const sinceMs = performance.now();
      await eventually(`${action} is in force`, async () => {
        const answer = await assigned(platform.address, shop.clientKey, 'checkout', 'user-1', { 'x-rampart-exposure': 'none' });
        return answer.reason === reason ? true : undefined;
      });
      return performance.now() - sinceMs;
    };
    expect(await inForceAfterMs('pause', 'STATIC')).toBeLessThan(1_000);
    expect(await inForceAfterMs('resume', 'SPLIT')).toBeLessThan(1_000);
    expect((await assigned(platform.address, shop.clientKey, 'checkout', 'user-1')).variant).toBe(told.get('user-1')?.variant);
  }, 30_000);
});

describe('assignment with everything else killed', () => {
  it('answers as before and says how stale it is; what it told meanwhile is counted afterwards', async () => {
    const { assignment, ...others } = platform.processes();
    if (assignment === undefined) throw new Error('no assignment in run.json');
    const inner = `http://127.0.0.1:${portOf(assignment)}`;
    // Stopped, not killed: it would end its children or start them again.
    process.kill(platform.launcherPid, 'SIGSTOP');
    try {
      for (const pid of Object.values(others)) process.kill(pid, 'SIGKILL');
      await eventually('all others are dead', async () => (Object.values(others).every((pid) => !isAlive(pid)) ? true : undefined));
      const newcomers = Array.from({ length: 500 }, (_, n) => `newcomer-${n}`);
      const meanwhile = await askAll(inner, shop.clientKey, 'checkout', newcomers);
      expect([...meanwhile.values()].every(({ reason }) => reason === 'SPLIT')).toBe(true);
      await sleep(4_000);
      let changed = 0;
      let fresh = 0;
      for (let round = 0; round < 5; round += 1)
        await inTurns(users, async (user) => {
          const answer = await assigned(inner, shop.clientKey, 'checkout', user);
          if (answer.variant !== told.get(user)?.variant) changed += 1;
          if (answer.metadata.reason !== 'STALE' || !(Number(answer.metadata.ageSeconds) >= 3)) fresh += 1;
        });
      expect({ changed, fresh }).toEqual({ changed: 0, fresh: 0 });
      for (const [unit, answer] of meanwhile) told = new Map([...told, [unit, answer]]);
    } finally {
      process.kill(platform.launcherPid, 'SIGCONT');
    }
    await eventually(
      'the platform is back',
      async () => ((await platform.call('GET', '/readyz')).status === 200 ? true : undefined),
      90_000,
    );
    const population = await populationOf(told.size + testers.length);
    for (const variant of ['control', 'treatment']) expect(countedIn(population, variant)).toBe(countOf(told.values(), variant));
    expect(await assigned(platform.address, shop.clientKey, 'checkout', 'user-1')).toMatchObject({ reason: 'SPLIT' });
    await eventually('it is called fresh again', async () => {
      const { metadata } = await assigned(platform.address, shop.clientKey, 'checkout', 'user-1');
      return metadata.reason === undefined ? true : undefined;
    });
  }, 240_000);
});

const portOf = (pid: number): number => {
  const { processes } = JSON.parse(readFileSync(`${platform.data}/run.json`, 'utf8')) as {
    processes: Record<string, { pid?: number; port?: number }>;
  };
  const { port } = Object.values(processes).find((one) => one.pid === pid) ?? {};
  if (port === undefined) throw new Error(`no port of ${pid} in run.json`);
  return port;
};
