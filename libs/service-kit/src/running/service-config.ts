/** Configuration comes from the environment, is parsed once at start, and names everything that is missing or wrong in one message. */
import { z } from 'zod';

const flag = z
  .enum(['0', '1'])
  .default('0')
  .transform((text) => text === '1');

/** What every service reads; a service extends it with `.extend({…})`. */
export const serviceConfig = z.object({
  RAMPART_LISTEN_HOST: z.string().min(1).default('127.0.0.1').describe('address to listen on'),
  RAMPART_LISTEN_PORT: z.coerce.number().int().min(0).max(65_535).default(0).describe('port to listen on; 0 = any free one'),
  RAMPART_ADMIN_KEY: z
    .string()
    .regex(/^\S{16,512}$/, 'must have 16 to 512 characters and no spaces')
    .optional()
    .describe('the platform’s admin key; wins over the file'),
  RAMPART_ADMIN_KEY_FILE: z.string().min(1).optional().describe('file that holds the platform’s admin key'),
  RAMPART_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('least level of log lines'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .regex(/^https?:\/\/\S+$/, 'must be http://host:port or https://host:port')
    .optional()
    .describe('collector that traces are sent to, as OTLP over HTTP; without it nothing is traced'),
  // Read by OpenTelemetry's exporter itself, which passes over what is none without a word.
  OTEL_EXPORTER_OTLP_HEADERS: z
    .string()
    .regex(/^\s*[^\s=,]+\s*=[^,]*(,\s*[^\s=,]+\s*=[^,]*)*$/, 'must be name=value, several separated by commas')
    .optional()
    .describe('headers for that collector, name=value,name=value; %2C for a comma in a value'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe('share of the traces that begin here which are kept; those that a client began are kept as it says'),
  RAMPART_DRAIN_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(60_000)
    .default(0)
    .describe('how long to go on answering after SIGTERM, unready already: until whoever shares out requests has noticed'),
  RAMPART_PARENT_PIPE: flag.describe('1 = end when standard input closes'),
});
export type ServiceConfig = z.infer<typeof serviceConfig>;

/** @throws ConfigError with one line per name that is missing or wrong */
export const readConfig = <Config>(schema: z.ZodType<Config>, environment: Readonly<Record<string, string | undefined>>): Config => {
  // An empty variable is an unset one: shells and compose files can't tell them apart.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = issue.path.join('.');
    const isMissing = issue.code === 'invalid_type' && given[name] === undefined;
    return `  ${name}: ${isMissing ? 'is missing' : issue.message}`;
  });
  throw new ConfigError(`The configuration has ${lines.length === 1 ? 'an error' : `${lines.length} errors`}:\n${lines.join('\n')}`);
};

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
