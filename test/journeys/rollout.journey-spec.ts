import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { replay, resultsOf, send } from './live.js';
import { eventually, killPart, type Platform, startPlatform } from './platform.js';
import { actOn, climbing, gateFor, rampHistory, rampReaches, rampVisits, rolloutOf, startRamp, whileVisited } from './ramp.js';

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform({ env: { RAMPART_LOOK_INTERVAL_MS: '500' } });
}, 300_000);

afterAll(async () => {
  await platform.stop();
  platform.remove();
}, 60_000);

describe('a rollout of something better', () => {
  it('climbs 1 → 5 → 25 → 50 % by itself and is released; its result stays to the digest', async () => {
    const setting = await startRamp(platform, { experiment: 'better' });
    const behaviour = { buysOneIn: { control: 5, treatment: 2 } };
    const { state, rollout } = await whileVisited(platform, setting, behaviour, () =>
      rampReaches(platform, setting, 'the release', ({ status }, { decision }) => status === 'released' && decision !== undefined),
    );
    const segments = state.segments as readonly { coverage: number; comparison: number; seed: string }[];
    expect(segments.map(({ coverage }) => coverage)).toEqual([0.01, 0.05, 0.25, 0.5]);
    expect(new Set(segments.map(({ comparison, seed }) => `${comparison} ${seed}`)).size).toBe(1);
    expect(state.decision).toMatchObject({ outcome: 'ship', arm: 'treatment', record: rollout.end.record });
    const history = await rampHistory(platform, setting);
    expect(history.map(({ type }) => type)).toEqual([
      'RolloutDefined',
      'RolloutStarted',
      ...Array(3).fill('RolloutAdvanced'),
      'RolloutReleased',
    ]);
    for (const { actor, record } of history.slice(2))
      expect([actor, record]).toEqual(['rollout-process', expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect((await gateFor(platform, setting)).status).toBe(200);
    const { body: record } = await platform.call('GET', `/v1/decisions/${rollout.end.record}?project=${setting.project}`);
    const { evidenceDigest } = record.record;
    expect(await replay(platform, setting, rollout.end.record)).toMatchObject({ intact: true, evidence: { same: true, differences: [] } });
    const isClosed = async () => ((await resultsOf(platform, setting)).body.evidenceDigest === evidenceDigest ? true : undefined);
    await eventually('the result is that of the record', isClosed);
    // What happens afterwards is no evidence for it.
    await send(platform, setting, rampVisits(setting, 100_000, 100_200, { buysOneIn: { control: 2, treatment: 5 } }));
    await sleep(4_000);
    expect((await resultsOf(platform, setting)).body.evidenceDigest).toBe(evidenceDigest);
  }, 300_000);
});

const crashing = {
  buysOneIn: { control: 4, treatment: 4 },
  crashes: (arm: string, index: number) => arm === 'treatment' && index % 4 === 0,
};
const harmless = { buysOneIn: { control: 4, treatment: 4 } };
/** Two of three treatment units never report. */
const lopsided = (index: number) => (index % 4 === 1 ? 'treatment' : 'control') as 'treatment' | 'control';
const isBack = ({ status }: { status: string }, { decision }: { decision?: object }) => status === 'rolled-back' && decision !== undefined;

describe('a rollout of something harmful', () => {
  it('is rolled back within seconds, while few have crashed, and while a person holds it', async () => {
    const setting = await startRamp(platform, { experiment: 'harmful' });
    expect((await actOn(platform, setting, 'hold', { reason: 'lunch' })).body).toMatchObject({ status: 'held' });
    const { state, rollout } = await whileVisited(platform, setting, crashing, () =>
      rampReaches(platform, setting, 'the way back', isBack),
    );
    expect(rollout.end.reason).toContain('crashes');
    expect(state.decision).toMatchObject({ outcome: 'stop', record: rollout.end.record });
    expect((await gateFor(platform, setting)).body).toMatchObject({ verdict: 'no-go', decisionId: rollout.end.record });
  }, 300_000);

  it('is rolled back though its sample ratio is wrong, which alone only holds it', async () => {
    const alone = await startRamp(platform, { experiment: 'lopsided' });
    await send(platform, alone, rampVisits(alone, 0, 600, { ...harmless, arm: lopsided }));
    const { rollout } = await rampReaches(platform, alone, 'the hold', ({ status }) => status === 'held');
    expect(rollout.hold).toMatchObject({ cause: 'quality', sentence: expect.stringMatching(/^invalid/) });
    expect((await gateFor(platform, alone)).status).toBe(425);
    const both = await startRamp(platform, { experiment: 'lopsided-and-harmful' });
    await send(
      platform,
      both,
      rampVisits(both, 0, 600, { ...crashing, crashes: (arm, index) => arm === 'treatment' && index % 2 === 0, arm: lopsided }),
    );
    expect((await rampReaches(platform, both, 'the way back', isBack)).state.decision).toMatchObject({ outcome: 'stop' });
  }, 300_000);
});

describe('a rollout that nothing speaks for', () => {
  it('does not leave its first stage without data, however long it bakes', async () => {
    const setting = await startRamp(platform, {
      experiment: 'silent',
      stages: [...climbing.slice(0, 1), { name: 'all', coverage: 1, bakeSeconds: 1 }],
    });
    await sleep(8_000);
    const rollout = await rolloutOf(platform, setting);
    expect(rollout).toMatchObject({ status: 'running', stage: { name: 'one' } });
    expect(rollout.waits.map(({ what }: { what: string }) => what)).toEqual(expect.arrayContaining(['verdict', 'units']));
    expect((await gateFor(platform, setting)).status).toBe(425);
    expect((await gateFor(platform, setting, 'metric')).status).toBe(200);
    const refused = await actOn(platform, setting, 'advance');
    expect([refused.status, refused.body.code, refused.body.detail]).toEqual([
      409,
      'gates-closed',
      expect.stringContaining('0 of 100 units'),
    ]);
  }, 60_000);

  it('climbs while nothing is worse, and is not released without a gain', async () => {
    const stages = [...climbing.slice(2, 3), { name: 'all', coverage: 1, bakeSeconds: 2 }];
    const setting = await startRamp(platform, { experiment: 'even', stages, plan: { plannedUnits: 1_000_000 } });
    await whileVisited(platform, setting, harmless, async () => {
      await rampReaches(platform, setting, 'its last stage', (_, state) => state?.ramp?.stage === 'all');
      await rampReaches(platform, setting, 'only the verdict is missing', ({ waits }) => waits.length === 1 && waits[0].what === 'verdict');
    });
    expect(await rolloutOf(platform, setting)).toMatchObject({ status: 'running', look: { verdict: 'continue' } });
  }, 300_000);
});

describe('a control plane that is killed in mid-ramp', () => {
  it('goes on with the ramp where it was', async () => {
    const setting = await startRamp(platform, {
      experiment: 'killed',
      stages: [...climbing.slice(1, 3), { name: 'all', coverage: 1, bakeSeconds: 2 }],
    });
    const { state } = await whileVisited(platform, setting, { buysOneIn: { control: 5, treatment: 2 } }, async () => {
      await rampReaches(platform, setting, 'its second stage', (_, run) => run?.ramp?.stage === 'quarter');
      await killPart(platform, 'experiments');
      return rampReaches(
        platform,
        setting,
        'the release',
        ({ status }, { decision }) => status === 'released' && decision !== undefined,
        240_000,
      );
    });
    expect(state.segments.map(({ coverage }: { coverage: number }) => coverage)).toEqual([0.05, 0.25, 1]);
  }, 300_000);
});
