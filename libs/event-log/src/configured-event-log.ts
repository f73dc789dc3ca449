/** Which log a process uses is decided by its configuration; it loads only the client of the one it uses. */
import { readFileSync } from 'node:fs';
import type { EventLog } from './event-log.js';
import type { KafkaSecurity } from './kafka/kafka-options.js';
import type { LogCopy } from './log-copy.js';

export interface EventLogChoice {
  /** The log's PostgreSQL; not used when `kafkaBrokers` are given. */
  readonly databaseUrl?: string | undefined;
  /** Bootstrap list "host:port,host:port"; empty or absent: the log is on PostgreSQL. */
  readonly kafkaBrokers?: string | undefined;
  readonly kafkaSecurity?: KafkaSecurityChoice | undefined;
  /** As the log's server names this process, e.g. "ingestion". */
  readonly clientId?: string | undefined;
  readonly maxQueuedBytes?: number | undefined;
}

/** How connections to Kafka are secured; certificates and keys are in PEM files. */
export interface KafkaSecurityChoice {
  readonly tls?:
    | { readonly caFile?: string | undefined; readonly certFile?: string | undefined; readonly keyFile?: string | undefined }
    | undefined;
  readonly sasl?: KafkaSecurity['sasl'] | undefined;
}

/** @throws RangeError when neither is given, or a file can't be read */
export const openEventLog = async ({
  databaseUrl,
  kafkaBrokers,
  kafkaSecurity,
  clientId,
  maxQueuedBytes,
}: EventLogChoice): Promise<EventLog> => {
  const limits = maxQueuedBytes === undefined ? {} : { maxQueuedBytes };
  const brokers = brokersIn(kafkaBrokers);
  if (brokers.length > 0) {
    const { KafkaEventLog } = await import('./kafka-event-log.js');
    const security = securityOf(kafkaSecurity ?? {});
    return new KafkaEventLog({ brokers, security, ...limits, ...(clientId === undefined ? {} : { clientId: `rampart ${clientId}` }) });
  }
  if (databaseUrl === undefined || databaseUrl === '') {
    throw new RangeError(
      'The event log needs the address of its PostgreSQL (databaseUrl) or of its Kafka brokers (kafkaBrokers); neither was given.',
    );
  }
  const { PostgresEventLog } = await import('./postgres-event-log.js');
  return new PostgresEventLog({ url: databaseUrl, ...limits });
};

/** For the log to be kept elsewhere. @returns undefined where it is in PostgreSQL, whose tables are all of it */
export const openLogCopy = async ({
  kafkaBrokers,
  kafkaSecurity,
}: Pick<EventLogChoice, 'kafkaBrokers' | 'kafkaSecurity'>): Promise<LogCopy | undefined> => {
  const brokers = brokersIn(kafkaBrokers);
  if (brokers.length === 0) return undefined;
  const copy = await import('./kafka/kafka-log-copy.js');
  return new copy.KafkaLogCopy({ brokers, security: securityOf(kafkaSecurity ?? {}), clientId: 'rampart copy' });
};

const brokersIn = (list: string | undefined): readonly string[] =>
  (list ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');

const securityOf = ({ tls, sasl }: KafkaSecurityChoice): KafkaSecurity => {
  const read = (name: 'ca' | 'cert' | 'key', file: string | undefined) => (file === undefined ? {} : { [name]: textOf(file) });
  return {
    ...(tls === undefined ? {} : { tls: { ...read('ca', tls.caFile), ...read('cert', tls.certFile), ...read('key', tls.keyFile) } }),
    ...(sasl === undefined ? {} : { sasl }),
  };
};

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new RangeError(
      `${file}, which secures the connections to Kafka, can't be read: ${error instanceof Error ? error.message : error}`,
    );
  }
};
