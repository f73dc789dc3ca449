/** What routes answer, for `/docs` and for whoever generates a client: one zod schema and one example for each document. Specs hold every answer to it. */
import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';

export interface DocumentedAnswer<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  readonly example: z.output<Schema>;
}

/** Where a route keeps its schemas: specs read them there. */
export const ANSWER_SCHEMA = 'rampart:answer-schema';

export interface AnswerSchemas {
  readonly asked: z.ZodType;
  readonly dryRun: z.ZodType;
}

export const documented = <Schema extends z.ZodType>(schema: Schema, example: z.output<Schema>): DocumentedAnswer<Schema> => ({
  schema,
  example,
});

/** Of a route that lists. */
export const listOf = ({ schema, example }: DocumentedAnswer) =>
  documented(z.strictObject({ items: z.array(schema) }), { items: [example] });

/** Where all is well, as it is now. */
const NOW = 'As it is now';

/** Declares what a route answers when all is well: `@Answers(project)`. */
export const Answers = (answer: DocumentedAnswer, descriptions: Readonly<Record<number, string>> = { 200: NOW }) =>
  applyDecorators(
    SetMetadata(ANSWER_SCHEMA, { asked: answer.schema, dryRun: answer.schema } satisfies AnswerSchemas),
    ...Object.entries(descriptions).map(([status, description]) => response(Number(status), description, answer)),
  );

/** Of a route that takes a command. @param wouldBe  where it has a secret, which no dry run has */
export const AnswersCommand = (answer: DocumentedAnswer, wouldBe: DocumentedAnswer = answer) =>
  applyDecorators(schemasOf(answer, wouldBe), orDryRun(`${NOW}; or a dry run`, answer, wouldBe));

/** Of a route that makes something, or finds it made. */
export const AnswersMade = (answer: DocumentedAnswer, wouldBe: DocumentedAnswer = answer) =>
  applyDecorators(
    schemasOf(answer, wouldBe),
    response(201, 'Made: a resource, or a version of one', answer),
    orDryRun('All was so already; or a dry run', answer, wouldBe),
  );

/** What `?validate=true` answers. */
const dryRun = ({ schema }: DocumentedAnswer) =>
  z.strictObject({
    valid: z.literal(true),
    events: z.array(z.string()).describe('what would be stored; none: all is so already'),
    result: schema.describe('what would be answered'),
  });

const schemasOf = ({ schema }: DocumentedAnswer, wouldBe: DocumentedAnswer) =>
  SetMetadata(ANSWER_SCHEMA, { asked: schema, dryRun: dryRun(wouldBe) } satisfies AnswerSchemas);

const orDryRun = (description: string, { schema, example }: DocumentedAnswer, wouldBe: DocumentedAnswer) =>
  response(200, description, { schema: z.union([schema, dryRun(wouldBe)]), example });

const response = (status: number, description: string, { schema, example }: DocumentedAnswer) =>
  ApiResponse({ status, description, standardSchema: schema, example });
