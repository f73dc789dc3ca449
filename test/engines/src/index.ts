export * from './dying-postgres.js';
export * from './fresh-clickhouse.js';
export * from './fresh-database.js';
export * from './kafka-address.js';
export * from './otlp-collector.js';
export * from './own-clickhouse.js';
export * from './own-kafka.js';
export * from './own-postgres.js';
