/** How the log says no: "not now" or "not like this". */

/** The log can't take or give anything now; nothing is wrong with the request. What it named may still have been committed. */
export class LogUnavailableError extends Error {
  override readonly name = 'LogUnavailableError';
  readonly retriable = true;

  constructor(
    message: string,
    /** When to ask again, in milliseconds. */
    readonly retryAfterMs: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export type LogErrorCode =
  | 'unknown-topic'
  | 'topic-differs'
  | 'unknown-partition'
  | 'message-refused'
  | 'offset-beyond-end'
  | 'offset-before-start'
  | 'unreadable-records'
  | 'log-closed';

/** A refusal: repeating the call changes nothing. `code` is API, the message is for people. */
export class LogError extends Error {
  override readonly name = 'LogError';
  readonly retriable = false;

  constructor(
    readonly code: LogErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
