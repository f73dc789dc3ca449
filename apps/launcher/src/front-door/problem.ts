/** Refusals of the front door itself, in the same form as the services' (RFC 9457). */
import type { ServerResponse } from 'node:http';

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly retryAfterSeconds?: number;
}

export const answerProblem = (response: ServerResponse, requestId: string, { retryAfterSeconds, ...problem }: Problem): void => {
  if (response.headersSent) {
    // Half an answer must not look like a whole one.
    response.destroy();
    return;
  }
  response.writeHead(problem.status, {
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
    'x-request-id': requestId,
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  });
  response.end(JSON.stringify({ type: `urn:rampart:problem:${problem.code}`, ...problem, requestId }));
};
