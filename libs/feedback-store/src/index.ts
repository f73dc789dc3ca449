export * from './clickhouse-feedback-store.js';
export * from './feedback-store.js';
export * from './memory-feedback-store.js';
export * from './store-error.js';
