/** What this service reads from its environment. */
import { databaseUrl, kafkaBrokers, kafkaSecurityConfig, serviceConfig } from '@rampart/service-kit';
import { z } from 'zod';

/** Where the event store and the log are. */
export const storesConfig = z.object({
  RAMPART_DATABASE_URL: databaseUrl.describe('postgres://…, schema control; and log, unless KAFKA_BROKERS are named'),
  KAFKA_BROKERS: kafkaBrokers,
  ...kafkaSecurityConfig,
});

export const experimentsConfig = serviceConfig.extend({
  ...storesConfig.shape,
  RAMPART_SECRET: z.string().min(16, 'must have at least 16 characters').describe('the platform’s secret; seals recorded answers'),
  RAMPART_KEEP_MESSAGES_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(30)
    .describe('how long proposed records and lines of the audit log stay in the log after they were stored'),
  RAMPART_KEEP_ROWS_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe('as analysis has it: what would need older rows is refused at its start; default: for ever'),
  RAMPART_WEBHOOK_ALLOW_PRIVATE: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('whether webhooks may go to addresses of this machine and its network'),
});
export type ExperimentsConfig = z.infer<typeof experimentsConfig>;
