/** A connection to the control plane's database, its schema brought up to date. */
import type { ClientBase } from 'pg';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { eventStoreMigrations } from './postgres-migrations.js';

// Fixed numbers: every process of every version must mean the same lock.
const MIGRATION_LOCK = 7_205_101;
/** A server that takes connections and never answers must not hold up a request, a start or a stop. */
export const CONNECT_WITHIN_MS = 5_000;

export interface ControlDatabase {
  /** postgres://…; may name a unix socket by `?host=`. */
  readonly url: string;
  readonly entities?: DataSourceOptions['entities'];
  /** Besides those of the event store. */
  readonly migrations?: readonly (new () => object)[];
}

/** Several processes may start at once: one migrates, the others wait for it. */
export const connectControlDatabase = async ({ url, entities = [], migrations = [] }: ControlDatabase): Promise<DataSource> => {
  const dataSource = await new DataSource({
    type: 'postgres',
    schema: 'control',
    entities,
    migrations: [...eventStoreMigrations, ...migrations],
    migrationsTableName: 'migration',
    // pg reads the address itself: TypeORM's own parser knows no unix sockets.
    extra: {
      connectionString: url,
      max: 10,
      application_name: 'rampart control',
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      // Between connecting and TypeORM's first look nobody listens: a connection that breaks then must not end the process.
      onConnect: (client: ClientBase) => void client.on('error', () => undefined),
    },
  }).initialize();
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await runner.query('create schema if not exists control');
    await dataSource.runMigrations({ transaction: 'each' });
  } catch (error) {
    await runner.release();
    await dataSource.destroy();
    throw error;
  }
  await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  await runner.release();
  return dataSource;
};
