export * from './dying-postgres.js';
export * from './fresh-clickhouse.js';
export * from './fresh-database.js';
export * from './own-postgres.js';
