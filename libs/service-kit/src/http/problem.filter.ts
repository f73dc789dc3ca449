/** The one place where an error meets HTTP. */
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../observability/log.js';
import { type Problem, problemOf } from './problem-details.js';

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Log,
    private readonly statuses: Readonly<Record<string, number>>,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = withLimit(problemOf(error, request.id, this.statuses), request);
    if (problem.status === 503) this.log.warn({ err: error, route: request.routeOptions.url }, 'not available');
    else if (problem.status >= 500)
      this.log.error({ err: causeOf(error), route: request.routeOptions.url, status: problem.status }, 'request failed');
    // A stream that broke in the middle has sent its status already.
    if (reply.sent || reply.raw.headersSent) return;
    if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
    if (problem.status === 503) void reply.header('retry-after', retryAfterSeconds(error));
    // The rest of a body that is too large is not read: the connection can't be used again.
    if (problem.status === 413) void reply.header('connection', 'close');
    void reply.status(problem.status).type('application/problem+json').serializer(JSON.stringify).send(problem);
  }
}

const withLimit = (problem: Problem, request: FastifyRequest): Problem => {
  if (problem.code !== 'too-large') return problem;
  const bytes = request.routeOptions.bodyLimit.toLocaleString('en');
  return { ...problem, detail: `The body is larger than the limit of ${bytes} bytes; send it in parts.` };
};

/** Adapters say how long to wait, in milliseconds; else a second. */
const retryAfterSeconds = (error: unknown): number => {
  const { retryAfterMs } = (error ?? {}) as { readonly retryAfterMs?: unknown };
  return typeof retryAfterMs === 'number' ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : 1;
};

const causeOf = (error: unknown): unknown => (error instanceof HttpException ? (error.cause ?? error) : error);
