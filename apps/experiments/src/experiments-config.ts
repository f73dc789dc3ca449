/** What this service reads from its environment. */
import { kafkaBrokers, serviceConfig } from '@rampart/service-kit';
import { z } from 'zod';

export const experimentsConfig = serviceConfig.extend({
  RAMPART_DATABASE_URL: z.string().min(1).describe('postgres://…, schema control; and log, unless KAFKA_BROKERS are named'),
  KAFKA_BROKERS: kafkaBrokers,
  RAMPART_SECRET: z.string().min(16, 'must have at least 16 characters').describe('the platform’s secret; seals recorded answers'),
  RAMPART_WEBHOOK_ALLOW_PRIVATE: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .describe('whether webhooks may go to addresses of this machine and its network'),
});
export type ExperimentsConfig = z.infer<typeof experimentsConfig>;
