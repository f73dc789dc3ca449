/** The engines of a platform from within, for whoever wants to alter what it keeps. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Platform } from './platform.js';

interface Run {
  readonly processes: Readonly<Record<string, { readonly port?: number }>>;
}

const portOf = ({ data }: Platform, engine: string): number => {
  const { processes } = JSON.parse(readFileSync(join(data, 'run.json'), 'utf8')) as Run;
  return processes[engine]?.port ?? 0;
};
const secretIn = (platform: Platform, ...path: readonly string[]): string => readFileSync(join(platform.data, ...path), 'utf8').trim();

/** One statement to the embedded ClickHouse. */
export const inClickhouse = async (platform: Platform, sql: string): Promise<string> => {
  const headers = {
    'X-ClickHouse-User': 'rampart',
    'X-ClickHouse-Key': secretIn(platform, 'clickhouse', 'password'),
    'X-ClickHouse-Database': 'rampart',
  };
  const answer = await fetch(`http://127.0.0.1:${portOf(platform, 'clickhouse')}/`, { method: 'POST', headers, body: sql });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`ClickHouse: ${text}`);
  return text.trim();
};

/** One statement to its PostgreSQL, embedded or beside Kafka. */
export const inPostgres = async (
  platform: Platform,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Record<string, unknown>[]> => {
  const embedded = () => `postgres://rampart:${secretIn(platform, 'postgres-password')}@127.0.0.1:${portOf(platform, 'postgres')}/rampart`;
  const client = new pg.Client({ connectionString: platform.servers?.env.DATABASE_URL ?? embedded() });
  await client.connect();
  try {
    return (await client.query(sql, [...values])).rows;
  } finally {
    await client.end();
  }
};
