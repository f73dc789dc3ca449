/** What the environment asks for. Everything else is passed on to the services untouched. */
import { resolve } from 'node:path';
import { Refusal } from './refusal.js';

export interface Settings {
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly dataFolder: string;
  readonly adminKey: string | undefined;
  readonly secret: string | undefined;
  readonly databaseUrl: string | undefined;
  /** Of a cluster one for each shard. */
  readonly clickhouseUrls: readonly string[];
  readonly clickhouseCluster: string | undefined;
  /** host:port of each; empty: the log is in PostgreSQL. */
  readonly kafkaBrokers: readonly string[];
  /** Folder of a backup: fills the data folder from it, and ends. */
  readonly restoreFrom: string | undefined;
  /** `same`, or how many partitions: opens another generation of the feedback log, and ends. */
  readonly generation: string | undefined;
  /** Standard input is a pipe of the parent: its end is the order to stop. */
  readonly watchesPipe: boolean;
}

const given = (text: string | undefined): string | undefined => (text === undefined || text.trim() === '' ? undefined : text.trim());

const portFrom = (text: string): number => {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Refusal(`RAMPART_PORT is "${text}": give a number from 0 (any free port) to 65535.`);
  return port;
};

const urlFrom = (name: string, text: string | undefined, protocols: readonly string[]): string | undefined => {
  if (text === undefined) return undefined;
  if (!protocols.some((protocol) => text.startsWith(`${protocol}://`))) {
    throw new Refusal(`${name} must begin with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}.`);
  }
  return text;
};

const clickhouseFrom = (text: string | undefined, cluster: string | undefined): Pick<Settings, 'clickhouseUrls' | 'clickhouseCluster'> => {
  const urls = (text?.split(',') ?? []).flatMap((one) => urlFrom('CLICKHOUSE_URL', one.trim(), ['http', 'https']) ?? []);
  if (urls.length > 1 && cluster === undefined)
    throw new Refusal(`CLICKHOUSE_URL has ${urls.length} addresses, the shards of a cluster: give its name in CLICKHOUSE_CLUSTER.`);
  if (urls.length === 0 && cluster !== undefined)
    throw new Refusal('CLICKHOUSE_CLUSTER names a cluster: give an address for each of its shards in CLICKHOUSE_URL.');
  return { clickhouseUrls: urls, clickhouseCluster: cluster };
};

const broker = /^(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+):(\d{1,5})$/;

const brokersFrom = (text: string | undefined): readonly string[] => {
  const brokers = text === undefined ? [] : text.split(',').map((one) => one.trim());
  for (const one of brokers) {
    const port = Number(broker.exec(one)?.[1] ?? 0);
    if (port < 1 || port > 65_535) throw new Refusal(`KAFKA_BROKERS has "${one}": give host:port, several separated by commas.`);
  }
  return brokers;
};

export const hostAndPortFrom = (environment: NodeJS.ProcessEnv): Pick<Settings, 'host' | 'port'> => ({
  host: given(environment.RAMPART_HOST) ?? '127.0.0.1',
  port: portFrom(given(environment.RAMPART_PORT) ?? '8080'),
});

export const settingsFrom = (environment: NodeJS.ProcessEnv, checkout: string): Settings => {
  const adminKey = given(environment.RAMPART_ADMIN_KEY);
  if (adminKey !== undefined && adminKey.length < 16) {
    throw new Refusal(`RAMPART_ADMIN_KEY has ${adminKey.length} characters: give at least 16, or leave it out and one is made.`);
  }
  return {
    ...hostAndPortFrom(environment),
    dataFolder: resolve(given(environment.RAMPART_DATA) ?? `${checkout}/.rampart`),
    adminKey,
    secret: given(environment.RAMPART_SECRET),
    databaseUrl: urlFrom('DATABASE_URL', given(environment.DATABASE_URL), ['postgres', 'postgresql']),
    ...clickhouseFrom(given(environment.CLICKHOUSE_URL), given(environment.CLICKHOUSE_CLUSTER)),
    kafkaBrokers: brokersFrom(given(environment.KAFKA_BROKERS)),
    restoreFrom: given(environment.RAMPART_RESTORE),
    generation: given(environment.RAMPART_GENERATION),
    watchesPipe: environment.RAMPART_PARENT_PIPE === '1',
  };
};
