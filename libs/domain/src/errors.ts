/** How the platform says no. */

/**
 * A refusal: the request was understood and is not allowed.
 * `code` is API (kebab-case, forever); the message is for people: both numbers, and what to do next.
 */
export class DomainError extends Error {
  override readonly name = 'DomainError';

  constructor(
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}
