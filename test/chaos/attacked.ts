/** The deployment under attack: its processes, engines and the lines between them, with everything that can be done to them. */

import { type Deployment, type Engines, startDeployment } from '../journeys/deployment.js';
import type { Member } from '../journeys/member.js';
import type { Random } from '../simulation/random.js';
import { Line } from './line.js';

export interface Attacked {
  readonly deployment: Deployment;
  /** Lines to the shards from analysis, and to PostgreSQL from experiments. */
  readonly lines: { readonly shards: readonly Line[]; readonly postgres: Line };
  close(): Promise<void>;
}

const placeIn = (url: string): { host: string; port: number } => {
  const [, host = '', port = ''] = /@([^:/]+):(\d+)/.exec(url) ?? [];
  return { host, port: Number(port) };
};
export const placedAt = (url: string, port: number): string => url.replace(/@[^:/]+:\d+/, `@127.0.0.1:${port}`);
export const before = (url: string): Promise<Line> => {
  const { host, port } = placeIn(url);
  return Line.before(host, port);
};

export const attackedDeployment = async (): Promise<Attacked> => {
  let lines: Attacked['lines'] | undefined;
  const deployment = await startDeployment({
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
    lines,
    close: async () => {
      await deployment.stop();
      await Promise.all([...shards, postgres].map((one) => one.close()));
      deployment.remove();
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

/** @returns milliseconds until all processes are ready */
export const untilReady = async ({ deployment }: Attacked, withinMs: number): Promise<number> => {
  const begunMs = performance.now();
  for (;;) {
    const ready = await Promise.all(deployment.members.map((member) => member.isReady(1_000)));
    const tookMs = performance.now() - begunMs;
    if (ready.every(Boolean)) return tookMs;
    if (tookMs > withinMs) {
      const waiting = deployment.members.filter((_, at) => ready[at] === false);
      const why = await Promise.all(waiting.map((member) => reasonOf(member)));
      throw new Error(`not ready within ${withinMs / 1000} s: ${why.join('; ')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

const reasonOf = async ({ name, address }: Member): Promise<string> => {
  const text = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(1_000) }).then(
    (answer) => answer.text(),
    (error: unknown) => String(error),
  );
  return `${name} says ${text.slice(0, 300)}`;
};
