export * from './definitions-replica.js';
export * from './event-log.js';
export * from './log-errors.js';
export { maxMessageBytes } from './message-rules.js';
export * from './positions.js';
export * from './ticks.js';
