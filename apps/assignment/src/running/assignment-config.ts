import { logConfig, needsLog, quotaConfig, serviceConfig } from '@rampart/service-kit';
import { z } from 'zod';

const origins = z
  .string()
  .default('*')
  .transform((text) => text.split(',').map((one) => one.trim()))
  .refine(
    (list) => list.every((one) => one === '*' || /^https?:\/\/[^/\s]+$/.test(one)),
    'must be * or origins as https://shop.example, separated by commas',
  );

const settings = serviceConfig.extend({
  ...logConfig,
  ...quotaConfig,
  RAMPART_SECRET: z
    .string()
    .min(16, 'must have at least 16 characters')
    .describe('the platform’s secret: unit pseudonyms are made with it'),
  RAMPART_LOG_PARTITIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(256)
    .default(4)
    .describe('partitions of a new feedback log, or the number that the log has by now (rampart generation)'),
  RAMPART_ASSIGNMENT_FOLDER: z
    .string()
    .min(1)
    .describe('folder of this process alone: exposures that the log does not have yet, and the newest definitions'),
  RAMPART_SPOOL_ROWS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000_000)
    .default(2_000_000)
    .describe(
      'most exposures that wait for the log, about 0.5 KB each; beyond it evaluation goes on and exposures are dropped and counted',
    ),
  RAMPART_STALE_AFTER_SECONDS: z.coerce
    .number()
    .min(2)
    .max(86_400)
    .default(10)
    .describe('definitions of which nothing was heard for so long are called stale; they are served all the same'),
  RAMPART_CORS_ORIGINS: origins.describe('pages that may evaluate with a client key: origins separated by commas, * = all'),
});
export const assignmentConfig = needsLog(settings);
export type AssignmentConfig = z.infer<typeof assignmentConfig>;
