/** Bodies, queries and params are checked by their zod schemas: `@Body({ schema })`; what they refuse is listed by JSON pointer. */
import { type ArgumentMetadata, StandardSchemaValidationPipe } from '@nestjs/common';
import { InvalidRequest, type ProblemItem } from './problem-details.js';

const MOST_ERRORS = 100;

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: unknown;
  /** Of zod's `unrecognized_keys`: the fields that nobody knows, one issue for all of them. */
  readonly keys?: unknown;
}

/** A part of the path, or one field of the query, is named in the pointer as a field of the body is. */
class SchemaValidation extends StandardSchemaValidationPipe {
  override async transform<T = unknown>(value: T, metadata: ArgumentMetadata): Promise<T> {
    try {
      return await super.transform(value, metadata);
    } catch (error) {
      if (!(error instanceof InvalidRequest) || metadata.type === 'body' || metadata.data === undefined) throw error;
      const name = jsonPointer([metadata.data]);
      throw new InvalidRequest(error.errors.map((item) => ({ ...item, path: name + item.path })));
    }
  }
}

export const schemaValidation = (): StandardSchemaValidationPipe =>
  new SchemaValidation({ exceptionFactory: (issues) => new InvalidRequest(issues.flatMap(problemItems).slice(0, MOST_ERRORS)) });

const problemItems = (issue: Issue): readonly ProblemItem[] => {
  const path = jsonPointer((issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part)));
  if (issue.code === 'unrecognized_keys' && Array.isArray(issue.keys))
    return issue.keys.slice(0, MOST_ERRORS).map((key) => ({
      code: 'unrecognized-keys',
      path: path + jsonPointer([String(key)]),
      message: 'Not known here',
    }));
  return [{ code: typeof issue.code === 'string' ? issue.code.replaceAll('_', '-') : 'invalid', path, message: issue.message }];
};

/** RFC 6901: `['data', 'a/b']` → `/data/a~1b`. */
export const jsonPointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
