/** How a body becomes JSON: gzip unpacked, size limited after unpacking, and bytes left alone where a route wants them. */
import { createGunzip } from 'node:zlib';
import { UnsupportedMediaTypeException } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { DomainError } from '@rampart/domain/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { parseJson } from './json-text.js';

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json(?:;|$)/i;
const RAW_BODY = { rawBody: true };

/** For routes that parse by themselves: their `@Body()` is the Buffer. */
export const RawBody = () => RouteConfig(RAW_BODY);

const UNREAD_BODY = { unreadBody: true };

/** For routes that need nothing of what is sent: whatever it is, it is no reason to refuse. */
export const UnreadBody = () => RouteConfig(UNREAD_BODY);

export const parseBodies = (fastify: FastifyInstance): void => {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser<Buffer>(JSON_TYPE, { parseAs: 'buffer' }, (request, body, done) => {
    if (wantsBytes(request)) return done(null, body);
    if (wantsNothing(request)) return done(null);
    try {
      // A command without arguments may have an empty body.
      done(null, body.length === 0 ? undefined : parseJson(body));
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request, _body, done) =>
    done(wantsNothing(request) ? null : new UnsupportedMediaTypeException()),
  );
  fastify.addHook('preParsing', async (request, _reply, payload) => {
    const encoding = request.headers['content-encoding']?.toLowerCase();
    if (encoding === undefined || encoding === 'identity') return payload;
    if (encoding !== 'gzip')
      throw new DomainError('unsupported-encoding', `Content-Encoding ${encoding} is not supported; use gzip or none.`);
    return unpacked(payload);
  });
};

const wantsBytes = (request: FastifyRequest): boolean => (request.routeOptions.config as Partial<typeof RAW_BODY>).rawBody === true;

const wantsNothing = (request: FastifyRequest): boolean => (request.routeOptions.config as Partial<typeof UNREAD_BODY>).unreadBody === true;

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
