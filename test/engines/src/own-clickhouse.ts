/** A ClickHouse cluster of a test's own: its shards can be killed and come back. */
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { infraModule } from './infra-modules.js';

export interface OwnClickhouse {
  /** One address for each shard, separated by commas; the same after each restart. */
  readonly url: string;
  readonly cluster: string;
  /** kill -9 of the n-th shard, from 0. */
  kill(n: number): Promise<void>;
  signal(n: number, name: NodeJS.Signals): void;
  /** The same data and ports; resolves when it answers. */
  restart(n: number): Promise<void>;
  /** Ends all at once and removes their files. */
  stop(): Promise<void>;
}

interface Shards {
  startShards(options: { readonly shards: number; readonly data: string }): Promise<OwnClickhouse>;
}

/** @param firstAt  the folder of the first shard's files, e.g. on a disk of its own */
export const ownClickhouse = async ({
  shards = 2,
  firstAt,
}: {
  readonly shards?: number;
  readonly firstAt?: string | undefined;
} = {}): Promise<OwnClickhouse> => {
  const starter: Shards = await infraModule('clickhouse/shards.mjs');
  const data = mkdtempSync(join(tmpdir(), 'rampart-own-clickhouse-'));
  if (firstAt !== undefined) symlinkSync(firstAt, join(data, 'shard-1'));
  const running = await starter.startShards({ shards, data });
  const stop = async () => {
    await Promise.all(Array.from({ length: shards }, (_, n) => running.kill(n)));
    rmSync(data, { recursive: true, force: true });
  };
  return { ...running, stop };
};
