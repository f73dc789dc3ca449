/** The deployment under attack: its processes, engines and the lines between them, with everything that can be done to them. */

import { type Deployment, type Engines, startDeployment } from '../journeys/deployment.js';
import type { Member } from '../journeys/member.js';
import { type TurnableClock, turnableClock } from '../journeys/wrong-clock.js';
import type { Random } from '../simulation/random.js';
import { Line } from './line.js';
import { SmallDisk } from './small-disk.js';

export interface Attacked {
  readonly deployment: Deployment;
  readonly lines: Lines;
  /** Of the first broker, the first shard and assignment-1; absent where none were asked for. */
  readonly disks: Disks | undefined;
  /** Of each service's process, by its name. */
  readonly clocks: ReadonlyMap<string, TurnableClock>;
  /** Exposures that were answered, and counted as dropped, while a spool had no room. */
  dropped: number;
  /** Has so many more units told their variant by one process. */
  press: (address: string, units: number) => Promise<void>;
  close(): Promise<void>;
}

/** To the brokers from all services, to the shards from analysis, to PostgreSQL from experiments, and from the front door to each service's process. */
export interface Lines {
  readonly brokers: readonly Line[];
  readonly shards: readonly Line[];
  readonly postgres: Line;
  readonly door: ReadonlyMap<string, Line>;
}

export type Disks = Readonly<Record<'broker' | 'shard' | 'spool', SmallDisk>>;

/** Enough for every engine's own files and some minutes of chaos. @throws where this machine has no such disks to give */
const smallDisks = (): Disks => {
  const made: SmallDisk[] = [];
  try {
    for (const megabytes of [512, 1024, 64]) made.push(SmallDisk.make(megabytes));
  } catch (error) {
    for (const disk of made) disk.remove();
    throw error;
  }
  const [broker, shard, spool] = made as [SmallDisk, SmallDisk, SmallDisk];
  return { broker, shard, spool };
};

const placeIn = (url: string): { host: string; port: number } => {
  const [, host = '', port = ''] = /@([^:/]+):(\d+)/.exec(url) ?? [];
  return { host, port: Number(port) };
};
export const placedAt = (url: string, port: number): string => url.replace(/@[^:/]+:\d+/, `@127.0.0.1:${port}`);
export const before = (url: string): Promise<Line> => {
  const { host, port } = placeIn(url);
  return Line.before(host, port);
};

/** @param withDisks  whether disks can be full: takes Linux and root */
export const attackedDeployment = async ({ withDisks = false }: { readonly withDisks?: boolean } = {}): Promise<Attacked> => {
  const disks = withDisks ? smallDisks() : undefined;
  const brokers: Line[] = [];
  const clocks = new Map<string, TurnableClock>();
  const door = new Map<string, Line>();
  let lines: Pick<Lines, 'shards' | 'postgres'> | undefined;
  const deployment = await startDeployment({
    ...(disks === undefined ? {} : { disks: { broker: disks.broker.folder, shard: disks.shard.folder, spool: disks.spool.folder } }),
    envOf: (name, data) => {
      const clock = turnableClock(data, name);
      clocks.set(name, clock);
      return clock.env;
    },
    kafkaThrough: async (port) => {
      const line = await Line.before('127.0.0.1', port);
      brokers.push(line);
      return line.port;
    },
    doorThrough: async (name, address) => {
      const { hostname, port } = new URL(address);
      const line = await Line.before(hostname, Number(port));
      door.set(name, line);
      return `http://127.0.0.1:${line.port}`;
    },
    reached: async ({ postgres, clickhouse }: Engines) => {
      const shards = clickhouse.url.split(',');
      lines = { shards: await Promise.all(shards.map(before)), postgres: await before(postgres.url) };
      const [proxies, line] = [lines.shards, lines.postgres];
      return {
        database: placedAt(postgres.url, line.port),
        clickhouse: shards.map((url, at) => placedAt(url, proxies[at]?.port ?? 0)).join(','),
      };
    },
  });
  if (lines === undefined) throw new Error('the deployment asked for no addresses');
  const { shards, postgres } = lines;
  return {
    deployment,
    ...{ lines: { brokers, shards, postgres, door }, disks, clocks, dropped: 0, press: async () => undefined },
    close: async () => {
      await deployment.stop();
      await Promise.all([...brokers, ...shards, postgres, ...door.values()].map((one) => one.close()));
      deployment.remove();
      for (const disk of Object.values(disks ?? {})) disk.remove();
    },
  };
};

export const oneOf = <T>(all: readonly T[], random: Random): T => {
  const found = all[random.next32() % all.length];
  if (found === undefined) throw new RangeError('one of nothing');
  return found;
};

/** Every process but the door, whose clients would only see it gone. */
export const services = ({ deployment }: Attacked): readonly Member[] => deployment.members.filter(({ name }) => name !== 'door');

export interface ReadyAgain {
  /** Milliseconds until all processes are ready. */
  readonly tookMs: number;
  /** Who was waited for, what he said and until when, the last one last; empty where nobody was. */
  readonly last: string;
}

export const untilReady = async ({ deployment }: Attacked, withinMs: number): Promise<ReadyAgain> => {
  const begunMs = performance.now();
  /** By what was said, when it was said last. */
  const said = new Map<string, number>();
  for (;;) {
    const ready = await Promise.all(deployment.members.map((member) => member.isReady(1_000)));
    const tookMs = performance.now() - begunMs;
    const waiting = deployment.members.filter((_, at) => ready[at] === false);
    if (waiting.length === 0)
      return { tookMs, last: [...said].map(([what, atMs]) => `${what} until ${(atMs / 1_000).toFixed(1)} s`).join('; ') };
    for (const reason of (await Promise.all(waiting.map((member) => reasonsOf(member)))).flat()) {
      // What was said last stands last.
      said.delete(reason);
      said.set(reason, performance.now() - begunMs);
    }
    if (tookMs > withinMs) throw new Error(`not ready within ${withinMs / 1000} s: ${[...said.keys()].join('; ')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

/** Empty where he has become ready since he was asked. */
const reasonsOf = async ({ name, address }: Member): Promise<readonly string[]> => {
  const answer = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
  if (answer === undefined) return [`${name} does not answer`];
  if (answer.ok) return [];
  const { reasons, components } = (await answer.json().catch(() => ({}))) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const all = Object.entries(reasons ?? components ?? {}).filter(([, what]) => what !== 'ok');
  return all.map(([part, what]) => `${name} ${part}: ${String(what).slice(0, 120)}`);
};
