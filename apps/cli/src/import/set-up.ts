/** Tells the platform what will arrive: project, historical environment, metrics, experiment, a key. Repeats change nothing. */
import { isDeepStrictEqual } from 'node:util';
import { experimentDefinition, type MetricInput, metricDefinition } from '@rampart/contracts';
import type { Definitions } from '../plan/definitions.js';
import { type Answer, type ApiClient, refusedBy } from '../platform/api-client.js';
import { Refusal } from '../refusal.js';

export interface SetUp {
  readonly project: string;
  readonly environment: string;
  readonly key: string;
  readonly keyId: string;
  readonly keyIsNewUntilMs: number;
}

const NEW_KEY_MS = 60_000;

export const setUp = async (client: ApiClient, project: string, { metrics, experiment }: Definitions): Promise<SetUp> => {
  const environment = experiment.key;
  const query = { project };
  await client.expect('POST', '/v1/projects', [200, 201, 409], { key: project, name: project });
  await client.expect('POST', '/v1/environments', [200, 201, 409], { key: environment, kind: 'historical' }, { query });
  await checkEnvironment(client, project, environment);
  const versions = new Map<string, number>();
  for (const metric of metrics) versions.set(metric.key, await metricVersion(client, project, metric));
  // Named versions: another plan of this project may define a metric of the same key.
  const pinned = { ...experiment, metrics: experiment.metrics.map((use) => ({ ...use, version: versions.get(use.metric) ?? 1 })) };
  await define(client, project, pinned);
  await client.expect('POST', `/v1/experiments/${experiment.key}/start`, [200, 201, 409], {}, { query: { project, environment } });
  const { body } = await client.expect(
    'POST',
    '/v1/keys',
    [201],
    { name: `import of ${environment}`, role: 'import', environment },
    { query },
  );
  return { project, environment, key: String(body.key), keyId: String(body.id), keyIsNewUntilMs: Date.now() + NEW_KEY_MS };
};

const checkEnvironment = async (client: ApiClient, project: string, environment: string): Promise<void> => {
  const { body } = await client.expect('GET', '/v1/environments', [200], undefined, { query: { project } });
  const list = (Array.isArray(body) ? body : (body.items ?? body.environments ?? [])) as readonly { key: string; kind: string }[];
  const found = list.find(({ key }) => key === environment);
  if (found !== undefined && found.kind !== 'historical')
    throw new Refusal(
      `The environment "${environment}" of project "${project}" is ${found.kind}; history needs one of its own. Give the plan another "key".`,
    );
};

/** The version that says the same, an old one too; else a new one. */
const metricVersion = async (client: ApiClient, project: string, metric: MetricInput): Promise<number> => {
  const path = `/v1/metrics/${metric.key}`;
  const wanted = metricDefinition.parse(metric);
  const says = ({ body }: Answer) => isDeepStrictEqual(metricDefinition.safeParse(body.definition ?? body).data, wanted);
  const newest = await client.expect('GET', path, [200, 404], undefined, { query: { project } });
  for (let version = newest.status === 404 ? 0 : Number(newest.body.version); version > 0; version--) {
    const found = await client.call('GET', path, undefined, { query: { project, version: String(version) } });
    if (found.status === 200 && says(found)) return version;
  }
  const { body } = await client.expect('PUT', path, [200, 201], metric, { query: { project } });
  return Number(body.version);
};

/** A running experiment keeps its definition: a plan that says something else needs another key. */
const define = async (client: ApiClient, project: string, experiment: Definitions['experiment']): Promise<void> => {
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
    `"${experiment.key}" was imported before with another definition, and a definition that has data stays. ` +
      `Give the plan another "key", or import into another project (--project). The platform says: ${replaced.body?.detail ?? replaced.status}`,
  );
};
