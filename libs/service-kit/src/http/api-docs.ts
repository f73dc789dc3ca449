/** `/docs` for people, `/docs-json` for tools: OpenAPI made from the routes and their schemas, and what holds for every route. */
import { STATUS_CODES } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';

export interface ApiDescription {
  readonly title: string;
  readonly description: string;
  readonly version: string;
  /** For routes that do not say by themselves what they answer. */
  readonly answers?: AnswerSchemas;
}

type Schema = Readonly<Record<string, unknown>>;

/** By the operation's id, which is Controller_method; they refer to `schemas` as to `#/components/schemas/…`. */
export interface AnswerSchemas {
  readonly operations: Readonly<Record<string, Schema>>;
  readonly schemas: Readonly<Record<string, Schema>>;
}

/** @param withPage  false = `/docs-json` only: the page's files are served by a package that specs can't load */
export const serveDocs = (app: NestFastifyApplication, api: ApiDescription, withPage: boolean): void => {
  const config = new DocumentBuilder()
    .setTitle(api.title)
    .setDescription(api.description)
    .setVersion(api.version)
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'rk_<id>_<secret>', description: 'an API key; X-API-Key takes it, too' })
    .build();
  SwaggerModule.setup('docs', app, () => completed(SwaggerModule.createDocument(app, config), api.answers), {
    jsonDocumentUrl: 'docs-json',
    ui: withPage,
    customSiteTitle: api.title,
    raw: ['json'],
  });
};

/** What a parameter of that name means on every route that does not say otherwise. */
const parameters: Readonly<Record<string, string>> = {
  key: 'key of the resource, unique in its project',
  id: 'id, as lists show it',
  project: 'key of the project; needed with an admin key, otherwise the project of the key',
  environment: 'key of the environment; where one is needed and none is named: that of the key, or production',
  limit: 'at most so many',
};

const text = { type: 'string' } as const;
const item = {
  type: 'object',
  properties: { code: text, path: { ...text, description: 'JSON pointer into the body' }, message: text },
} as const;
const problem = {
  type: 'object',
  description: 'RFC 9457. The code is for programs, the detail for people',
  required: ['type', 'title', 'status', 'code', 'detail', 'requestId'],
  properties: {
    type: text,
    title: text,
    status: { type: 'integer' },
    code: text,
    detail: text,
    errors: { type: 'array', items: item },
    details: { type: 'object', additionalProperties: true },
    requestId: text,
  },
};

/** Adds what routes answer, that every route may refuse, and words where a route has none. */
export const completed = (document: OpenAPIObject, answers: AnswerSchemas = { operations: {}, schemas: {} }): OpenAPIObject => {
  for (const path of Object.values(document.paths))
    for (const method of ['get', 'put', 'post', 'patch', 'delete'] as const) {
      const operation = path[method];
      if (operation === undefined) continue;
      for (const parameter of operation.parameters ?? []) if ('name' in parameter) parameter.description ??= parameters[parameter.name];
      for (const [status, answer] of Object.entries(operation.responses))
        if (answer !== undefined && 'description' in answer && answer.description === '')
          answer.description = STATUS_CODES[status] ?? status;
      const schema = answers.operations[operation.operationId ?? ''];
      for (const [status, answer] of Object.entries(operation.responses))
        if (schema !== undefined && answer !== undefined && !('$ref' in answer) && /^2/.test(status) && answer.content === undefined)
          answer.content = { 'application/json': { schema } };
      operation.responses.default ??= {
        description: 'Refused or failed: what was wrong, where, and what to do',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      };
    }
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, ...(answers.schemas as object), Problem: problem as never },
  };
  return document;
};
