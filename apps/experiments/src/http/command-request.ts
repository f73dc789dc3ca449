/** What a request says around its body: the revision it expects, its idempotency key, its reason, and whether it only asks what would happen. */
import { createHash } from 'node:crypto';
import { toUSVString } from 'node:util';
import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader, ApiQuery } from '@nestjs/swagger';
import { type CallerIdentity, type CallingRequest, currentRequestId, InvalidRequest, jsonPointer } from '@rampart/service-kit';
import { nowUs } from '../clock.js';
import type { Envelope } from '../command/command-door.js';

type Request = CallingRequest;

/** The envelope of the command: `@Asked() envelope: Envelope`. */
export const Asked = createParamDecorator(
  (_: unknown, context: ExecutionContext): Envelope => envelopeOf(context.switchToHttp().getRequest()),
);

/** Documents what every changing route takes. */
export const Commanding = () =>
  applyDecorators(
    ApiHeader({ name: 'Idempotency-Key', required: false, description: 'same key and same request: same answer, for 24 hours' }),
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'the revision that was read, as in the ETag; 412 if there is a newer one',
    }),
    ApiQuery({
      name: 'validate',
      required: false,
      type: Boolean,
      description: 'true: say what would happen, store nothing; answers { valid, events, result }',
    }),
    ApiQuery({ name: 'reason', required: false, type: String, description: 'why: kept in the history' }),
  );

const envelopeOf = (request: Request): Envelope => {
  const { caller, query, body } = request;
  if (caller === undefined) throw new RangeError('a route that commands must declare a @Scope');
  const { validate, reason } = query as Readonly<Record<string, unknown>>;
  const said = (body as { readonly reason?: unknown } | undefined)?.reason ?? reason;
  const isDryRun = flagOf(validate);
  // It only asks.
  if (isDryRun) request.isAudited = false;
  requireShallow(body);
  requireStorable(body, []);
  requireStorable(said, ['reason']);
  return {
    origin: { atUs: nowUs(), actor: caller.keyId, reason: typeof said === 'string' ? said : null, requestId: currentRequestId() ?? null },
    expectedRevision: revisionOf(request.headers['if-match']),
    idempotency: isDryRun ? null : idempotencyOf(request, caller),
    isDryRun,
  };
};

/** What is nested deeper breaks whoever reads it recursively, us included. */
const DEEPEST = 64;

const requireShallow = (body: unknown): void => {
  let level: readonly unknown[] = [body];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) throw refused('too-deep', `the body is nested deeper than ${DEEPEST} levels: flatten it`);
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
};

/** PostgreSQL holds no U+0000 and no half of a surrogate pair. */
const isStorable = (text: string): boolean => !text.includes('\u0000') && toUSVString(text) === text;

/** Of what is shallow. */
const requireStorable = (value: unknown, path: readonly string[]): void => {
  if (typeof value === 'string' && !isStorable(value)) throw notStorable(path);
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (!isStorable(key)) throw notStorable(path);
    requireStorable(inner, [...path, key]);
  }
};

const notStorable = (path: readonly string[]): InvalidRequest =>
  refused('text-not-storable', 'holds U+0000 or half of a surrogate pair, which can’t be stored: leave it out', jsonPointer(path));

const flagOf = (value: unknown): boolean => {
  if (value === undefined || value === 'false') return false;
  if (value === 'true' || value === '') return true;
  throw refused('invalid-validate', `validate must be true or false, got "${value}"`, '/validate');
};

/** `"3"`, `W/"3"` or `3`; `*` is any. */
const revisionOf = (header: string | undefined): number | null => {
  if (header === undefined || header.trim() === '*') return null;
  const revision = /^(?:W\/)?"?(\d{1,9})"?$/.exec(header.trim())?.[1];
  if (revision !== undefined) return Number(revision);
  throw refused('invalid-if-match', `If-Match must be one revision in quotes, like "3", got ${header}`);
};

const idempotencyOf = (request: Request, { keyId, project }: CallerIdentity): Envelope['idempotency'] => {
  const { 'idempotency-key': key } = request.headers;
  if (key === undefined) return null;
  if (typeof key !== 'string' || key.length < 1 || key.length > 200)
    throw refused('invalid-idempotency-key', `Idempotency-Key must have 1–200 characters, got ${key.length}`);
  const digest = createHash('sha256')
    .update(JSON.stringify([request.method, request.url, request.body ?? null]))
    .digest('hex');
  return { scope: `${project ?? '-'}/${keyId}`, key, digest };
};

const refused = (code: string, message: string, path = '') => new InvalidRequest([{ code, path, message }]);
