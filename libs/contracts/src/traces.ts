/** How a trace goes on through the log: in the header of a message, only where something is traced. No number depends on it. */

/**
 * The spans that the rows of a message came with: each as W3C Trace Context writes a traceparent, separated by commas, since a message gathers rows of
 * several requests.
 */
export const TRACEPARENT_HEADER = 'traceparent';
export const MOST_TRACES_PER_MESSAGE = 16;

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What is no traceparent is passed over: senders write headers as they like. */
export const tracesOf = (headers: Readonly<Record<string, string>>): readonly string[] => {
  const header = headers[TRACEPARENT_HEADER];
  if (header === undefined) return [];
  return header
    .split(',', MOST_TRACES_PER_MESSAGE)
    .map((one) => one.trim())
    .filter((one) => TRACEPARENT.test(one));
};
