/** What the store holds, asked of the store itself and not of the platform. */
import { hash } from 'node:crypto';
import type { Deployment } from '../journeys/deployment.js';

const asked = async ({ engines: { clickhouse } }: Deployment, sql: string): Promise<readonly string[]> => {
  const [first = ''] = clickhouse.url.split(',');
  const { origin, username, password } = new URL(first);
  const settings = 'database=rampart_all&distributed_product_mode=global&skip_unavailable_shards=0';
  const answer = await fetch(`${origin}/?${settings}`, {
    method: 'POST',
    body: sql,
    headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` },
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text.split('\n').filter((line) => line !== '');
};

/** As the store names events: by the hash of source and id. */
export const hashOfId = (source: string, id: string): string => hash('sha256', `${source}\0${id}`, 'hex').slice(0, 32);

export const storedIds = async (deployment: Deployment, project: string, environment: string): Promise<ReadonlySet<string>> => {
  const scopes = `SELECT scope FROM scope WHERE project = '${project}' AND environment = '${environment}'`;
  const of = (table: string) => `SELECT lower(hex(reinterpretAsFixedString(id_hash))) AS id FROM ${table} WHERE scope IN (${scopes})`;
  return new Set(await asked(deployment, `SELECT DISTINCT id FROM (${of('feedback')} UNION ALL ${of('exposure')})`));
};

/** Pseudonyms of the units with an exposure to the experiment. */
export const exposedUnits = async (deployment: Deployment, project: string, experiment: string): Promise<ReadonlySet<string>> => {
  const scopes = `SELECT scope FROM scope WHERE project = '${project}' AND name = 'exposure:${experiment}'`;
  return new Set(
    await asked(deployment, `SELECT DISTINCT lower(hex(reinterpretAsFixedString(unit))) FROM exposure WHERE scope IN (${scopes})`),
  );
};
