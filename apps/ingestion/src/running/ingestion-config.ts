import { logConfig, needsLog, quotaConfig, serviceConfig } from '@rampart/service-kit';
import { z } from 'zod';

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
  RAMPART_QUEUED_BYTES: z.coerce
    .number()
    .int()
    .min(65_536)
    .max(1_073_741_824)
    .default(33_554_432)
    .describe('what may wait for the log, about a second’s worth at full speed: beyond it senders get 503 with Retry-After'),
});
export const ingestionConfig = needsLog(settings);
export type IngestionConfig = z.infer<typeof ingestionConfig>;
