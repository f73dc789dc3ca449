/** Kafka and PostgreSQL of a platform's own, for journeys on the distributed log: the launcher gets their addresses, and a journey may kill them. */
import { type OwnKafka, type OwnPostgres, ownKafka, ownPostgres } from '@rampart/test-engines';

/** Which log journeys run on: RAMPART_JOURNEY_LOG=kafka, or the embedded one. */
export const isOnKafka = process.env.RAMPART_JOURNEY_LOG === 'kafka';

export interface Servers {
  readonly brokers: string;
  /** The folders of what they write. */
  readonly files: { readonly kafka: string; readonly postgres: string };
  readonly env: Readonly<Record<string, string>>;
  has(name: string): boolean;
  /** kill -9; it starts again at once, as the launcher's own do, or when `meanwhile` is over. */
  kill(name: string, meanwhile?: () => Promise<void>): Promise<void>;
  remove(): Promise<void>;
}

const ofData = new Map<string, Promise<Servers>>();

/** The same for the same data folder: a platform that starts again finds its log. */
export const serversOf = (data: string): Promise<Servers> => {
  const servers = ofData.get(data) ?? startServers();
  ofData.set(data, servers);
  return servers;
};

const startServers = async (): Promise<Servers> => {
  const [kafka, postgres] = await Promise.all([ownKafka(), ownPostgres()]);
  const env = { KAFKA_BROKERS: kafka.brokers, DATABASE_URL: postgres.url };
  const restarts = parts(kafka, postgres);
  let restarting: Promise<void> = Promise.resolve();
  return {
    brokers: kafka.brokers,
    files: { kafka: kafka.files, postgres: postgres.files },
    env,
    has: (name) => name in restarts,
    kill: async (name, meanwhile = async () => undefined) => {
      await restarting;
      await restarts[name]?.kill();
      try {
        await meanwhile();
      } finally {
        restarting = restarts[name]?.start() ?? Promise.resolve();
      }
    },
    remove: async () => {
      await restarting.catch(() => undefined);
      await Promise.all([kafka.stop(), postgres.remove()]);
    },
  };
};

const parts = (
  kafka: OwnKafka,
  postgres: OwnPostgres,
): Readonly<Record<string, { readonly kill: () => Promise<void>; readonly start: () => Promise<void> }>> => ({
  kafka: { kill: () => kafka.kill(0), start: () => kafka.restart(0) },
  postgres: { kill: () => postgres.stop('kill'), start: () => postgres.start() },
});
