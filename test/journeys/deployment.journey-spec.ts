import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { doctor, doctorRequest } from '@rampart/cli/doctor';
import { assigned, defineAssigned } from './assigned.js';
import { type Deployment, startDeployment } from './deployment.js';
import { completed, defineExperiment, finalResults, history, purchase } from './experiment.js';
import { replay } from './live.js';
import { eventually, type Platform, startPlatform } from './platform.js';
import { rampHistory, rampReaches, startRamp, whileVisited } from './ramp.js';

const UNITS = 1_500;
const PER_BATCH = 250;

let deployment: Deployment;
let embedded: Platform;

beforeAll(async () => {
  [deployment, embedded] = await Promise.all([startDeployment(), startPlatform({ log: 'embedded' })]);
}, 240_000);

afterAll(async () => {
  await Promise.all([deployment?.stop(), embedded?.stop()]);
  deployment?.remove();
  embedded?.remove();
}, 90_000);

/** Every batch until it is acknowledged. */
const sendHistory = async (platform: Platform, key: string, during: (batch: number) => Promise<void> = async () => undefined) => {
  const events = [...history(UNITS), completed];
  for (let at = 0; at < events.length; at += PER_BATCH) {
    await during(at / PER_BATCH);
    await eventually(
      `batch at ${at} is acknowledged`,
      async () => {
        const { status, body } = await platform.call('POST', '/v1/events', events.slice(at, at + PER_BATCH), { key });
        return status === 202 && body.rejected === 0 ? true : undefined;
      },
      60_000,
    );
  }
};

const metricOf = async (address: string, name: string): Promise<number> => {
  const text = await (await fetch(`${address}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

describe('three brokers, two shards, a PostgreSQL and each service twice', () => {
  it('give the same evidence as one machine, though a broker and a consumer die on the way', async () => {
    const here = await defineExperiment(embedded, 'past', 'historical');
    await sendHistory(embedded, here.key);
    const there = await defineExperiment(deployment, 'past', 'historical');
    let back: Promise<void> = Promise.resolve();
    await sendHistory(deployment, there.key, async (batch) => {
      if (batch === 2) {
        await deployment.engines.kafka.kill(0);
        back = sleep(2_000).then(() => deployment.engines.kafka.restart(0));
      }
      if (batch === 4) await deployment.member('analysis-1').kill();
    });
    await back;
    const [one, many] = await Promise.all([finalResults(embedded, here), finalResults(deployment, there, 90_000)]);
    expect(many.evidenceDigest).toMatch(/^[0-9a-f]{16,}$/);
    expect(many.evidenceDigest).toBe(one.evidenceDigest);
    expect(many.sufficientStatistics).toEqual(one.sufficientStatistics);
  }, 240_000);

  it('share the work: both analysis processes read, both shards hold units', async () => {
    const rows = () =>
      Promise.all(['analysis-1', 'analysis-2'].map((name) => metricOf(deployment.member(name).address, 'rampart_feedback_rows_total')));
    const { key } = await defineExperiment(deployment, 'shared', 'live');
    // Units of every partition; the process that died may still be on its way back to its share of them.
    const bought = Array.from({ length: 64 }, (_, index) => purchase(`shared-${index}`, 1, index));
    const before = await rows();
    await eventually('both have read some of what is sent now', async () => {
      await deployment.call('POST', '/v1/events', bought, { key });
      const now = await rows();
      return now.every((count, index) => count > (before[index] ?? 0)) ? true : undefined;
    });
    const counts = await Promise.all(
      deployment.engines.clickhouse.url.split(',').map(async (url) => {
        const { origin, username, password } = new URL(url);
        const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
        const query = encodeURIComponent('SELECT uniqExact(unit) FROM rampart.exposure');
        return Number(await (await fetch(`${origin}/?query=${query}`, { headers: { authorization } })).text());
      }),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(UNITS);
    expect(Math.min(...counts)).toBeGreaterThan(UNITS / 3);
  }, 60_000);

  it('assign alike, whichever process is asked', async () => {
    const { clientKey } = await defineAssigned(deployment);
    const [one, two] = ['assignment-1', 'assignment-2'].map((name) => deployment.member(name).address);
    for (const unit of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      const ask = (address = '') =>
        eventually('it is asked', () => assigned(address, clientKey, 'checkout', unit, { 'x-rampart-exposure': 'none' }));
      expect((await ask(one)).variant).toBe((await ask(two)).variant);
    }
  }, 60_000);

  it('roll a harmful change back once, though the process that moves rollouts dies: the other one was waiting', async () => {
    const setting = await startRamp(deployment, { experiment: 'harmful' });
    const crashing = {
      buysOneIn: { control: 4, treatment: 4 },
      crashes: (arm: string, index: number) => arm === 'treatment' && index % 4 === 0,
    };
    const isBack = ({ status }: { status: string }, { decision }: { decision?: object }) =>
      status === 'rolled-back' && decision !== undefined;
    const { rollout } = await whileVisited(deployment, setting, crashing, async () => {
      // One of the two moves rollouts: it has died after both have.
      for (const name of ['experiments-1', 'experiments-2']) {
        await deployment.member(name).kill();
        await deployment.member(name).whenReady();
      }
      return rampReaches(deployment, setting, 'the way back', isBack);
    });
    const history = await rampHistory(deployment, setting);
    expect(history.filter(({ type }) => type === 'RolloutRolledBack')).toHaveLength(1);
    expect(await replay(deployment, setting, rollout.end.record)).toMatchObject({ intact: true, evidence: { same: true } });
  }, 180_000);

  it('are all asked by the doctor, who tells of the one of two that does not answer', async () => {
    const examined = async () => {
      let said = '';
      const request = doctorRequest({ words: [], texts: { address: deployment.address }, flags: { json: true } });
      await doctor(request, { RAMPART_DATA: deployment.data, RAMPART_ADMIN_KEY: deployment.adminKey }, (text) => {
        said += text;
      });
      return JSON.parse(said) as {
        readonly findings: readonly { readonly code: string; readonly subject: string }[];
        readonly facts: {
          readonly services: readonly { readonly name: string; readonly diagnosis?: { readonly pid: number } }[];
          readonly freshness: { readonly hops: readonly { readonly hop: string; readonly ageMs: number | null }[] };
        };
      };
    };
    const { facts } = await examined();
    // Whichever process answers: only one of two takes the looks.
    for (let time = 0; time < 4; time++) {
      const { findings, facts: seen } = await examined();
      expect(findings.filter(({ subject }) => subject === 'look')).toEqual([]);
      expect(seen.freshness.hops.find(({ hop }) => hop === 'look')?.ageMs).toEqual(expect.any(Number));
    }
    const processes = Object.entries(deployment.processes()).filter(([name]) => name !== 'door');
    expect(facts.services.map(({ name, diagnosis }) => [name, diagnosis?.pid]).sort()).toEqual(processes.sort());
    deployment.member('assignment-2').signal('SIGSTOP');
    try {
      const { findings } = await examined();
      const silent = findings.filter(({ code }) => code === 'service-unreachable').map(({ subject }) => subject);
      expect(silent).toEqual(['assignment-2']);
    } finally {
      deployment.member('assignment-2').signal('SIGCONT');
    }
  }, 60_000);
});
