/** What routes answer, for `/docs` and for whoever generates a client: one zod schema and one example for each document. Specs hold every answer to it. */
import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { z } from 'zod';

export interface DocumentedAnswer<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  readonly example: z.output<Schema>;
}

/** Where a route keeps its schema: specs read it there. */
export const ANSWER_SCHEMA = 'rampart:answer-schema';

export const documented = <Schema extends z.ZodType>(schema: Schema, example: z.output<Schema>): DocumentedAnswer<Schema> => ({
  schema,
  example,
});

/** Of a route that lists. */
export const listOf = ({ schema, example }: DocumentedAnswer) =>
  documented(z.strictObject({ items: z.array(schema) }), { items: [example] });

/** Declares what a route answers when all is well: `@Answers(project)`. A dry run answers with `{ valid, events, result }` instead. */
export const Answers = ({ schema, example }: DocumentedAnswer, descriptions: Readonly<Record<number, string>> = { 200: 'As it is now' }) =>
  applyDecorators(
    SetMetadata(ANSWER_SCHEMA, schema),
    ...Object.entries(descriptions).map(([status, description]) =>
      ApiResponse({ status: Number(status), description, standardSchema: schema, example }),
    ),
  );

/** Of a route that makes something, or finds it made. */
export const AnswersMade = (answer: DocumentedAnswer) =>
  Answers(answer, { 201: 'Made: a resource, or a version of one', 200: 'All was so already; or a dry run' });
