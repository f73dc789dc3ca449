/** A live experiment for journeys: short windows, so that verdicts come within seconds; units whose behaviour is written down. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asDescribed } from './answers.js';
import { eventually, type Platform } from './platform.js';

export interface LiveSetting {
  readonly project: string;
  readonly environment: string;
  readonly experiment: string;
  readonly key: string;
}

export interface LiveOptions {
  readonly project?: string;
  readonly environment?: string;
  readonly experiment?: string;
  readonly metrics?: readonly object[];
  readonly uses?: readonly object[];
  readonly plan?: object;
  readonly policy?: 'ship' | 'stage';
}

const SECOND = 1_000_000;

/** The window of the metrics and the lateness of the plan: a unit is final three seconds after its exposure. */
export const WINDOW_US = 2 * SECOND;
export const LATENESS_US = 1 * SECOND;

const metric = (key: string, event: string, more: object = {}) => ({
  key,
  name: key,
  type: 'proportion',
  unitType: 'user',
  numerator: { event },
  windowUs: WINDOW_US,
  ...more,
});

export const liveMetrics = [
  metric('converted', 'purchase'),
  metric('revenue', 'purchase', { type: 'mean', windowUs: WINDOW_US }),
  metric('crashes', 'crash', { type: 'first-error', direction: 'decrease', windowUs: null }),
];

export const liveUses = [
  { metric: 'converted', role: 'success' },
  { metric: 'crashes', role: 'guardrail' },
  { metric: 'revenue', role: 'secondary' },
];

/**
 * Nothing in it ever closes, so that two runs can be compared though an outage of one made everything late: no window, hours of lateness.
 * What is not final can't ship: it is only watched.
 */
export const neverClosing: LiveOptions = {
  experiment: 'steady',
  metrics: liveMetrics.map((one) => ({ ...one, windowUs: null })),
  uses: [
    { metric: 'crashes', role: 'guardrail' },
    { metric: 'converted', role: 'secondary' },
    { metric: 'revenue', role: 'secondary' },
  ],
  policy: 'stage',
  plan: { allowedLatenessUs: 7_200 * SECOND, plannedUnits: 10_000 },
};

/** Events that `startLive` sends by itself. */
export const OUTSIDERS = 1;

/** Defines and starts a live experiment; its write key works when this resolves. */
export const startLive = async (platform: Platform, options: LiveOptions = {}): Promise<LiveSetting> => {
  const { project = 'live', environment = 'production', experiment = 'button', policy = 'ship' } = options;
  const at = `?project=${project}`;
  const expect = async (what: string, allowed: readonly number[], ...[method, path, body]: readonly [string, string, object]) => {
    // What was killed a moment ago may just be coming back.
    const answer = await eventually(`${what} is answered`, async () => {
      const found = await platform.call(method, path, body);
      return found.status === 503 ? undefined : found;
    });
    if (!allowed.includes(answer.status)) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await expect('project', [200, 201, 409], 'POST', '/v1/projects', { key: project, name: project });
  await expect('environment', [200, 201, 409], 'POST', `/v1/environments${at}`, { key: environment, kind: 'live' });
  const { key } = await expect('key', [201], 'POST', `/v1/keys${at}`, { name: 'writes', role: 'emit', environment });
  for (const one of (options.metrics ?? liveMetrics) as readonly { key: string }[])
    await expect('metric', [200, 201], 'PUT', `/v1/metrics/${one.key}${at}`, one);
  await expect('experiment', [201, 409], 'POST', `/v1/experiments${at}`, {
    key: experiment,
    name: experiment,
    unitType: 'user',
    variants: [{ key: 'control' }, { key: 'treatment' }],
    control: 'control',
    metrics: options.uses ?? liveUses,
    policy,
    plan: { minimumRunUs: 4 * SECOND, allowedLatenessUs: LATENESS_US, plannedUnits: 4_000, ...options.plan },
  });
  await expect('start', [200, 201], 'POST', `/v1/experiments/${experiment}/start${at}&environment=${environment}`, {});
  await eventually('the write key works', async () => {
    const answer = await platform.call('POST', '/v1/ingest/validate', [liveEvent('purchase', 'probe', Date.now())], { key });
    return answer.status === 200 ? true : undefined;
  });
  const setting = { project, environment, experiment, key };
  // Somebody crashed today: that no unit of the experiment does means zero, and is not missing data.
  await send(platform, setting, [liveEvent('crash', 'outsider', Date.now(), undefined, OUTSIDER_CRASH)]);
  return setting;
};

/** The event that every live experiment begins with, of a unit that is in none. */
export const OUTSIDER_CRASH = 'first-crash';

/** A unit's name as a part of an event's id: with its own id in it the door would store another id than was sent. */
const inId = (unit: string): string => unit.replaceAll('-', '.');

const instant = (ms: number) => new Date(ms).toISOString();

export const liveExposure = (setting: LiveSetting, unit: string, variant: string, ms: number) => ({
  specversion: '1.0',
  id: `x-${setting.experiment}-${inId(unit)}-${variant}`,
  source: 'live',
  type: 'exposure.v1',
  time: instant(ms),
  data: { unit: { type: 'user', id: unit }, experiment: setting.experiment, variant },
});

export const liveEvent = (name: string, unit: string, ms: number, value?: number, id = `${name}-${inId(unit)}`) => ({
  specversion: '1.0',
  id,
  source: 'live',
  type: 'metric.v1',
  time: instant(ms),
  data: { unit: { type: 'user', id: unit }, name, ...(value === undefined ? {} : { value }) },
});

export interface Behaviour {
  /** One of so many units of the arm buys. */
  readonly buysOneIn: Readonly<Record<'control' | 'treatment', number>>;
  /** Which units of the arm crash, each several times. */
  readonly crashes?: (arm: 'control' | 'treatment', index: number) => boolean;
  /** Which arm a unit gets; alternating by default. */
  readonly arm?: (index: number) => 'control' | 'treatment';
}

/** Exposures of units `from` … `to`, and what they do right after. */
export const visits = (setting: LiveSetting, from: number, to: number, behaviour: Behaviour): readonly object[] => {
  const now = Date.now();
  return Array.from({ length: to - from }, (_, offset) => {
    const index = from + offset;
    const arm = behaviour.arm?.(index) ?? (index % 2 === 0 ? 'control' : 'treatment');
    const unit = `${setting.experiment}-u${index}`;
    const events: object[] = [liveExposure(setting, unit, arm, now)];
    // By the place within the arm, so that shares are exact.
    const place = Math.floor(index / 2);
    if (place % behaviour.buysOneIn[arm] === 0) events.push(liveEvent('purchase', unit, now + 1, (index % 40) + 0.5));
    if (behaviour.crashes?.(arm, place) === true)
      for (const nth of [1, 2, 3]) events.push(liveEvent('crash', unit, now + 1, undefined, `crash-${inId(unit)}-${nth}`));
    return events;
  }).flat();
};

export const send = async (platform: Platform, { key }: LiveSetting, events: readonly object[]): Promise<void> => {
  for (let at = 0; at < events.length; at += 500) {
    const answer = await platform.call('POST', '/v1/events', events.slice(at, at + 500), { key });
    if (answer.status !== 202 || answer.body.rejected !== 0) throw new Error(`events: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
};

/** Some hundred units each 300 ms until told to stop. @returns how many were sent */
export const stream = async (
  platform: Platform,
  setting: LiveSetting,
  behaviour: Behaviour,
  isOver: () => boolean,
  from = 0,
): Promise<number> => {
  let next = from;
  while (!isOver()) {
    await send(platform, setting, visits(setting, next, next + 100, behaviour));
    next += 100;
    await sleep(300);
  }
  return next;
};

const query = ({ project, environment }: LiveSetting) => `?project=${project}&environment=${environment}`;

export const resultsOf = (platform: Platform, setting: LiveSetting, asOf?: string) =>
  platform.call(
    'GET',
    `/v1/experiments/${setting.experiment}/results${query(setting)}${asOf === undefined ? '' : `&asOf=${encodeURIComponent(asOf)}`}`,
  );

/** Results that count everything that the log held when this was called. @param sent  events that must be stored by then */
export const wholeResults = async (platform: Platform, setting: LiveSetting, sent: number) => {
  const stored = await eventually(
    `${sent} events of ${setting.environment} are stored`,
    async () => {
      const { status, body } = await resultsOf(platform, setting);
      return status === 200 && body.population.duplicates.stored >= sent + OUTSIDERS ? asDescribed(body) : undefined;
    },
    90_000,
  );
  expectNoMore(stored.population.duplicates.stored, sent + OUTSIDERS);
  const newest = await eventually('nothing waits in the log', async () => {
    const { status, body } = await platform.call('GET', '/v1/analysis/freshness');
    const partitions = body.partitions as readonly { readonly lag: number; readonly knownAt: string | null }[];
    // A tick or two may be on their way at any moment.
    if (status !== 200 || partitions.some(({ lag }) => lag > 2)) return undefined;
    return partitions
      .map(({ knownAt }) => knownAt ?? '')
      .sort()
      .at(-1);
  });
  return eventually('the watermark has passed it', async () => {
    const { status, body } = await resultsOf(platform, setting);
    return status === 200 && body.watermark >= newest ? body : undefined;
  });
};

const expectNoMore = (found: number, expected: number): void => {
  if (found > expected) throw new Error(`${found} events are stored, of ${expected} that there are`);
};

/** Newest first. */
export const decisionsOf = async (platform: Platform, setting: LiveSetting): Promise<readonly Decided[]> =>
  (await platform.call('GET', `/v1/experiments/${setting.experiment}/decisions${query(setting)}&limit=100`)).body.items;

export interface Decided {
  readonly id: string;
  readonly previous: string | null;
  readonly cause: string;
  readonly verdict: string;
  readonly sentence: string;
  readonly knownUntil: string;
  readonly evidenceDigest: string;
  readonly actions: { readonly ramp: string; readonly experiment: string; readonly gate: string };
}

/** The first record with this verdict. */
export const recordSaying = (platform: Platform, setting: LiveSetting, verdict: string, withinMs = 40_000) =>
  eventually(
    `a record that says ${verdict}`,
    async () => (await decisionsOf(platform, setting)).findLast((one) => one.verdict === verdict),
    withinMs,
  );

export const replay = async (platform: Platform, { project }: LiveSetting, id: string) =>
  (await platform.call('POST', `/v1/decisions/${id}/replay?project=${project}`)).body;
