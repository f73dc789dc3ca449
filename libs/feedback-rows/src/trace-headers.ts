/** Which traces a message of `feedback.v1` continues: named in its header, so that whoever reads it can go on with them. */
import { type FeedbackRow, MOST_TRACES_PER_MESSAGE, TRACEPARENT_HEADER } from '@rampart/contracts';
import type { OutgoingMessage } from '@rampart/event-log';

/** The span that a row came with, as a W3C traceparent. */
export type TraceOf = (row: FeedbackRow) => string | undefined;

/** For `messagesOf`: undefined where nothing is traced, so that nothing is asked. */
export const traceHeaders = (traceOf: TraceOf | undefined): ((rows: readonly FeedbackRow[]) => OutgoingMessage['headers']) | undefined => {
  if (traceOf === undefined) return undefined;
  return (rows) => {
    const traces = new Set<string>();
    for (const row of rows) {
      const trace = traceOf(row);
      if (trace !== undefined) traces.add(trace);
      if (traces.size >= MOST_TRACES_PER_MESSAGE) break;
    }
    return traces.size === 0 ? undefined : { [TRACEPARENT_HEADER]: [...traces].join(',') };
  };
};
