/** An experiment that the platform itself assigns, for journeys: defined over HTTP as a user would, evaluated over OFREP as an app would. */
import { eventually, type Platform } from './platform.js';

export interface AssignedSetting {
  readonly project: string;
  /** Public keys of the two environments. */
  readonly clientKey: string;
  readonly stagingKey: string;
}

export interface Asked {
  readonly reason: string;
  readonly value?: unknown;
  readonly variant?: string;
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
}

/** The feature `checkout` (old, new) and the experiment `faster-checkout` on it, running in production and unknown in staging. */
export const defineAssigned = async (platform: Platform, project = 'assigned'): Promise<AssignedSetting> => {
  const at = `?project=${project}`;
  const made = async (what: string, ...[method, path, body]: readonly [string, string, object]) => {
    const answer = await platform.call(method, path, body);
    if (![200, 201].includes(answer.status)) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await made('project', 'POST', '/v1/projects', { key: project, name: project });
  for (const environment of ['production', 'staging']) {
    const answer = await platform.call('POST', `/v1/environments${at}`, { key: environment, kind: 'live' });
    if (![200, 201, 409].includes(answer.status)) throw new Error(`environment: ${answer.status} ${JSON.stringify(answer.body)}`);
  }
  const keyOf = async (environment: string): Promise<string> =>
    (await made('key', 'POST', `/v1/keys${at}`, { name: `page of ${environment}`, role: 'client', environment })).key;
  const [clientKey, stagingKey] = [await keyOf('production'), await keyOf('staging')];
  const converted = { key: 'converted', name: 'Converted', type: 'proportion', unitType: 'user', numerator: { event: 'purchase' } };
  await made('metric', 'PUT', `/v1/metrics/converted${at}`, { ...converted, windowUs: 60_000_000 });
  await made('feature', 'POST', `/v1/features${at}`, {
    key: 'checkout',
    name: 'Checkout',
    valueType: 'string',
    variants: [
      { key: 'control', value: 'old' },
      { key: 'treatment', value: 'new' },
    ],
    defaultVariant: 'control',
  });
  await made('experiment', 'POST', `/v1/experiments${at}`, {
    key: 'faster-checkout',
    name: 'Faster checkout',
    feature: 'checkout',
    assignment: 'rampart',
    unitType: 'user',
    variants: [{ key: 'control' }, { key: 'treatment' }],
    control: 'control',
    metrics: [{ metric: 'converted', role: 'success' }],
  });
  await made('start', 'POST', `/v1/experiments/faster-checkout/start${at}&environment=production`, {});
  await eventually('the experiment is assigned', async () => {
    const answer = await fetched(platform.address, clientKey, 'checkout', 'probe', { 'x-rampart-exposure': 'none' });
    return answer.status === 200 && ((await answer.json()) as Asked).reason === 'SPLIT' ? true : undefined;
  });
  return { project, clientKey, stagingKey };
};

const fetched = (address: string, key: string, flag: string, unit: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${address}/ofrep/v1/evaluate/flags/${flag}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ context: { targetingKey: unit } }),
  });

/** @throws unless it is answered with success */
export const assigned = async (
  address: string,
  key: string,
  flag: string,
  unit: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Asked> => {
  const answer = await fetched(address, key, flag, unit, headers);
  if (answer.status !== 200) throw new Error(`${flag} for ${unit}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Asked;
};

const CONNECTIONS = 16;

/** Some at a time, in order. */
export const inTurns = async <Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> => {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
};

export const askAll = async (address: string, key: string, flag: string, units: readonly string[]): Promise<ReadonlyMap<string, Asked>> => {
  const answers = new Map<string, Asked>();
  await inTurns(units, async (unit) => {
    answers.set(unit, await assigned(address, key, flag, unit));
  });
  return answers;
};
