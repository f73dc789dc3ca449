/**
 * The distributed deployment: three brokers, two shards, a PostgreSQL, and each service twice, started one by one as docs/operations.md says, behind a front
 * door of its own. It is a platform like any other to whoever calls it.
 */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type OwnClickhouse, type OwnKafka, type OwnPostgres, ownClickhouse, ownKafka, ownPostgres } from '@rampart/test-engines';
import { Member } from './member.js';
import { callerOf, type Platform, temporaryData } from './platform.js';

export const BROKERS = 3;
export const SHARDS = 2;
export const DEPLOYMENT_SECRET = 'a secret of journeys and of nothing else';
const services = ['experiments', 'assignment', 'ingestion', 'analysis'] as const;
export type ServiceName = (typeof services)[number];

export interface Engines {
  readonly kafka: OwnKafka;
  readonly clickhouse: OwnClickhouse;
  readonly postgres: OwnPostgres;
}

export interface Deployment extends Platform {
  readonly engines: Engines;
  readonly members: readonly Member[];
  member(name: string): Member;
}

export interface DeploymentOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Where another version of every process was built. */
  readonly checkout?: string;
  /** Processes of each service; default 2. */
  readonly twice?: readonly ServiceName[];
  /** How services are told to reach an engine: its own address, or a proxy's; of brokers, the port instead of the one given. */
  readonly kafkaThrough?: (port: number) => Promise<number>;
  /** How the front door reaches a process: its own address, or a proxy's. */
  readonly doorThrough?: (name: string, address: string) => Promise<string>;
  /** What a process gets more, by its name. */
  readonly envOf?: (name: string, data: string) => Readonly<Record<string, string>>;
  /** Folders for the files of the first broker, the first shard and assignment-1. */
  readonly disks?: { readonly broker: string; readonly shard: string; readonly spool: string } | undefined;
  readonly reached?: (engines: Engines) => Promise<{ readonly database: string; readonly clickhouse: string }>;
}

const ADMIN_KEY = 'rk_deployment0000_only-for-journeys-and-never-anywhere-else';

const direct = async ({ postgres, clickhouse }: Engines) => ({ database: postgres.url, clickhouse: clickhouse.url });

export const startDeployment = async (options: DeploymentOptions = {}): Promise<Deployment> => {
  const { env = {}, twice = services, reached = direct, kafkaThrough, disks, envOf = () => ({}), doorThrough, checkout } = options;
  const data = temporaryData();
  if (disks !== undefined) symlinkSync(disks.spool, join(data, 'assignment-1'));
  const [kafka, clickhouse, postgres] = await Promise.all([
    ownKafka({ brokers: BROKERS, firstAt: disks?.broker, ...(kafkaThrough === undefined ? {} : { through: kafkaThrough }) }),
    ownClickhouse({ shards: SHARDS, firstAt: disks?.shard }),
    ownPostgres(),
  ]);
  const engines = { kafka, clickhouse, postgres };
  const urls = await reached(engines);
  const told: Readonly<Record<ServiceName, Readonly<Record<string, string>>>> = {
    experiments: { RAMPART_DATABASE_URL: urls.database },
    assignment: {},
    ingestion: {},
    analysis: { RAMPART_CLICKHOUSE_URL: urls.clickhouse, RAMPART_CLICKHOUSE_CLUSTER: clickhouse.cluster },
  };
  const all = {
    KAFKA_BROKERS: kafka.brokers,
    RAMPART_SECRET: DEPLOYMENT_SECRET,
    RAMPART_ADMIN_KEY: ADMIN_KEY,
    RAMPART_LOOK_INTERVAL_MS: '500',
    ...env,
  };
  const names = services.flatMap((service) => (twice.includes(service) ? [`${service}-1`, `${service}-2`] : [`${service}-1`]));
  const started = await Promise.all(
    names.map((name) => {
      const service = name.split('-')[0] as ServiceName;
      const folder: Readonly<Record<string, string>> = service === 'assignment' ? { RAMPART_ASSIGNMENT_FOLDER: join(data, name) } : {};
      return Member.start({
        name,
        program: `${service}/dist/main.js`,
        ...{ data, checkout },
        env: { ...all, ...told[service], ...folder, ...envOf(name, data) },
      });
    }),
  );
  await Promise.all(started.map((member) => member.whenReady(90_000)));
  const upstreams = await Promise.all(
    services.map(async (service) => {
      const own = started.filter(({ name }) => name.startsWith(`${service}-`));
      const addresses = await Promise.all(own.map(({ name, address }) => doorThrough?.(name, address) ?? address));
      return [`RAMPART_UPSTREAM_${service.toUpperCase()}`, addresses.join(',')] as const;
    }),
  );
  const port = await freePort();
  const door = await Member.start({
    name: 'door',
    program: 'launcher/dist/front-door/main.js',
    ...{ data, checkout },
    env: { RAMPART_PORT: String(port), ...Object.fromEntries(upstreams) },
    port,
  });
  await door.whenReady();
  const members = [...started, door];
  const member = (name: string): Member => {
    const found = members.find((one) => one.name === name);
    if (found === undefined) throw new Error(`the deployment has no ${name}`);
    return found;
  };
  return {
    ...{ address: door.address, data, adminKey: ADMIN_KEY, launcherPid: -1, output: () => '' },
    ...{ engines, members, member, servers: undefined, call: callerOf(door.address, ADMIN_KEY) },
    processes: () => Object.fromEntries(members.flatMap(({ name, pid }) => (pid === undefined ? [] : [[name, pid]]))),
    stop: async () => {
      await door.stop();
      await Promise.all(started.map((one) => one.stop()));
      await Promise.all([kafka.stop(), clickhouse.stop(), postgres.remove()]);
    },
    remove: () => rmSync(data, { recursive: true, force: true }),
  };
};
