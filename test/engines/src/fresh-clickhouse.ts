/** A ClickHouse database of a test's own. */
import { randomBytes } from 'node:crypto';
import { createClient } from '@clickhouse/client';
import { engineAddress } from './engine-address.js';

export interface FreshClickhouse {
  /** The server: http://host:port, without a database. */
  readonly url: string;
  readonly database: string;
  drop(): Promise<void>;
}

const run = async (url: string, query: string): Promise<void> => {
  const client = createClient({ url });
  try {
    await client.command({ query });
  } finally {
    await client.close();
  }
};

/** Creates an empty database on the server that RAMPART_TEST_CLICKHOUSE_URL names; throws how to get one when it names none. */
export const freshClickhouse = async (): Promise<FreshClickhouse> => {
  const url = engineAddress('ClickHouse', 'RAMPART_TEST_CLICKHOUSE_URL');
  const database = `t_${randomBytes(8).toString('hex')}`;
  await run(url, `CREATE DATABASE ${database}`);
  return { url, database, drop: () => run(url, `DROP DATABASE IF EXISTS ${database}`) };
};
