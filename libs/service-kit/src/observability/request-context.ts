/** What belongs to the request being answered: its id follows every log line, also across awaits. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { withMaskedKeys } from '../access/masked-keys.js';

interface RequestContext {
  readonly requestId: string;
}

const storage = new AsyncLocalStorage<RequestContext>();
const ACCEPTABLE = /^[\w.:/+=-]{1,128}$/;

/** @returns the id of the request being answered, or undefined outside of one */
export const currentRequestId = (): string | undefined => storage.getStore()?.requestId;

/** The caller's X-Request-Id where it is a plain token and no key (it ends up in logs), else a new one. */
export const requestIdOf = (request: { readonly headers: Readonly<Record<string, unknown>> }): string => {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && ACCEPTABLE.test(given) && withMaskedKeys(given) === given ? given : randomUUID();
};

export const followRequests = (fastify: FastifyInstance): void => {
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    storage.run({ requestId: request.id }, done);
  });
  // Reading the body leaves the asynchronous context of the first hook: enter it again.
  fastify.addHook('preValidation', (request, _reply, done) => storage.run({ requestId: request.id }, done));
};
