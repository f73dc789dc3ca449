/** A rollout for journeys: seconds instead of days, and units that are assigned by what is written down, as the assignment service would report them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Behaviour, LATENESS_US, type LiveSetting, liveEvent, liveMetrics, liveUses, OUTSIDER_CRASH, send, visits } from './live.js';
import { eventually, type Platform } from './platform.js';

const SECOND = 1_000_000;

export interface RampOptions {
  readonly experiment: string;
  readonly stages?: readonly object[];
  readonly metrics?: readonly object[];
  readonly uses?: readonly object[];
  readonly plan?: object;
  /** More of the rollout's definition. */
  readonly rollout?: object;
}

export const RAMP = 'ramp';

const stage = (name: string, coverage: number, more: object = {}) => ({ name, coverage, bakeSeconds: 4, minUnits: 100, ...more });
export const climbing = [stage('one', 0.01), stage('five', 0.05), stage('quarter', 0.25), stage('half', 0.5)];

const query = ({ project }: Pick<LiveSetting, 'project'>) => `?project=${project}`;

/** Defines feature, metrics, experiment and rollout (named like the experiment), and starts the rollout. Its write key works when this resolves. */
export const startRamp = async (platform: Platform, options: RampOptions): Promise<LiveSetting> => {
  const { experiment } = options;
  const [project, environment] = [RAMP, 'production'];
  const at = query({ project });
  const expect = async (allowed: readonly number[], ...[method, path, body]: readonly [string, string, object]) => {
    const answer = await platform.call(method, `${path}${at}`, body);
    if (!allowed.includes(answer.status)) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await expect([201, 409], 'POST', '/v1/projects', { key: project, name: project });
  await expect([201, 409], 'POST', '/v1/environments', { key: environment, kind: 'live' });
  const { key } = await expect([201], 'POST', '/v1/keys', { name: 'writes', role: 'emit', environment });
  for (const metric of (options.metrics ?? liveMetrics) as readonly { key: string }[])
    await expect([200, 201], 'PUT', `/v1/metrics/${metric.key}`, metric);
  const variants = ['control', 'treatment'].map((name) => ({ key: name, value: name === 'treatment' }));
  const feature = { key: experiment, name: experiment, valueType: 'boolean', variants, defaultVariant: 'control' };
  await expect([200, 201], 'PUT', `/v1/features/${experiment}`, feature);
  await expect([201], 'POST', '/v1/experiments', {
    key: experiment,
    name: experiment,
    feature: experiment,
    assignment: 'rampart',
    variants: [{ key: 'control' }, { key: 'treatment' }],
    control: 'control',
    metrics: options.uses ?? liveUses,
    plan: { minimumRunUs: 4 * SECOND, allowedLatenessUs: LATENESS_US, plannedUnits: 4_000, ...options.plan },
  });
  const rollout = { key: experiment, name: experiment, experiment, environment, stages: options.stages ?? climbing, freshnessSeconds: 15 };
  await expect([201], 'POST', '/v1/rollouts', { ...rollout, ...options.rollout });
  await expect([200], 'POST', `/v1/rollouts/${experiment}/start`, { reason: 'a journey' });
  await eventually('the write key works', async () => {
    const answer = await platform.call('POST', '/v1/ingest/validate', [liveEvent('purchase', 'probe', Date.now())], { key });
    return answer.status === 200 ? true : undefined;
  });
  const setting = { project, environment, experiment, key };
  // Somebody crashed today: that no unit of the experiment does means zero, and is not missing data.
  await send(platform, setting, [liveEvent('crash', 'outsider', Date.now(), undefined, OUTSIDER_CRASH)]);
  return setting;
};

/** The same visits, with the reason that Rampart's own assignment gives. */
export const rampVisits = (setting: LiveSetting, from: number, to: number, behaviour: Behaviour): readonly object[] =>
  (visits(setting, from, to, behaviour) as readonly { type: string; data: object }[]).map((event) =>
    event.type === 'exposure.v1' ? { ...event, data: { ...event.data, reason: 'SPLIT' } } : event,
  );

/** Some hundred units each 300 ms until `body` is over. @returns what it returned */
export const whileVisited = async <Value>(
  platform: Platform,
  setting: LiveSetting,
  behaviour: Behaviour,
  body: () => Promise<Value>,
): Promise<Value> => {
  let isOver = false;
  const visiting = (async () => {
    for (let next = 0; !isOver; next += 100) {
      // A part that was killed comes back: what it was sent then is sent again.
      await eventually('events are taken', async () => {
        await send(platform, setting, rampVisits(setting, next, next + 100, behaviour));
        return true;
      });
      await sleep(300);
    }
  })();
  try {
    return await body();
  } finally {
    isOver = true;
    await visiting;
  }
};

// biome-ignore lint/suspicious/noExplicitAny: a journey reads answers as a client without types would.
export const rolloutOf = async (platform: Platform, { experiment, project }: LiveSetting): Promise<any> =>
  (await platform.call('GET', `/v1/rollouts/${experiment}${query({ project })}`)).body;

export const actOn = (platform: Platform, { experiment, project }: LiveSetting, action: string, body: object = {}) =>
  platform.call('POST', `/v1/rollouts/${experiment}/${action}${query({ project })}`, body);

export const rampHistory = async (platform: Platform, { experiment, project }: LiveSetting): Promise<readonly RampLine[]> =>
  (await platform.call('GET', `/v1/rollouts/${experiment}/history${query({ project })}`)).body.items;

export interface RampLine {
  readonly type: string;
  readonly actor: string;
  readonly sentence: string;
  readonly record: string | null;
  readonly at: string;
}

// biome-ignore lint/suspicious/noExplicitAny: see above.
export const rampStateOf = async (platform: Platform, { experiment, project, environment }: LiveSetting): Promise<any> =>
  (await platform.call('GET', `/v1/experiments/${experiment}${query({ project })}`)).body.environments[environment];

/** Waits until the rollout, and its experiment after it, are so. */
export const rampReaches = (
  platform: Platform,
  setting: LiveSetting,
  what: string,
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  isThere: (rollout: any, state: any) => boolean,
  withinMs = 120_000,
) =>
  eventually(
    what,
    async () => {
      const rollout = await rolloutOf(platform, setting);
      const state = await rampStateOf(platform, setting);
      return isThere(rollout, state) ? { rollout, state } : undefined;
    },
    withinMs,
  );

export const gateFor = (platform: Platform, { experiment, project }: LiveSetting, as = 'status') =>
  platform.call('GET', `/v1/rollouts/${experiment}/gate${query({ project })}&as=${as}`);
