export * from './event-store.js';
export { MemoryEventStore } from './memory-event-store.js';
export { filledTables, readSchemas, type SchemaTable, schemaVersions, type TableRows, writeSchemas } from './postgres-backup.js';
export { connectControlDatabase } from './postgres-data-source.js';
export { explained } from './postgres-errors.js';
export { PostgresEventStore } from './postgres-event-store.js';
export { EVENT_TYPES, type RampartEvent } from './stored-event-types.js';
