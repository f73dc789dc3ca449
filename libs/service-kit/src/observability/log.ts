/** Structured log lines on standard output: one JSON object each, with service, request id and no secrets. */
import type { LoggerService } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { type DestinationStream, type Logger, pino } from 'pino';
import { withMaskedKeys } from '../access/masked-keys.js';
import { currentRequestId } from './request-context.js';

export type Log = Logger;

const SECRETS = [
  'authorization',
  '*.authorization',
  'headers.authorization',
  'headers["x-api-key"]',
  '*.headers.authorization',
  '*.headers["x-api-key"]',
  'key',
  'secret',
];

/** @param level  least level written; `silent` writes nothing */
export const createLog = (service: string, level: string, destination?: DestinationStream): Log =>
  pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => {
        const requestId = currentRequestId();
        return requestId === undefined ? {} : { requestId };
      },
      redact: { paths: SECRETS, censor: '[redacted]' },
      // Whatever field or sentence they came in by.
      hooks: { streamWrite: withMaskedKeys },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );

/** A line for each request, at level debug: at full load they would cost more than the answers. */
export const logRequests = (fastify: FastifyInstance, log: Log): void => {
  fastify.addHook('onResponse', (request, reply, done) => {
    log.debug(
      { requestId: request.id, method: request.method, route: request.routeOptions.url, status: reply.statusCode, ms: reply.elapsedTime },
      'request',
    );
    done();
  });
};

/** Nest's own lines, in the same form. Its start-up chatter is debug here. */
export const nestLogger = (log: Log): LoggerService => ({
  log: (message: unknown, context?: unknown) => log.debug({ context }, String(message)),
  debug: (message: unknown, context?: unknown) => log.debug({ context }, String(message)),
  verbose: (message: unknown, context?: unknown) => log.debug({ context }, String(message)),
  warn: (message: unknown, context?: unknown) => log.warn({ context }, String(message)),
  error: (message: unknown, ...rest: unknown[]) =>
    log.error({ context: rest.at(-1), stack: rest.length > 1 ? rest[0] : undefined }, String(message)),
  fatal: (message: unknown, context?: unknown) => log.fatal({ context }, String(message)),
});
