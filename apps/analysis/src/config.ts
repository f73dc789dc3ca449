import { logConfig, needsLog, serviceConfig } from '@rampart/service-kit';
import { z } from 'zod';
import { DEFAULT_HELD_BYTES } from './feedback/held-bytes.js';

export const storeConfig = z.object({
  RAMPART_CLICKHOUSE_URL: z
    .string()
    .regex(
      /^https?:\/\/[^,]+(,\s*https?:\/\/[^,]+)*$/,
      'must be http://user:password@host:port, of a cluster one for each shard, separated by commas',
    )
    .describe('where the feedback store is; of a cluster one address for each shard, separated by commas'),
  RAMPART_CLICKHOUSE_CLUSTER: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,62}$/, 'must be a plain name')
    .optional()
    .describe('name of the ClickHouse cluster over whose shards rows are spread by unit (remote_servers); without it there is one server'),
  RAMPART_CLICKHOUSE_DATABASE: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'must be a plain name')
    .default('rampart')
    .describe('database of the feedback store; on a cluster a second one, with _all behind its name, speaks for all shards'),
});

/** @returns the same configuration, in which several servers have a name together */
export const namesCluster = <Schema extends z.ZodType<Servers>>(schema: Schema): Schema =>
  schema.refine(({ RAMPART_CLICKHOUSE_URL: url, RAMPART_CLICKHOUSE_CLUSTER: cluster }) => cluster !== undefined || !url.includes(','), {
    path: ['RAMPART_CLICKHOUSE_CLUSTER'],
    message: 'is missing: RAMPART_CLICKHOUSE_URL has several addresses, which are the shards of one',
  });

interface Servers {
  readonly RAMPART_CLICKHOUSE_URL: string;
  readonly RAMPART_CLICKHOUSE_CLUSTER?: string | undefined;
}

const days = z.coerce.number().int().min(1).max(36_500);

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
    .describe('partitions of a new feedback log, or the number that the log has by now (rampart generation)'),
  RAMPART_KEEP_COUNTS_DAYS: days.default(30).describe('how long ingestion’s counters are kept, in log and store'),
  RAMPART_KEEP_DEAD_LETTERS_DAYS: days.default(90).describe('how long dead letters are kept, in log and store'),
  RAMPART_KEEP_ROWS_DAYS: days
    .optional()
    .describe(
      'how long rows of live environments are kept in the store, and longer where an open comparison needs them; default: for ever',
    ),
  RAMPART_KEEP_LOG_DAYS: days
    .optional()
    .describe('how long feedback.v1 is kept, at least as long as the rows; what is gone from it no rebuild brings back; default: for ever'),
  RAMPART_FEEDBACK_HELD_BYTES: z.coerce
    .number()
    .int()
    .min(65_536)
    .max(1_073_741_824)
    .default(DEFAULT_HELD_BYTES)
    .describe(
      'messages of feedback that are read and not stored yet: a quarter for what is read, over all partitions of the log, the rest for what is gathered; a third of that is an insert',
    ),
  RAMPART_LOOK_INTERVAL_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(3_600_000)
    .default(2_000)
    .describe('from one look at the running comparisons to the next, at least'),
});
export const analysisConfig = namesCluster(needsLog(settings)).refine(
  ({ RAMPART_KEEP_LOG_DAYS: log, RAMPART_KEEP_ROWS_DAYS: rows }) => log === undefined || (rows !== undefined && rows <= log),
  {
    path: ['RAMPART_KEEP_LOG_DAYS'],
    message: 'must not be less than RAMPART_KEEP_ROWS_DAYS: rows that the log does not have any more, no rebuild brings back',
  },
);
export type AnalysisConfig = z.infer<typeof analysisConfig>;

export const storeOptions = ({
  RAMPART_CLICKHOUSE_URL: url,
  RAMPART_CLICKHOUSE_DATABASE: database,
  RAMPART_CLICKHOUSE_CLUSTER: cluster,
}: z.infer<typeof storeConfig>) => ({ url, database, cluster });
