/** Which log a process uses is decided by its configuration; it loads only the client of the one it uses. */
import type { EventLog } from './event-log.js';

export interface EventLogChoice {
  /** The log's PostgreSQL; not used when `kafkaBrokers` are given. */
  readonly databaseUrl?: string | undefined;
  /** Bootstrap list "host:port,host:port"; empty or absent: the log is on PostgreSQL. */
  readonly kafkaBrokers?: string | undefined;
  /** As the log's server names this process, e.g. "ingestion". */
  readonly clientId?: string | undefined;
  readonly maxQueuedBytes?: number | undefined;
}

/** @throws RangeError when neither is given */
export const openEventLog = async ({ databaseUrl, kafkaBrokers, clientId, maxQueuedBytes }: EventLogChoice): Promise<EventLog> => {
  const limits = maxQueuedBytes === undefined ? {} : { maxQueuedBytes };
  const brokers = (kafkaBrokers ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  if (brokers.length > 0) {
    const { KafkaEventLog } = await import('./kafka-event-log.js');
    return new KafkaEventLog({ brokers, ...limits, ...(clientId === undefined ? {} : { clientId: `rampart ${clientId}` }) });
  }
  if (databaseUrl === undefined || databaseUrl === '') {
    throw new RangeError(
      'The event log needs the address of its PostgreSQL (databaseUrl) or of its Kafka brokers (kafkaBrokers); neither was given.',
    );
  }
  const { PostgresEventLog } = await import('./postgres-event-log.js');
  return new PostgresEventLog({ url: databaseUrl, ...limits });
};
