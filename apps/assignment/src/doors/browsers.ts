/**
 * Which pages may evaluate: those of the origins named, with a client key, which stands in the page for everybody to read. Answers to secret keys are
 * never readable by a page of another origin. Never with credentials: the key is all there is.
 */
import type { OnModuleInit } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { CallerIdentity } from '@rampart/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const FOR_PAGES = /^\/(?:ofrep\/v1\/|v1\/evaluate\/|api\/features\/)/;
const METHODS = 'GET, POST';
const HEADERS = 'authorization, content-type, if-none-match, x-api-key, x-rampart-exposure';
const EXPOSED = 'etag, retry-after, x-rampart-ruleset, x-rampart-ruleset-age, x-request-id';
const REMEMBER_SECONDS = '7200';

export class Browsers implements OnModuleInit {
  private readonly isForAll: boolean;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly origins: readonly string[],
  ) {
    this.isForAll = origins.includes('*');
  }

  onModuleInit(): void {
    const fastify: FastifyInstance = this.host.httpAdapter.getInstance();
    fastify.addHook('onRequest', (request, reply, done) => {
      if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return done();
      this.answerPreflight(request, reply);
    });
    fastify.addHook('onSend', (request, reply, payload, done) => {
      if (this.mayRead(request)) this.allow(request, reply).header('access-control-expose-headers', EXPOSED);
      done(null, payload);
    });
  }

  /** Asked without a key: it is let in whatever key comes, and the answer to a secret one stays unreadable. */
  private answerPreflight(request: FastifyRequest, reply: FastifyReply): void {
    if (this.isAllowed(request))
      this.allow(request, reply)
        .header('access-control-allow-methods', METHODS)
        .header('access-control-allow-headers', HEADERS)
        .header('access-control-max-age', REMEMBER_SECONDS);
    void reply.status(204).send();
  }

  /** A refusal of the key itself holds nothing secret, and a page should see it. */
  private mayRead(request: FastifyRequest): boolean {
    if (request.method === 'OPTIONS' || !this.isAllowed(request)) return false;
    const { caller } = request as FastifyRequest & { readonly caller?: CallerIdentity };
    return caller === undefined || caller.role === 'client';
  }

  private isAllowed({ headers: { origin }, url }: FastifyRequest): boolean {
    return origin !== undefined && FOR_PAGES.test(url) && (this.isForAll || this.origins.includes(origin));
  }

  private allow({ headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (this.isForAll) return reply.header('access-control-allow-origin', '*');
    return reply.header('access-control-allow-origin', headers.origin).header('vary', 'origin');
  }
}
