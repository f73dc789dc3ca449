export { ClickhouseFeedbackBackup, type StoreTable } from './clickhouse-feedback-backup.js';
export { ClickhouseFeedbackStore } from './clickhouse-feedback-store.js';
export { ClickhouseFeedbackViews } from './clickhouse-feedback-views.js';
export { neededSinceUs } from './definition/needed-rows.js';
export { addSums, subtractSums } from './definition/sums-arithmetic.js';
export * from './feedback-store.js';
export * from './feedback-views.js';
export { MemoryFeedbackStore } from './memory-feedback-store.js';
export * from './store-error.js';
