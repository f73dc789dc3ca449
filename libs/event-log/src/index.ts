export * from './event-log.js';
export * from './log-errors.js';
export * from './positions.js';
