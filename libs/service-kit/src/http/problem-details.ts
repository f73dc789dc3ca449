/** How an error becomes an answer: RFC 9457, one table from code to status, and nothing internal. */
import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { DomainError } from '@rampart/domain/errors';

export interface ProblemItem {
  readonly code: string;
  /** JSON pointer into the body; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly ProblemItem[];
  readonly details?: Readonly<Record<string, unknown>>;
  readonly requestId: string;
}

/** A request that its schema refuses. */
export class InvalidRequest extends DomainError {
  constructor(readonly errors: readonly ProblemItem[]) {
    const [first, ...others] = errors;
    const where = first === undefined || first.path === '' ? '' : `${first.path}: `;
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    super('invalid-request', `${where}${first?.message ?? 'the request is not valid'}${more}`);
  }
}

/** Codes of the kit itself; services add theirs. Everything else that a rule refuses is a conflict with the state: 409. */
const KIT_STATUSES: Readonly<Record<string, number>> = {
  'invalid-request': 400,
  'not-json': 400,
  'not-utf8': 400,
  'bad-path': 400,
  'project-missing': 400,
  'key-missing': 401,
  'key-unknown': 401,
  'key-revoked': 401,
  'key-expired': 401,
  'key-rotated': 401,
  'wrong-role': 403,
  'foreign-project': 403,
  'foreign-environment': 403,
  'scope-undeclared': 403,
  'revision-mismatch': 412,
  'too-large': 413,
  'path-too-long': 414,
  'unsupported-media-type': 415,
  'unsupported-encoding': 415,
  'idempotency-key-reused': 422,
  unavailable: 503,
};

const HTTP_CODES: Readonly<Record<number, string>> = {
  400: 'bad-request',
  404: 'route-not-found',
  405: 'method-not-allowed',
  408: 'request-timeout',
  413: 'too-large',
  415: 'unsupported-media-type',
  429: 'too-many-requests',
  503: 'unavailable',
};

/** @param statuses  code → status of the service; wins over the kit's own */
export const problemOf = (error: unknown, requestId: string, statuses: Readonly<Record<string, number>> = {}): Problem => {
  if (error instanceof DomainError) return refusal(error, requestId, statuses);
  if (isRetriable(error)) {
    const detail = 'Something that this service needs is not available at the moment; try again after Retry-After.';
    return { ...frame(503, 'unavailable', requestId), detail };
  }
  if (error instanceof HttpException && error.getStatus() < 500) {
    const status = error.getStatus();
    return { ...frame(status, HTTP_CODES[status] ?? 'http-error', requestId), detail: error.message };
  }
  const unreadable = unreadableBody(error);
  if (unreadable !== undefined) return { ...frame(400, 'unreadable-body', requestId), detail: unreadable };
  return { ...frame(500, 'internal', requestId), detail: `Something went wrong here; the log has it under request ${requestId}.` };
};

const refusal = (error: DomainError, requestId: string, statuses: Readonly<Record<string, number>>): Problem => {
  const status = statuses[error.code] ?? KIT_STATUSES[error.code] ?? (error.code.endsWith('-not-found') ? 404 : 409);
  const { errors: listed, ...details } = error.details as Record<string, unknown>;
  const errors = error instanceof InvalidRequest ? error.errors : Array.isArray(listed) ? (listed as ProblemItem[]) : undefined;
  return {
    ...frame(status, error.code, requestId),
    detail: error.message,
    ...(errors === undefined ? {} : { errors }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  };
};

const frame = (status: number, code: string, requestId: string) => ({
  type: `urn:rampart:problem:${code}`,
  title: STATUS_CODES[status] ?? 'Error',
  status,
  code,
  requestId,
});

/** A stream that broke while the body was read: gzip that is none, a caller that hung up. Fastify marks these with a status. */
const unreadableBody = (error: unknown): string | undefined => {
  if (typeof error !== 'object' || error === null || (error as { statusCode?: unknown }).statusCode !== 400) return undefined;
  const code = String((error as { code?: unknown }).code);
  return code.startsWith('Z_') ? 'The body is not gzip, although Content-Encoding says so.' : 'The body could not be read to its end.';
};

/** Errors of adapters say whether trying again can help. */
const isRetriable = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && (error as { retriable?: unknown }).retriable === true;
