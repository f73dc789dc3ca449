/** Which log a service uses: Kafka where its brokers are named, PostgreSQL otherwise. Nothing else depends on it. */
import { z } from 'zod';
import { ConfigError } from './service-config.js';

/** A name or an address (IPv6 in brackets), and a port. */
const BROKER = /^(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):(\d{1,5})$/;

const wrongBrokers = (text: string): readonly string[] =>
  text
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => !(Number(BROKER.exec(broker)?.[1] ?? 0) >= 1 && Number(BROKER.exec(broker)?.[1]) <= 65_535));

export const kafkaBrokers = z
  .string()
  .superRefine((text, context) => {
    const wrong = wrongBrokers(text);
    if (wrong.length === 0) return;
    const message = `must be host:port, several separated by commas; got ${wrong.map((one) => JSON.stringify(one)).join(', ')}`;
    context.addIssue({ code: 'custom', message });
  })
  .optional()
  .describe('Kafka brokers to ask first, host:port,host:port; without them the log is in PostgreSQL');

const file = z.string().min(1).optional();

/** How connections to Kafka are secured. */
export const kafkaSecurityConfig = {
  KAFKA_TLS: z.enum(['0', '1']).default('0').describe('1 = connections to Kafka are encrypted, and its brokers’ certificates checked'),
  KAFKA_TLS_CA_FILE: file.describe('PEM: who signed the brokers’ certificates; default: whom the system trusts'),
  KAFKA_TLS_CERT_FILE: file.describe('PEM: this client’s own certificate, where brokers ask for one'),
  KAFKA_TLS_KEY_FILE: file.describe('PEM: its key'),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .optional()
    .describe('how this client says who it is; plain needs KAFKA_TLS=1'),
  KAFKA_SASL_USERNAME: z.string().min(1).optional().describe('the account at the brokers'),
  KAFKA_SASL_PASSWORD: z.string().min(1).optional().describe('its password'),
};

type KafkaSecurityConfig = z.infer<z.ZodObject<typeof kafkaSecurityConfig>>;

/** @throws ConfigError where the parts don't fit together */
export const kafkaSecurityOf = (config: KafkaSecurityConfig) => {
  const wrong = misfit(config);
  if (wrong !== undefined) throw new ConfigError(`The configuration has an error:\n  ${wrong}`);
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username = '', KAFKA_SASL_PASSWORD: password = '' } = config;
  const { KAFKA_TLS_CA_FILE: caFile, KAFKA_TLS_CERT_FILE: certFile, KAFKA_TLS_KEY_FILE: keyFile } = config;
  return {
    ...(config.KAFKA_TLS === '1' ? { tls: { caFile, certFile, keyFile } } : {}),
    ...(mechanism === undefined ? {} : { sasl: { mechanism, username, password } }),
  };
};

const misfit = (config: KafkaSecurityConfig): string | undefined => {
  const { KAFKA_TLS_CA_FILE: ca, KAFKA_TLS_CERT_FILE: cert, KAFKA_TLS_KEY_FILE: key } = config;
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = config;
  const isEncrypted = config.KAFKA_TLS === '1';
  if (!isEncrypted && [ca, cert, key].some((one) => one !== undefined)) return 'KAFKA_TLS: must be 1 where KAFKA_TLS_…_FILE are given';
  if ((cert === undefined) !== (key === undefined))
    return 'KAFKA_TLS_CERT_FILE: goes with KAFKA_TLS_KEY_FILE, and only one of them is given';
  if (mechanism === undefined)
    return username === undefined && password === undefined ? undefined : 'KAFKA_SASL_MECHANISM: is missing beside username or password';
  if (username === undefined || password === undefined)
    return `KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD: both are needed for ${mechanism}`;
  if (mechanism === 'plain' && !isEncrypted)
    return 'KAFKA_SASL_MECHANISM: plain would send the password readable: set KAFKA_TLS=1, or use scram-sha-512';
  return undefined;
};

/** As the drivers read it; what they could not read they refuse without saying which setting it was. */
const isPostgresUrl = (text: string): boolean => {
  if (!/^postgres(ql)?:\/\//.test(text)) return false;
  try {
    // Without a host it names a socket's folder behind it, as ?host=.
    const { username, password, pathname } = new URL(text.replace('@/', '@socket/'));
    for (const part of [username, password, pathname]) decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
};

/** Where a PostgreSQL is. The refusal says nothing of the text: a password may stand in it. */
export const databaseUrl = z
  .string()
  .refine(isPostgresUrl, 'must be postgres://user:password@host:port/database, with %2F for / and so on in a password');

/** For a service that needs the log and no database of its own; with `needsLog` around it. */
export const logConfig = {
  RAMPART_DATABASE_URL: databaseUrl.optional().describe('where the log is, unless KAFKA_BROKERS says so'),
  KAFKA_BROKERS: kafkaBrokers,
  ...kafkaSecurityConfig,
};

interface LogChoice {
  readonly RAMPART_DATABASE_URL?: string | undefined;
  readonly KAFKA_BROKERS?: string | undefined;
}

const namesLog = ({ RAMPART_DATABASE_URL, KAFKA_BROKERS }: LogChoice): boolean =>
  RAMPART_DATABASE_URL !== undefined || KAFKA_BROKERS !== undefined;

/** Said beside whatever else is wrong: one message names all of it. */
const missingLog = {
  path: ['RAMPART_DATABASE_URL'],
  message: 'is missing: it says where the log is, unless KAFKA_BROKERS does',
  when: () => true,
};

/** @returns the same configuration, in which one of both must be given */
export const needsLog = <Schema extends z.ZodType<LogChoice>>(schema: Schema): Schema => schema.refine(namesLog, missingLog);
