/** Tells the platform what the traffic is about, where it does not know yet: project, environment, metrics, experiments, a key to send with. */
import { isDeepStrictEqual } from 'node:util';
import { experimentDefinition } from '@rampart/contracts';
import { type ApiClient, refusedBy } from '../../platform/api-client.js';
import { Refusal } from '../../refusal.js';
import type { Scenario } from '../scenario/scenario.js';

export interface SendingKey {
  readonly key: string;
  readonly id: string;
  readonly isNewUntilMs: number;
}

const NEW_KEY_MS = 60_000;

/** Repeats change nothing. @throws Refusal where something else stands under the same name */
export const setUpScenario = async (client: ApiClient, scenario: Scenario, nowMs: () => number): Promise<SendingKey> => {
  const { project, environment, define } = scenario;
  const query = { project };
  await client.expect('POST', '/v1/projects', [200, 201, 409], { key: project, name: project });
  await client.expect('POST', '/v1/environments', [200, 201, 409], { key: environment, kind: 'live' }, { query });
  await checkEnvironment(client, project, environment);
  for (const metric of define?.metrics ?? []) await client.expect('PUT', `/v1/metrics/${metric.key}`, [200, 201], metric, { query });
  for (const experiment of define?.experiments ?? []) {
    await defineExperiment(client, project, experiment);
    await start(client, experiment.key, { project, environment });
  }
  const wanted = { name: `traffic of ${scenario.key}`, role: 'emit', environment };
  const { body } = await client.expect('POST', '/v1/keys', [201], wanted, { query });
  return { key: String(body.key), id: String(body.id), isNewUntilMs: nowMs() + NEW_KEY_MS };
};

/** A key for one run is of no use afterwards; that it could not be revoked is no reason to fail. */
export const revoke = async (client: ApiClient, project: string, { id }: SendingKey): Promise<void> => {
  await Promise.race([
    client.call('POST', `/v1/keys/${id}/revoke`, {}, { query: { project } }).catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, 3_000).unref()),
  ]);
};

const checkEnvironment = async (client: ApiClient, project: string, environment: string): Promise<void> => {
  const { body } = await client.expect('GET', '/v1/environments', [200], undefined, { query: { project } });
  const list = (Array.isArray(body) ? body : (body.items ?? body.environments ?? [])) as readonly { key: string; kind: string }[];
  const found = list.find(({ key }) => key === environment);
  if (found !== undefined && found.kind !== 'live')
    throw new Refusal(
      `The environment "${environment}" of project "${project}" is ${found.kind}; traffic needs a live one. Give the scenario another "environment".`,
    );
};

type Experiment = NonNullable<Scenario['define']>['experiments'][number];

const defineExperiment = async (client: ApiClient, project: string, experiment: Experiment): Promise<void> => {
  const query = { project };
  const created = await client.call('POST', '/v1/experiments', experiment, { query });
  if (created.status === 200 || created.status === 201) return;
  if (created.status !== 409) throw refusedBy(client.address, 'POST /v1/experiments', created);
  const { body } = await client.expect('GET', `/v1/experiments/${experiment.key}`, [200], undefined, { query });
  const stored = experimentDefinition.safeParse(body.definition ?? body);
  if (stored.success && isDeepStrictEqual(stored.data, experimentDefinition.parse(experiment))) return;
  const replaced = await client.call('PUT', `/v1/experiments/${experiment.key}`, experiment, { query });
  if (replaced.status === 200 || replaced.status === 201) return;
  throw new Refusal(
    `"${experiment.key}" is there already with another definition, and a definition that has data stays. ` +
      `Give the scenario another "project". The platform says: ${replaced.body?.detail ?? replaced.status}`,
  );
};

const start = async (client: ApiClient, key: string, query: { project: string; environment: string }): Promise<void> => {
  const path = `/v1/experiments/${key}/start`;
  const answer = await client.call('POST', path, {}, { query });
  // It runs already, or somebody paused or ended it: traffic goes on in any case, as it would.
  const isBegun = answer.status === 409 && answer.body?.code === 'experiment-status';
  if (answer.status !== 200 && answer.status !== 201 && !isBegun) throw refusedBy(client.address, `POST ${path}`, answer);
};
