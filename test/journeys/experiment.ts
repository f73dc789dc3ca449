/** A small experiment for journeys: defined over HTTP as a user would, with exact expectations. */
import { asDescribed } from './answers.js';
import type { Platform } from './platform.js';
import { eventually } from './platform.js';

export interface Setting {
  readonly project: string;
  readonly environment: string;
  readonly key: string;
}

const expectStatus = (what: string, answer: { status: number; body: unknown }, allowed: readonly number[]): void => {
  if (!allowed.includes(answer.status)) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
};

/** Defines project, environment, write key, two metrics and a running experiment `button`; repeats are harmless. */
export const defineExperiment = async (
  platform: Platform,
  environment: string,
  kind: 'live' | 'historical',
  project = 'journeys',
): Promise<Setting> => {
  const at = `?project=${project}`;
  expectStatus('project', await platform.call('POST', '/v1/projects', { key: project, name: project }), [200, 201, 409]);
  expectStatus('environment', await platform.call('POST', `/v1/environments${at}`, { key: environment, kind }), [200, 201, 409]);
  const created = await platform.call('POST', `/v1/keys${at}`, {
    name: `writes ${environment}`,
    role: kind === 'historical' ? 'import' : 'emit',
    environment,
  });
  expectStatus('key', created, [201]);
  const windows = kind === 'historical' ? {} : { windowUs: 60_000_000 };
  const metrics = [
    { key: 'converted', name: 'Converted', type: 'proportion', unitType: 'user', numerator: { event: 'purchase' }, ...windows },
    { key: 'revenue', name: 'Revenue', type: 'mean', unitType: 'user', numerator: { event: 'purchase' }, ...windows },
  ];
  for (const metric of metrics) expectStatus('metric', await platform.call('PUT', `/v1/metrics/${metric.key}${at}`, metric), [200, 201]);
  const experiment = {
    key: 'button',
    name: 'Button',
    unitType: 'user',
    variants: [{ key: 'control' }, { key: 'treatment' }],
    control: 'control',
    metrics: [
      { metric: 'converted', role: 'success' },
      { metric: 'revenue', role: 'secondary' },
    ],
  };
  expectStatus('experiment', await platform.call('POST', `/v1/experiments${at}`, experiment), [201, 409]);
  expectStatus('start', await platform.call('POST', `/v1/experiments/button/start${at}&environment=${environment}`, {}), [200, 201]);
  const setting = { project, environment, key: String(created.body.key) };
  await eventually('the write key works', async () => {
    const answer = await platform.call('POST', '/v1/ingest/validate', [exposure('probe', 'control', 0)], { key: setting.key });
    return answer.status === 200 ? true : undefined;
  });
  return setting;
};

const instant = (second: number) => new Date(Date.UTC(2024, 0, 1) + second * 1000).toISOString();

export const exposure = (unit: string, variant: string, second: number) => ({
  specversion: '1.0',
  id: `exposure-${unit}-${variant}`,
  source: 'journey',
  type: 'exposure.v1',
  time: instant(second),
  data: { unit: { type: 'user', id: unit }, experiment: 'button', variant },
});

export const purchase = (unit: string, value: number, second: number, id = `purchase-${unit}`) => ({
  specversion: '1.0',
  id,
  source: 'journey',
  type: 'metric.v1',
  time: instant(second),
  data: { unit: { type: 'user', id: unit }, name: 'purchase', value },
});

/** Exposures of `units` units, every third of which buys for (index mod 50) + 0.25. */
export const history = (units: number): readonly object[] =>
  Array.from({ length: units }, (_, index) => {
    const unit = `u${index}`;
    const seen = exposure(unit, index % 2 === 0 ? 'control' : 'treatment', index);
    return index % 3 === 0 ? [seen, purchase(unit, (index % 50) + 0.25, index + 5)] : [seen];
  }).flat();

export const completed = {
  specversion: '1.0',
  id: 'complete',
  source: 'journey',
  type: 'import.completed.v1',
  time: instant(100_000_000 / 1000),
  data: {},
};

/** Waits until the results of a completed import are final. */
export const finalResults = (platform: Platform, { project, environment }: Setting, withinMs = 60_000) =>
  eventually(
    `results of ${environment} are complete`,
    async () => {
      const answer = await platform.call('GET', `/v1/experiments/button/results?project=${project}&environment=${environment}`);
      return answer.status === 200 && answer.body.status === 'complete' ? asDescribed(answer.body) : undefined;
    },
    withinMs,
  );
