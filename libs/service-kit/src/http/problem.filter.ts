/** The one place where an error meets HTTP. */
import type { IncomingMessage } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import { DomainError } from '@rampart/domain/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallingRequest } from '../access/scope.js';
import type { Log } from '../observability/log.js';
import { type Problem, problemOf } from './problem-details.js';
import { SECURITY_HEADERS } from './security-headers.js';

/** What Fastify refuses before there is a route to answer: a path that can't be decoded, or a part of it that is too long. */
export const answerUnroutable = (error: { readonly code: string }, request: FastifyRequest, reply: FastifyReply): void => {
  const refusal =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? new DomainError('path-too-long', 'A part of the path is longer than 4,500 characters; no key or id is.')
      : new DomainError('bad-path', 'The path holds a percent sign that begins no UTF-8 character.');
  const problem = problemOf(refusal, request.id);
  void reply.headers(SECURITY_HEADERS);
  void reply.status(problem.status).type('application/problem+json').serializer(JSON.stringify).send(problem);
};

@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly log: Log,
    private readonly statuses: Readonly<Record<string, number>>,
  ) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const request = http.getRequest<CallingRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = withLimit(problemOf(error, request.id, this.statuses), request);
    request.refusal = problem.code;
    if (problem.status === 503) this.log.warn({ err: error, route: request.routeOptions.url }, 'not available');
    else if (problem.status >= 500)
      this.log.error({ err: causeOf(error), route: request.routeOptions.url, status: problem.status }, 'request failed');
    // A stream that broke in the middle has sent its status already.
    if (reply.sent || reply.raw.headersSent) return;
    if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
    if (problem.status === 503 || problem.status === 429) void reply.header('retry-after', retryAfterSeconds(error));
    if (problem.status === 413) {
      // An answer before the end of the body would meet a sender that still writes, and get lost in a reset connection.
      await readAway(request.raw);
      void reply.header('connection', 'close');
    }
    void reply.status(problem.status).type('application/problem+json').serializer(JSON.stringify).send(problem);
  }
}

const MOST_READ_AWAY = 64 * 1024 * 1024;
const LONGEST_READ_AWAY_MS = 5_000;

/** Reads the rest of a body and drops it; gives up on one that is far too large or too slow. */
const readAway = (body: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    if (body.readableEnded || body.destroyed) return resolve();
    const done = () => {
      clearTimeout(limit);
      resolve();
    };
    const limit = setTimeout(done, LONGEST_READ_AWAY_MS);
    let bytes = 0;
    body.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes > MOST_READ_AWAY) done();
    });
    for (const event of ['end', 'close', 'error'] as const) body.once(event, done);
    body.resume();
  });

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
