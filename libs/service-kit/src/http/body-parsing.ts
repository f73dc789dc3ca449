/** How a body becomes JSON: gzip unpacked, size limited after unpacking, and bytes left alone where a route wants them. */
import { createGunzip } from 'node:zlib';
import { RouteConfig } from '@nestjs/platform-fastify';
import { DomainError } from '@rampart/domain/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseJson } from './json-text.js';

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json(?:;|$)/i;
const RAW_BODY = { rawBody: true };

/** For routes that parse by themselves: their `@Body()` is the Buffer. */
export const RawBody = () => RouteConfig(RAW_BODY);

export const parseBodies = (fastify: FastifyInstance): void => {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>(JSON_TYPE, { parseAs: 'buffer' }, (request, body, done) => {
    if (wantsBytes(request)) return done(null, body);
    try {
      // A command without arguments may have an empty body.
      done(null, body.length === 0 ? undefined : parseJson(body));
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addHook('preParsing', async (request, _reply, payload) => {
    const encoding = request.headers['content-encoding']?.toLowerCase();
    if (encoding === undefined || encoding === 'identity') return payload;
    if (encoding !== 'gzip')
      throw new DomainError('unsupported-encoding', `Content-Encoding ${encoding} is not supported; use gzip or none.`);
    return unpacked(payload);
  });
};

const wantsBytes = (request: FastifyRequest): boolean => (request.routeOptions.config as Partial<typeof RAW_BODY>).rawBody === true;

const unpacked = (payload: NodeJS.ReadableStream) => {
  let received = 0;
  const gunzip = Object.assign(createGunzip(), { receivedEncodedLength: 0 });
  // Fastify compares this with Content-Length, and its own count, of unpacked bytes, with the limit.
  Object.defineProperty(gunzip, 'receivedEncodedLength', { get: () => received });
  payload.on('data', (part: Buffer) => {
    received += part.length;
  });
  payload.on('error', (error) => gunzip.destroy(error));
  gunzip.on('error', (error) => Object.assign(error, { statusCode: 400 }));
  return payload.pipe(gunzip);
};
