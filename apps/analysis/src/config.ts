import { logConfig, needsLog, serviceConfig } from '@rampart/service-kit';
import { z } from 'zod';

export const storeConfig = z.object({
  RAMPART_CLICKHOUSE_URL: z
    .string()
    .regex(/^https?:\/\//, 'must be http://user:password@host:port')
    .describe('where the feedback store is'),
  RAMPART_CLICKHOUSE_DATABASE: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'must be a plain name')
    .default('rampart'),
});

const settings = serviceConfig.extend({
  ...logConfig,
  ...storeConfig.shape,
  RAMPART_SECRET: z.string().min(16, 'must have at least 16 characters').describe('the platform’s secret; pseudonyms of units hang on it'),
  RAMPART_LOG_PARTITIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(256)
    .default(4)
    .describe('partitions of a new feedback log; fixed when it is created'),
  RAMPART_LOOK_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(3_600_000)
    .default(2_000)
    .describe('from one look at the running comparisons to the next, at least'),
});
export const analysisConfig = needsLog(settings);
export type AnalysisConfig = z.infer<typeof analysisConfig>;

export const storeOptions = ({ RAMPART_CLICKHOUSE_URL: url, RAMPART_CLICKHOUSE_DATABASE: database }: z.infer<typeof storeConfig>) => ({
  url,
  database,
});
