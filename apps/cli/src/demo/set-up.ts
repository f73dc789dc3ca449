/** Defines the shop on the platform and starts its rollouts: the calls that a product team would make. Repeats change nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient, refusedBy } from '../platform/api-client.js';
import { Refusal } from '../refusal.js';
import type { ShopKeys } from './services.js';
import { demosAmong, ENVIRONMENT, experiments, FEATURES, features, metrics, PROJECT_NAME, projectKey, rollouts } from './shop.js';

const NEW_KEY_MS = 60_000;
const IN_FORCE_MS = 30_000;

export interface MadeKeys extends ShopKeys {
  readonly ids: readonly string[];
}

/** @returns the project’s key, and whether it was made now; one of somebody else's is left alone */
export const openProject = async (client: ApiClient): Promise<{ readonly project: string; readonly isNew: boolean }> => {
  const open = await demosOn(client);
  for (let nth = 1; ; nth++) {
    const project = projectKey(nth);
    const { status, body } = await client.expect('POST', '/v1/projects', [200, 201, 409, 422], { key: project, name: PROJECT_NAME });
    if (status === 200 || status === 201) return { project, isNew: true };
    if (open.includes(project)) return { project, isNew: false };
    if (body?.code !== 'project-removed' && body?.code !== 'project-exists')
      throw refusedBy(client.address, 'POST /v1/projects', { status, body });
  }
};

export const setUpShop = async (client: ApiClient, project: string): Promise<MadeKeys> => {
  const made = [200, 201];
  const query = { project };
  await client.expect('POST', '/v1/environments', [...made, 409], { key: ENVIRONMENT, kind: 'live' }, { query });
  for (const metric of metrics) await client.expect('PUT', `/v1/metrics/${metric.key}`, made, metric, { query });
  for (const feature of features) await client.expect('PUT', `/v1/features/${feature.key}`, made, feature, { query });
  for (const experiment of experiments) await client.expect('POST', '/v1/experiments', [...made, 409], experiment, { query });
  for (const rollout of rollouts) await client.expect('POST', '/v1/rollouts', [...made, 409], rollout, { query });
  const keys = await makeKeys(client, project);
  for (const { key } of rollouts) await start(client, project, key);
  await untilInForce(client, keys);
  return keys;
};

/** @returns the projects that were removed */
export const removeShop = async (client: ApiClient): Promise<readonly string[]> => {
  const demos = await demosOn(client);
  for (const key of demos) await client.expect('DELETE', `/v1/projects/${key}`, [200], { reason: 'The demo is over.' });
  return demos;
};

const demosOn = async (client: ApiClient): Promise<readonly string[]> => {
  const { body } = await client.expect('GET', '/v1/projects', [200]);
  return demosAmong(body.items as readonly { key: string; name: string }[]);
};

/** A key for one run is of no use afterwards; that it could not be revoked is no reason to fail. */
export const revokeKeys = async (client: ApiClient, project: string, ids: readonly string[]): Promise<void> => {
  const query = { project };
  const revoked = ids.map((id) => client.call('POST', `/v1/keys/${id}/revoke`, {}, { query }).catch(() => undefined));
  await Promise.race([Promise.all(revoked), sleep(3_000, undefined, { ref: false })]);
};

const makeKeys = async (client: ApiClient, project: string): Promise<MadeKeys> => {
  const query = { project };
  const make = async (name: string, role: 'client' | 'emit') => {
    const { body } = await client.expect('POST', '/v1/keys', [201], { name, role, environment: ENVIRONMENT }, { query });
    return { id: String(body.id), key: String(body.key) };
  };
  const pages = await make('the shop’s pages', 'client');
  const servers = await make('the shop’s servers', 'emit');
  return { client: pages.key, emit: servers.key, ids: [pages.id, servers.id], areNewUntilMs: Date.now() + NEW_KEY_MS };
};

const start = async (client: ApiClient, project: string, key: string): Promise<void> => {
  const path = `/v1/rollouts/${key}/start`;
  const answer = await client.call('POST', path, { reason: 'The demo begins.' }, { query: { project } });
  // It runs already, or it is over.
  const isBegun = answer.status === 409 && answer.body?.code === 'rollout-status';
  if (answer.status !== 200 && !isBegun) throw refusedBy(client.address, `POST ${path}`, answer);
};

/** Until the services' questions are answered: what was just defined takes a moment to reach them. */
const untilInForce = async (client: ApiClient, { client: key, areNewUntilMs }: ShopKeys): Promise<void> => {
  const deadlineMs = Date.now() + IN_FORCE_MS;
  for (const feature of FEATURES) {
    const path = `/ofrep/v1/evaluate/flags/${feature}`;
    const body = { context: { targetingKey: 'nobody' } };
    const headers = { query: { 'x-rampart-exposure': 'none' }, key, keyIsNewUntilMs: areNewUntilMs };
    while ((await client.call('POST', path, body, headers)).status !== 200) {
      if (Date.now() > deadlineMs)
        throw new Refusal(
          `The platform at ${client.address} does not serve the feature "${feature}" yet: is its assignment service up? (/readyz)`,
        );
      await sleep(100);
    }
  }
};
