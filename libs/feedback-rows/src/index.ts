export { digestOf } from './digest.js';
export { erasureRow, repeatErasure } from './erasure-row.js';
export { messagesOf, partitionOfRow } from './feedback-messages.js';
export { Pseudonyms } from './pseudonyms.js';
export { type TraceOf, traceHeaders } from './trace-headers.js';
export { type ExposureEvent, type RowScope, type RowTimes, type Said, saidOfExposure, type UnitEvent, unitRows } from './unit-rows.js';
