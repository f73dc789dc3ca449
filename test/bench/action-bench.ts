/**
 * Harm undone: from the acknowledgement of the event that proves it to the first evaluation that serves the control, with 20 rollouts active and
 * 10 M rows stored. Which event proves it is computed here, from the counts alone, with the production functions.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RolloutRequest } from '@rampart/contracts';
import { alphaMinusOf, errorBudget } from '@rampart/domain';
import { ClickhouseFeedbackStore, type PlacedRow } from '@rampart/feedback-store';
import { firstErrorHarm } from '@rampart/statistics';
import { startDeployment } from '../journeys/deployment.js';
import { eventually, killPart, type Platform, startPlatform } from '../journeys/platform.js';
import { settingsOf } from '../journeys/twin.js';
import { count, type Measurement, median, seconds } from './table.js';

const PROJECT = 'bench';
const ENVIRONMENT = 'production';
const ACTIVE = 20;
const RUNS = 20;
const ROWS = 10_000_000;
const UNITS = 1_000_000;
const BATCH = 50_000;
const SECOND_US = 1_000_000;
/** Between two crashes: each is a request of its own, as a service in trouble would send them. */
const CRASH_EVERY_MS = 100;
const ASK_EVERY_MS = 20;
const AT = `?project=${PROJECT}`;

/** Runs and rows of a smaller size, for a look at whether it works. */
const sizes = { rows: Number(process.env.RAMPART_BENCH_ROWS ?? ROWS), runs: Number(process.env.RAMPART_BENCH_RUNS ?? RUNS) };

type Say = (line: string) => void;

export const actionBench = async (say: Say): Promise<readonly Measurement[]> => {
  const platform = await startPlatform({ log: 'embedded' });
  const { RAMPART_CLICKHOUSE_URL: url } = settingsOf(platform.processes().analysis ?? 0);
  if (url === undefined) throw new Error('the platform has no store of its own');
  return actionOn(platform, { store: { url }, killAnalysis: () => killPart(platform, 'analysis') }, say);
};

/** Three brokers, two shards, each service twice; looks as often as anywhere else. */
export const actionClusterBench = async (say: Say): Promise<readonly Measurement[]> => {
  const deployment = await startDeployment({ env: { RAMPART_LOOK_INTERVAL_MS: '2000' } });
  const { url, cluster } = deployment.engines.clickhouse;
  const analysis = ['analysis-1', 'analysis-2'].map((name) => deployment.member(name));
  return actionOn(deployment, { store: { url, cluster }, killAnalysis: () => Promise.all(analysis.map((one) => one.kill())) }, say);
};

interface Behind {
  readonly store: { readonly url: string; readonly cluster?: string };
  killAnalysis(): Promise<unknown>;
}

const actionOn = async (platform: Platform, behind: Behind, say: Say): Promise<readonly Measurement[]> => {
  try {
    const world = await World.open(platform);
    for (let index = 0; index < ACTIVE; index++) await world.startRollout(index);
    await fill(behind, say);
    await world.untilLookedAt(ACTIVE, Date.now());
    const crossing = crashesThatProveHarm();
    say(`action: ${ACTIVE} rollouts run, ${count(sizes.rows)} rows are stored; ${crossing} crashes against none prove harm`);
    const waits: number[] = [];
    for (let run = 0; run < sizes.runs; run++) {
      const waited = await world.harm(run, crossing);
      waits.push(waited);
      say(`run ${run + 1} of ${sizes.runs}: control served ${seconds(waited)} after the event that proves harm`);
      // As many as before.
      await world.startRollout(ACTIVE + run);
    }
    await behind.killAnalysis();
    const afterKill = await world.harm(sizes.runs, crossing);
    say(`all of analysis killed a moment before: ${seconds(afterKill)}`);
    const sorted = [...waits].sort((a, b) => a - b);
    const worst = sorted.at(-1) ?? Number.NaN;
    const what = `harm proven until control is served, ${ACTIVE} rollouts, ${count(sizes.rows)} rows`;
    const plain = { yardstick: 'a tick each second', ratio: '–' };
    return [
      { what: `${what}, p50`, figure: seconds(median(waits)), target: 'stated', meets: true, ...plain },
      { what: `the same, the longest of ${waits.length}`, figure: seconds(worst), target: '< 10 s', meets: worst < 10_000, ...plain },
      {
        what: 'the same, every process of analysis killed three seconds before the first crash',
        figure: seconds(afterKill),
        target: 'stated',
        meets: true,
        ...plain,
      },
    ];
  } finally {
    await platform.stop();
    platform.remove();
  }
};

/** As the platform shares out its error budget: one success metric, one guardrail, the designed ratio; the first run of a rollout. */
const crashesThatProveHarm = (): number => {
  const { harm } = errorBudget({
    ...{ alpha: 0.05, alphaMinus: alphaMinusOf(0.05, 1), ratioTests: 1, treatments: ['on'] },
    metrics: [{ role: 'success' }, { role: 'guardrail' }],
  });
  for (let crashes = 1; crashes < 1_000; crashes++)
    if (firstErrorHarm({ periods: [{ observed: [0, crashes], weights: [0.5, 0.5] }], alpha: harm }).isHarm) return crashes;
  throw new Error('a thousand crashes against none prove nothing');
};

const rolloutKey = (index: number): string => `ramp-${String(index).padStart(2, '0')}`;

class World {
  private constructor(
    private readonly platform: Platform,
    private readonly client: string,
    private readonly emit: string,
  ) {}

  static async open(platform: Platform): Promise<World> {
    const call = caller(platform);
    await call('POST', '/v1/projects', { key: PROJECT, name: 'Bench' });
    await call('POST', `/v1/environments${AT}`, { key: ENVIRONMENT, kind: 'live' });
    await call('PUT', `/v1/metrics/bought${AT}`, metric('bought', 'proportion', 'purchase', 60 * SECOND_US));
    await call('PUT', `/v1/metrics/crashed${AT}`, metric('crashed', 'first-error', 'crash', null));
    const key = async (role: string): Promise<string> =>
      (await call('POST', `/v1/keys${AT}`, { name: role, role, environment: ENVIRONMENT })).key;
    return new World(platform, await key('client'), await key('emit'));
  }

  async startRollout(index: number): Promise<void> {
    const call = caller(this.platform);
    const key = rolloutKey(index);
    const variants = [
      { key: 'off', value: false },
      { key: 'on', value: true },
    ];
    await call('PUT', `/v1/features/${key}${AT}`, { key, name: key, valueType: 'boolean', variants, defaultVariant: 'off' });
    await call('POST', `/v1/experiments${AT}`, {
      ...{ key, name: key, feature: key, assignment: 'rampart', variants: [{ key: 'off' }, { key: 'on' }], control: 'off' },
      metrics: [
        { metric: 'bought', role: 'success' },
        { metric: 'crashed', role: 'guardrail' },
      ],
      plan: { allowedLatenessUs: 60 * SECOND_US, plannedUnits: 100_000 },
    });
    const rollout: RolloutRequest = {
      ...{ key, name: key, experiment: key, environment: ENVIRONMENT },
      stages: [{ coverage: 1, bakeSeconds: 86_400 }],
    };
    await call('POST', `/v1/rollouts${AT}`, rollout);
    await call('POST', `/v1/rollouts/${key}/start${AT}`, {});
    await eventually(`${key} is served`, async () => ((await this.ask(key, 'nobody', true)).value !== undefined ? true : undefined));
  }

  /** Every comparison was looked at, by whoever came after the one that was killed. */
  async untilLookedAt(rollouts: number, sinceMs: number): Promise<void> {
    for (let index = 0; index < rollouts; index++) {
      const key = rolloutKey(index);
      await eventually(
        `${key} was looked at`,
        async () => {
          const { body } = await this.platform.call('GET', `/v1/rollouts/${key}${AT}`);
          return body.look !== null && Date.parse(body.look.knownUntil) > sinceMs ? true : undefined;
        },
        300_000,
      );
    }
  }

  /** @returns ms from the acknowledgement of the crash that proves harm to the first evaluation that serves control */
  async harm(run: number, crossing: number): Promise<number> {
    const key = rolloutKey(run);
    const victims: string[] = [];
    for (let index = 0; victims.length < crossing + 3; index++) {
      const unit = `run-${run}-${index}`;
      if ((await this.ask(key, unit)).value === true) victims.push(unit);
    }
    // Their exposures come first, whatever the order of partitions.
    await sleep(3_000);
    let provenAt = Number.POSITIVE_INFINITY;
    const crashes = (async () => {
      for (const [index, unit] of victims.slice(0, crossing).entries()) {
        await this.crash(unit);
        if (index === crossing - 1) provenAt = performance.now();
        await sleep(CRASH_EVERY_MS);
      }
    })();
    const [watched = ''] = victims;
    const deadline = performance.now() + 120_000;
    while (performance.now() < deadline) {
      const { value } = await this.ask(key, watched, true);
      if (value === false) {
        const servedAt = performance.now();
        await crashes;
        if (servedAt < provenAt) throw new Error(`${key} was rolled back ${provenAt - servedAt} ms before harm was proven`);
        return servedAt - provenAt;
      }
      await sleep(ASK_EVERY_MS);
    }
    throw new Error(`${key} still serves the treatment two minutes after ${crossing} crashes`);
  }

  private async ask(feature: string, targetingKey: string, isUncounted = false): Promise<{ readonly value?: unknown }> {
    const path = `/ofrep/v1/evaluate/flags/${feature}${isUncounted ? '?x-rampart-exposure=none' : ''}`;
    const { status, body } = await this.platform.call('POST', path, { context: { targetingKey } }, { key: this.client });
    return status === 200 ? body : {};
  }

  private async crash(unit: string): Promise<void> {
    const event = { specversion: '1.0', id: `crash-${unit}`, source: 'bench', type: 'metric.v1' };
    const data = { unit: { type: 'user', id: unit }, name: 'crash' };
    const { status, body } = await this.platform.call('POST', '/v1/events', [{ ...event, data }], { key: this.emit });
    if (status !== 202 || body.accepted !== 1) throw new Error(`a crash was not accepted: ${status} ${JSON.stringify(body)}`);
  }
}

const metric = (key: string, type: string, event: string, windowUs: number | null) => ({
  ...{
    key,
    name: key,
    type,
    unitType: 'user',
    numerator: { event },
    windowUs,
    direction: type === 'first-error' ? 'decrease' : 'increase',
  },
});

const caller =
  (platform: Platform) =>
  async (method: string, path: string, body: object): Promise<{ readonly key: string }> => {
    const answer = await platform.call(method, path, body);
    if (answer.status !== 200 && answer.status !== 201)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };

/** Rows as if they had come while the rollouts ran: straight into the store, which is counted anew by another process then. */
const fill = async ({ store: place, killAnalysis }: Behind, say: Say): Promise<void> => {
  const store = new ClickhouseFeedbackStore({ ...place, maxMemoryBytes: 2_200_000_000 });
  try {
    const nowUs = Date.now() * 1000;
    for (let start = 0; start < sizes.rows; start += BATCH) {
      const size = Math.min(BATCH, sizes.rows - start);
      await store.insert(
        Array.from({ length: size }, (_, at) => rowAt(start + at, nowUs - 500_000)),
        [],
      );
      if (start % 1_000_000 === 0) say(`action: ${count(start)} of ${count(sizes.rows)} rows stored`);
    }
    await store.merge();
  } finally {
    await store.close();
  }
  await killAnalysis();
};

const mixed = (value: number): number => {
  let bits = Math.imul(value ^ (value >>> 16), 0x45d9f3b);
  bits = Math.imul(bits ^ (bits >>> 16), 0x45d9f3b);
  return (bits ^ (bits >>> 16)) >>> 0;
};
const hex = (value: number) => value.toString(16).padStart(8, '0');

/** Two of five are exposures to one of the rollouts, the rest what units do; nobody crashes. */
const rowAt = (index: number, atUs: number): PlacedRow => {
  const unit = mixed(index) % UNITS;
  const rollout = mixed(index * 5) % ACTIVE;
  const common = {
    ...{ project: PROJECT, environment: ENVIRONMENT, unitType: 'user', unit: hex(mixed(unit)) + hex(mixed(unit + 7)) + hex(unit) + hex(0) },
    ...{ source: 'history', id: `${index}`, at: atUs, digest: hex(index) + hex(unit), key: 'bench' },
  };
  const variant = mixed(unit * 31 + rollout) % 2 === 0 ? 'off' : 'on';
  const row =
    index % 5 < 2
      ? ({ ...common, kind: 'exposure', name: rolloutKey(rollout), variant, segment: 1, reason: 'SPLIT' } as const)
      : ({ ...common, kind: 'metric', name: mixed(index * 7) % 4 === 0 ? 'purchase' : 'visit', value: '1000000' } as const);
  return { row, position: BigInt(Math.floor(index / 1000)) * 4096n + BigInt(index % 1000), knownAtUs: atUs, partition: 0 };
};
