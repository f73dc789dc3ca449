/** The few questions that the launcher itself asks a PostgreSQL. */
import pg from 'pg';

const withClient = async <T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000, query_timeout: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Creates the database where it is missing; throws while the server does not answer. */
export const makeDatabase = (url: string, database: string): Promise<void> =>
  withClient(url, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${database}`);
  });

/** Like "18.4"; throws while the server does not answer. */
export const postgresVersion = (url: string): Promise<string> =>
  withClient(url, async (client) => {
    const { rows } = await client.query("select split_part(current_setting('server_version'), ' ', 1) as version");
    return rows[0].version;
  });
