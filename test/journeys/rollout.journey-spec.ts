import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resultsOf } from './live.js';
import { eventually, type Platform, startPlatform } from './platform.js';
import { gateFor, rampHistory, rampReaches, startRamp, whileVisited } from './ramp.js';

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform({ env: { RAMPART_LOOK_INTERVAL_MS: '500' } });
}, 120_000);

afterAll(async () => {
  await platform.stop();
  platform.remove();
}, 60_000);

describe('a rollout of something better', () => {
  it('climbs 1 → 5 → 25 → 50 % by itself and is released; its result stays to the digest', async () => {
    const setting = await startRamp(platform, { experiment: 'better' });
    const behaviour = { buysOneIn: { control: 5, treatment: 2 } };
    const { state, rollout } = await whileVisited(platform, setting, behaviour, () =>
      rampReaches(platform, setting, 'the release', ({ status }, { decision }) => status === 'released' && decision !== undefined, 90_000),
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
    const closed = await eventually('the result is closed', async () => {
      const { body } = await resultsOf(platform, setting);
      return body.status === 'complete' ? body : undefined;
    });
    expect(closed.evidenceDigest).toBe(record.record.evidenceDigest);
  }, 150_000);
});

describe('a rollout of something harmful', () => {
  it('is rolled back within seconds, while few have crashed', async () => {
    const setting = await startRamp(platform, { experiment: 'harmful' });
    const crashes = (arm: string, index: number) => arm === 'treatment' && index % 4 === 0;
    const behaviour = { buysOneIn: { control: 4, treatment: 4 }, crashes };
    const { state, rollout } = await whileVisited(platform, setting, behaviour, () =>
      rampReaches(platform, setting, 'the way back', ({ status }, { decision }) => status === 'rolled-back' && decision !== undefined),
    );
    expect(rollout.end.reason).toContain('crashes');
    expect(state.decision).toMatchObject({ outcome: 'stop', record: rollout.end.record });
    expect((await gateFor(platform, setting)).body).toMatchObject({ verdict: 'no-go', decisionId: rollout.end.record });
  }, 120_000);
});
