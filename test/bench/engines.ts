/** Engines of a benchmark's own, started as the launcher starts them, in a folder that goes away afterwards. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ClickhouseFeedbackStore } from '@rampart/feedback-store';
import { ownClickhouse } from '@rampart/test-engines';
import { memoryBytes, treeOf } from './processes.js';

export const repository = resolve(import.meta.dirname, '..', '..', '..');

export interface Engine {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

interface Supervised {
  whenReady(withinMs: number): Promise<void>;
  stop(withinMs: number): Promise<void>;
}
interface Started {
  readonly supervised: Supervised;
  url(): string;
  pid(): number | undefined;
}
type Start = (options: { folder: string; logFile: string }) => Promise<Started>;

/** A folder that the engines' unprivileged user can enter. */
export const scratchFolder = (name: string): string => {
  const folder = mkdtempSync(join(tmpdir(), `rampart-bench-${name}-`));
  chmodSync(folder, 0o755);
  return folder;
};

export const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

const start = async (file: string, exported: string, folder: string): Promise<Engine> => {
  mkdirSync(folder, { recursive: true });
  // No app is imported by another package: the launcher's engines are found where they were built.
  const module = (await import(pathToFileURL(join(repository, 'apps/launcher/dist/engines', file)).href)) as Record<string, Start>;
  const engine = await module[exported]?.({ folder, logFile: join(folder, `${exported}.log`) });
  if (engine === undefined) throw new Error(`${file} has no ${exported}`);
  await engine.supervised.whenReady(60_000);
  return { url: engine.url(), pid: engine.pid() ?? -1, stop: () => engine.supervised.stop(10_000) };
};

export const startPostgres = (folder: string): Promise<Engine> => start('embedded-postgres.js', 'embeddedPostgres', folder);
export const startClickhouse = (folder: string): Promise<Engine> => start('embedded-clickhouse.js', 'embeddedClickhouse', folder);

/** Where the feedback store of a benchmark lies. */
export interface StorePlace {
  readonly options: ConstructorParameters<typeof ClickhouseFeedbackStore>[0];
  /** Of a server that answers for all rows. */
  readonly url: string;
  /** Its database. */
  readonly database: string;
  /** Memory of all servers. */
  bytes(): number;
  stop(): Promise<void>;
}

export const oneServer = async (name: string): Promise<StorePlace> => {
  const folder = scratchFolder(name);
  const { url, pid, stop } = await startClickhouse(folder);
  const stopped = async () => {
    await stop();
    remove(folder);
  };
  return { options: { url }, url, database: 'rampart', bytes: () => memoryBytes(pid), stop: stopped };
};

export const twoShards = async (): Promise<StorePlace> => {
  const { url, cluster, stop } = await ownClickhouse({ shards: 2 });
  const [first = ''] = url.split(',');
  const children = () => treeOf(process.pid).filter((pid) => pid !== process.pid);
  const bytes = () => children().reduce((sum, pid) => sum + memoryBytes(pid), 0);
  return { options: { url, cluster }, url: first, database: 'rampart_all', bytes, stop };
};

/** Runs one statement on ClickHouse; its answer as text. */
export const clickhouse = async (url: string, sql: string): Promise<string> => {
  const target = new URL(url);
  const headers = { 'X-ClickHouse-User': target.username, 'X-ClickHouse-Key': target.password };
  target.username = '';
  target.password = '';
  target.searchParams.set('compile_expressions', '0');
  const response = await fetch(target, { method: 'POST', body: sql, headers });
  const text = await response.text();
  if (!response.ok) throw new Error(text.split('\n')[0]);
  return text.trim();
};
