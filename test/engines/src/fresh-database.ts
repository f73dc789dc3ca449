/** A PostgreSQL database of a test's own. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { engineAddress } from './engine-address.js';

export interface FreshDatabase {
  /** Where clients connect, credentials included. */
  readonly url: string;
  /** Removes it, whoever is still connected. */
  drop(): Promise<void>;
}

/** The address of another database on the same server: what stands before and after the name is kept, host parameters of a socket included. */
const addressOf = (serverUrl: string, database: string): string =>
  serverUrl.replace(/^([a-z]+:\/\/[^/?]*)(?:\/[^?]*)?(\?.*)?$/, (_, server: string, query = '') => `${server}/${database}${query}`);

const run = async (url: string, statement: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};

/** Creates an empty database on the server that RAMPART_TEST_DATABASE_URL names; throws how to get one when it names none. */
export const freshDatabase = async (): Promise<FreshDatabase> => {
  const server = engineAddress('PostgreSQL', 'RAMPART_TEST_DATABASE_URL');
  const name = `t_${randomBytes(8).toString('hex')}`;
  await run(server, `create database ${name}`);
  return { url: addressOf(server, name), drop: () => run(server, `drop database if exists ${name} with (force)`) };
};
