import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  decisionsOf,
  type LiveSetting,
  liveEvent,
  liveExposure,
  liveMetrics,
  recordSaying,
  replay,
  resultsOf,
  send,
  startLive,
  stream,
  visits,
} from './live.js';
import { eventually, killPart, type Platform, startPlatform } from './platform.js';
import { settingsOf } from './twin.js';

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform({ env: { RAMPART_LOOK_INTERVAL_MS: '500' } });
}, 120_000);

afterAll(async () => {
  await platform.stop();
  platform.remove();
}, 60_000);

/** Results in which every unit that was sent is counted and final. */
const whenFinal = (setting: LiveSetting, units: number) =>
  eventually(`${units} units of ${setting.experiment} are final`, async () => {
    const { body } = await resultsOf(platform, setting);
    const isFinal = (metric: { arms: { n: number }[] }) => metric.arms.reduce((sum, { n }) => sum + n, 0) === units;
    return body.metrics?.every(isFinal) ? body : undefined;
  });

describe('an experiment that runs live', () => {
  it('waits with its reasons, then goes by itself, and its record recounts', async () => {
    const setting = await startLive(platform, { experiment: 'better' });
    const first = await recordSaying(platform, setting, 'continue');
    expect(first.sentence).toMatch(/waits|no data|no result/);
    let isOver = false;
    const streaming = stream(platform, setting, { buysOneIn: { control: 5, treatment: 2 } }, () => isOver);
    try {
      const go = await recordSaying(platform, setting, 'go');
      expect(go.sentence).toMatch(/^go with treatment – converted is [\d.]+ % better/);
      const { body: record } = await platform.call('GET', `/v1/decisions/${go.id}?project=${setting.project}`);
      expect(record.record).toMatchObject({ id: go.id, policy: 'ship', actions: { experiment: 'recommend-shipping', gate: 'go' } });
      const again = await replay(platform, setting, go.id);
      expect(again).toMatchObject({ intact: true, evidence: { same: true, differences: [] }, conclusion: { same: true, differences: [] } });
    } finally {
      isOver = true;
      await streaming;
    }
  }, 90_000);

  it('is no-go as soon as the treatment crashes more, while few have crashed, and says both numbers', async () => {
    const setting = await startLive(platform, { experiment: 'harmful' });
    const crashes = (arm: string, index: number) => arm === 'treatment' && index % 4 === 0;
    let isOver = false;
    const streaming = stream(platform, setting, { buysOneIn: { control: 4, treatment: 4 }, crashes }, () => isOver);
    try {
      const record = await recordSaying(platform, setting, 'no-go');
      expect(record.sentence).toContain('crashes');
      expect(record).toMatchObject({ actions: { ramp: 'roll-back', experiment: 'recommend-stopping', gate: 'no-go' } });
    } finally {
      isOver = true;
      await streaming;
    }
  }, 90_000);

  it('is invalid when units of one arm vanish: that alone holds, with crashes beside it rolls back', async () => {
    // Two of three treatment units never report.
    const arm = (index: number) => (index % 4 === 1 ? 'treatment' : 'control') as 'treatment' | 'control';
    const alone = await startLive(platform, { experiment: 'lopsided' });
    await send(platform, alone, visits(alone, 0, 600, { buysOneIn: { control: 4, treatment: 4 }, arm }));
    expect(await recordSaying(platform, alone, 'invalid')).toMatchObject({
      actions: { ramp: 'hold', gate: 'wait', experiment: 'recommend-repair' },
    });

    const crashing = await startLive(platform, { experiment: 'lopsided-crashing' });
    await send(
      platform,
      crashing,
      visits(crashing, 0, 600, { buysOneIn: { control: 4, treatment: 4 }, arm, crashes: (which) => which === 'treatment' }),
    );
    await eventually('roll back beside invalid', async () => {
      const [newest] = await decisionsOf(platform, crashing);
      const isRolledBack = newest?.actions.ramp === 'roll-back' && newest.actions.gate === 'no-go';
      return newest?.verdict === 'invalid' && isRolledBack ? true : undefined;
    });
  }, 90_000);

  it('without data continues, with the reason', async () => {
    const uses = [
      { metric: 'converted', role: 'success' },
      { metric: 'silence', role: 'guardrail' },
    ];
    const silence = {
      key: 'silence',
      name: 'silence',
      type: 'first-error',
      unitType: 'user',
      numerator: { event: 'never-sent' },
      direction: 'decrease',
    };
    const setting = await startLive(platform, { experiment: 'silent', environment: 'quiet', metrics: [...liveMetrics, silence], uses });
    await send(platform, setting, visits(setting, 0, 400, { buysOneIn: { control: 5, treatment: 2 } }));
    await eventually('the reason', async () => {
      const { body } = await resultsOf(platform, setting);
      return body.verdict.sentence.includes('silence has no data') && body.metrics[0].arms[0].n === 200 ? true : undefined;
    });
    const record = await recordSaying(platform, setting, 'continue');
    expect(record.sentence).toMatch(/^continue – /);
    expect(record).toMatchObject({ actions: { ramp: 'stay', experiment: 'stay', gate: 'wait' } });
  }, 60_000);
});

describe('a plan that is replaced while it is looked at', () => {
  it('begins a new comparison: what was seen decides nothing in it, and stays what it was', async () => {
    const setting = await startLive(platform, { experiment: 'replanned', environment: 'replanning' });
    const at = `/v1/experiments/replanned?project=${setting.project}`;
    await send(platform, setting, visits(setting, 0, 400, { buysOneIn: { control: 5, treatment: 2 } }));
    const before = await whenFinal(setting, 400);
    const old = await eventually('a record of them', async () =>
      (await decisionsOf(platform, setting)).find(({ evidenceDigest }) => evidenceDigest === before.evidenceDigest),
    );
    const { body: found } = await platform.call('GET', at);
    const stricter = { ...found.definition, plan: { ...found.definition.plan, alpha: 0.01 } };
    expect(await platform.call('PUT', at, stricter)).toMatchObject({ status: 409, body: { code: 'plan-frozen' } });
    const { status, body } = await platform.call('PUT', `${at}&newComparison=true`, stricter);
    expect([status, body.environments.replanning.planInForce.before.comparisons]).toEqual([200, 1]);

    // Some of before come again, now in the other arm: they are units like others.
    const otherArm = (index: number) => (index % 2 === 1 ? 'control' : 'treatment') as 'control' | 'treatment';
    await send(platform, setting, visits(setting, 0, 100, { buysOneIn: { control: 4, treatment: 4 }, arm: otherArm }));
    await send(platform, setting, visits(setting, 400, 500, { buysOneIn: { control: 4, treatment: 4 } }));
    const after = await whenFinal(setting, 200);
    expect(after).toMatchObject({ definitionVersion: 2, planInForce: { comparison: 2, levels: { superiority: 0.01 } } });
    expect(after.warnings.join()).toContain('what comparison 1 saw decides nothing here');
    expect(after.warnings.join()).toContain('gets a go under ship with a chance of at most 6 %');
    expect(after.metrics[0].arms.map(({ n }: { n: number }) => n)).toEqual([100, 100]);
    expect((await resultsOf(platform, setting, before.watermark)).body.evidenceDigest).toBe(before.evidenceDigest);
    expect(await replay(platform, setting, old.id)).toMatchObject({ evidence: { same: true }, conclusion: { same: true } });
  }, 90_000);
});

describe('what is known at a moment', () => {
  it('stays what it was: late events, repeats, merges and rebuilds move no closed sum, and beyond the watermark is 409', async () => {
    const setting = await startLive(platform, { experiment: 'closed', environment: 'past' });
    const events = visits(setting, 0, 300, { buysOneIn: { control: 3, treatment: 2 } });
    const sentAtMs = Date.now();
    await send(platform, setting, events);
    const before = await whenFinal(setting, 300);
    const asOf: string = before.watermark;
    expect(before.metrics[0].arms.map((arm: { n: number }) => arm.n)).toEqual([150, 150]);

    // A purchase inside of its window that becomes known after the unit was final; everything else once more.
    await send(platform, setting, [liveEvent('purchase', 'closed-u3', sentAtMs + 500, 7), ...events]);
    const after = await eventually('the late event is counted as late', async () => {
      const { body } = await resultsOf(platform, setting);
      const late = body.metrics?.[0].arms.reduce((sum: number, arm: { lateEvents: number }) => sum + arm.lateEvents, 0);
      return late === 1 ? body : undefined;
    });
    expect(after.evidenceDigest).toBe(before.evidenceDigest);
    expect(after.population.duplicates.duplicates).toBeGreaterThanOrEqual(events.length);

    const then = (await resultsOf(platform, setting, asOf)).body;
    expect(then.evidenceDigest).toBe(before.evidenceDigest);
    expect(then.metrics[0].arms.map((arm: { lateEvents: number }) => arm.lateEvents)).toEqual([0, 0]);

    const future = new Date(Date.now() + 3_600_000).toISOString();
    const refused = await resultsOf(platform, setting, future);
    expect(refused).toMatchObject({ status: 409, body: { code: 'watermark-behind' } });

    const decisions = await decisionsOf(platform, setting);
    const rebuilt = await platform.call('POST', '/v1/analysis/rebuild');
    expect(rebuilt.status).toBe(202);
    const anew = await eventually('the rebuilt store has caught up', async () => {
      const { status, body } = await resultsOf(platform, setting, asOf);
      return status === 200 ? body : undefined;
    });
    expect(anew.evidenceDigest).toBe(before.evidenceDigest);
    for (const { id } of decisions)
      expect(await replay(platform, setting, id)).toMatchObject({ evidence: { same: true }, conclusion: { same: true } });
  }, 120_000);

  it('has a course: the time series ends with the results of now, and its points are what asOf says', async () => {
    const setting: LiveSetting = { project: 'live', environment: 'past', experiment: 'closed', key: '' };
    const path = `/v1/experiments/closed/timeseries?project=live&environment=past&points=10`;
    const { body } = await platform.call('GET', path);
    expect(body.points.length).toBeGreaterThan(1);
    for (const point of [body.points[0], body.points.at(-1)]) {
      const { status, body: results } = await resultsOf(platform, setting, point.asOf);
      expect([status, results.detail]).toEqual([200, undefined]);
      const arms = results.metrics.map((metric: { arms: { arm: string; n: number; mean: number | null }[] }) =>
        metric.arms.map(({ arm, n, mean }) => ({ arm, n, mean })),
      );
      expect(point.metrics.map((metric: { arms: object[] }) => metric.arms)).toEqual(arms);
    }
  }, 60_000);

  it('is told hop by hop', async () => {
    const { body } = await platform.call('GET', '/v1/analysis/freshness');
    expect(body.hops.map((hop: { hop: string }) => hop.hop)).toEqual(['door', 'log', 'definitions', 'store', 'look', 'record']);
    for (const { hop, ageMs } of body.hops as readonly { hop: string; ageMs: number | null }[])
      if (hop !== 'record' && hop !== 'door') expect([hop, ageMs !== null && ageMs < 15_000]).toEqual([hop, true]);
    const { body: metrics } = await platform.call('GET', '/metrics/analysis', undefined, { key: null });
    expect(metrics).toMatch(/rampart_freshness_age_seconds\{hop="look"[^}]*\} \d/);
  }, 60_000);
});

describe('one altered row', () => {
  /** In the store, as somebody with access to it could. */
  const clickhouse = async (sql: string): Promise<string> => {
    const settings = settingsOf(platform.processes().analysis ?? 0);
    const url = new URL(settings.RAMPART_CLICKHOUSE_URL ?? '');
    const authorization = `Basic ${Buffer.from(`${url.username || 'default'}:${url.password}`).toString('base64')}`;
    const database = settings.RAMPART_CLICKHOUSE_DATABASE ?? 'rampart';
    const answer = await fetch(`${url.origin}/?database=${database}&compile_expressions=0`, {
      method: 'POST',
      body: sql,
      headers: { authorization },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return text.trim();
  };

  it('makes the replay of its records fail, and names the metric with both sums', async () => {
    const setting = await startLive(platform, { experiment: 'altered', environment: 'altered' });
    // The only purchase of 77.25 that there is.
    const events = visits(setting, 0, 400, { buysOneIn: { control: 5, treatment: 2 } });
    await send(platform, setting, [...events, liveEvent('purchase', 'altered-u1', Date.now(), 77.25, 'the-altered-one')]);
    const record = await recordSaying(platform, setting, 'go');
    expect(await replay(platform, setting, record.id)).toMatchObject({ evidence: { same: true }, conclusion: { same: true } });

    await clickhouse(`ALTER TABLE feedback UPDATE value = value + 1000000 WHERE value = 77250000 SETTINGS mutations_sync = 1`);
    const altered = await replay(platform, setting, record.id);
    expect(altered).toMatchObject({ intact: true, evidence: { same: false } });
    expect(altered.evidence.differences).toContainEqual(
      expect.objectContaining({
        metric: 'revenue',
        arm: 'treatment',
        field: 'sum',
        recorded: expect.any(String),
        recounted: expect.any(String),
      }),
    );
    expect(new Set(altered.evidence.differences.map(({ metric }: { metric: string }) => metric))).toEqual(new Set(['revenue']));
    expect(altered.sentence).toContain('revenue of treatment');

    await clickhouse(`ALTER TABLE feedback UPDATE value = value - 1000000 WHERE value = 78250000 SETTINGS mutations_sync = 1`);
    expect(await replay(platform, setting, record.id)).toMatchObject({ evidence: { same: true } });
  }, 120_000);
});

describe('decisions outlive what decides', () => {
  it('one chain without a fork, whatever is killed while it grows; every record recounts', async () => {
    const setting = await startLive(platform, { experiment: 'survivor', environment: 'rough' });
    await recordSaying(platform, setting, 'continue');
    let isOver = false;
    const sending = (async () => {
      let next = 0;
      while (!isOver) {
        const events = visits(setting, next, next + 60, { buysOneIn: { control: 5, treatment: 2 } });
        // At the door 503 while a part is away: the same events again, as a client does.
        await eventually('the events are taken', async () => {
          await send(platform, setting, events);
          return true;
        });
        next += 60;
        await sleep(200);
      }
    })();
    try {
      for (const part of ['analysis', 'experiments', 'ingestion', 'clickhouse', 'analysis']) {
        await sleep(2_500);
        await killPart(platform, part);
      }
      await recordSaying(platform, setting, 'go', 60_000);
    } finally {
      isOver = true;
      await sending;
    }
    const chain = await decisionsOf(platform, setting);
    expect(chain.length).toBeGreaterThan(1);
    for (const [index, { previous }] of chain.entries()) expect(previous).toBe(chain[index + 1]?.id ?? null);
    for (const { id } of chain) {
      const again = await eventually('the replay is answered', async () => {
        const body = await replay(platform, setting, id);
        return body.evidence === undefined ? undefined : body;
      });
      expect(again).toMatchObject({ intact: true, evidence: { same: true }, conclusion: { same: true } });
    }
  }, 180_000);

  it('a person closes it: what is decided is decided as of the newest look, for ever', async () => {
    const setting = await startLive(platform, { experiment: 'ended', environment: 'ends' });
    await send(platform, setting, visits(setting, 0, 400, { buysOneIn: { control: 5, treatment: 2 } }));
    const { watermark } = await whenFinal(setting, 400);
    const at = `?project=live&environment=ends`;
    await eventually('a look knows all of them', async () => {
      const { body } = await platform.call('GET', '/v1/experiments/ended?project=live');
      return body.environments?.ends?.look?.knownUntil >= watermark ? true : undefined;
    });
    const decided = await platform.call('POST', `/v1/experiments/ended/decide${at}`, { outcome: 'ship', reason: 'better' });
    expect(decided.status).toBe(200);
    const closed = await eventually('results are complete', async () => {
      const { body } = await resultsOf(platform, setting);
      return body.status === 'complete' ? body : undefined;
    });
    const decisions = await eventually('the closing record', async () => {
      const found = await decisionsOf(platform, setting);
      return found[0]?.cause === 'closing' ? found : undefined;
    });
    expect(decisions[0]?.evidenceDigest).toBe(closed.evidenceDigest);
    expect(closed.metrics[0].arms.map((arm: { n: number }) => arm.n)).toEqual([200, 200]);
    await send(platform, setting, [
      liveExposure(setting, 'latecomer', 'treatment', Date.now()),
      liveEvent('purchase', 'latecomer', Date.now()),
    ]);
    await sleep(4_000);
    const later = (await resultsOf(platform, setting)).body;
    expect(later.evidenceDigest).toBe(closed.evidenceDigest);
    expect(await decisionsOf(platform, setting)).toHaveLength(decisions.length);
  }, 90_000);
});
