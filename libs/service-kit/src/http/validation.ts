/** Bodies, queries and params are checked by their zod schemas: `@Body({ schema })`; what they refuse is listed by JSON pointer. */
import { StandardSchemaValidationPipe } from '@nestjs/common';
import { InvalidRequest, type ProblemItem } from './problem-details.js';

const MOST_ERRORS = 100;

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: unknown;
}

export const schemaValidation = (): StandardSchemaValidationPipe =>
  new StandardSchemaValidationPipe({ exceptionFactory: (issues) => new InvalidRequest(issues.slice(0, MOST_ERRORS).map(problemItem)) });

const problemItem = (issue: Issue): ProblemItem => ({
  code: typeof issue.code === 'string' ? issue.code.replaceAll('_', '-') : 'invalid',
  path: jsonPointer((issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part))),
  message: issue.message,
});

/** RFC 6901: `['data', 'a/b']` → `/data/a~1b`. */
export const jsonPointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
