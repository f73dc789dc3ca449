/** Engines of a benchmark's own, started as the launcher starts them, in a folder that goes away afterwards. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

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
