export { startAccessReports } from './access-reports.js';
export { FollowedTopic, type FollowedTopicOptions } from './consuming/followed-topic.js';
export * from './definitions-replica.js';
export * from './event-log.js';
export * from './log-errors.js';
export { MemoryEventLog } from './memory-event-log.js';
export { maxMessageBytes } from './message-rules.js';
export * from './positions.js';
export * from './ticks.js';
