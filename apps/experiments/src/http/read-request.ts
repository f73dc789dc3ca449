/** Which state of a resource is asked for. */
import { ApiQuery } from '@nestjs/swagger';
import { EXPERIMENT_STATUSES, parseInstant, slug } from '@rampart/contracts';
import { z } from 'zod';

const instant = z
  .string()
  .refine((text) => parseInstant(text) !== undefined, 'must be an ISO 8601 instant with a zone, like 2026-01-31T12:00:00Z')
  .transform((text) => parseInstant(text) ?? 0);

export const versionQuery = z.object({
  asOf: instant.optional().describe('the state at this instant'),
  version: z.coerce.number().int().min(1).optional().describe('of the definition; default: the newest'),
});
export type VersionQuery = z.infer<typeof versionQuery>;

export const statusQuery = z.object({
  status: z.enum(EXPERIMENT_STATUSES).optional(),
  environment: slug.optional(),
});
export type StatusQuery = z.infer<typeof statusQuery>;

export const redefinitionQuery = z.object({
  newComparison: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe(
      'true: what is frozen may change; units are assigned anew (where assignment is external, by whoever assigns them), and what was seen so far decides nothing in the new comparison',
    ),
});
export type RedefinitionQuery = z.infer<typeof redefinitionQuery>;

/** Documents the environment of a route that takes `@Environment()`. */
export const InEnvironment = () => ApiQuery({ name: 'environment', required: false, type: String, description: 'default: production' });
