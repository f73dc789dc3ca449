/** The embedded ClickHouse: the engine of chdb as an HTTP server of its own, under guard, with a password and a limit of memory. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { keptSecret } from '../data-folder.js';
import { freePort } from '../free-port.js';
import { LogFile } from '../log-file.js';
import { commandLineOf, endProcess } from '../process-identity.js';
import { Refusal } from '../refusal.js';
import { Supervised, type Task } from '../supervisor.js';
import type { EmbeddedEngine } from './engine.js';
import { guarded, guardedPid } from './guard.js';

const user = 'rampart';
const mostMemoryBytes = 2_500_000_000;
const ending = [{ signal: 'SIGTERM', patienceMs: 5_000 }] as const;

export interface ClickhouseOptions {
  /** The data folder: everything lies under `<folder>/clickhouse`. */
  readonly folder: string;
  readonly logFile: string;
}

/** pnpm links only what a package declares: the library is chdb's dependency, so it is looked up from there. */
export const clickhouseLibrary = (): { library: string; version: string } => {
  const name = `@chdb/lib-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}`;
  try {
    const chdb = createRequire(createRequire(import.meta.url).resolve('chdb/package.json'));
    const manifest = chdb.resolve(`${name}/package.json`);
    const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
    return { library: join(dirname(manifest), 'libchdb.so'), version: version.replace(/-.*/, '') };
  } catch {
    throw new Refusal(
      `There is no embedded ClickHouse for ${process.platform} ${process.arch} (${name}). Point CLICKHOUSE_URL at a ClickHouse.`,
    );
  }
};

/** Inserts and merges are refused before the disk is full: one that runs into it may leave a damaged part. */
const keptFreeBytes = 64 * 2 ** 20;

const xml = (text: string): string => text.replace(/[<>&]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const configXml = (port: number, usersFile: string): string => `<clickhouse>
  <listen_host>127.0.0.1</listen_host>
  <http_port>${port}</http_port>
  <max_server_memory_usage>${mostMemoryBytes}</max_server_memory_usage>
  <storage_configuration><disks><default><keep_free_space_bytes>${keptFreeBytes}</keep_free_space_bytes></default></disks></storage_configuration>
  <send_crash_reports><enabled>false</enabled></send_crash_reports>
  <users_config>${xml(usersFile)}</users_config>
</clickhouse>
`;

// The engine's own session is "default" without a password: it may keep the server listening and nothing else, since any page in a browser of this
// machine could post to the port as that user.
const usersXml = (password: string): string => {
  const network = '<networks><ip>127.0.0.1</ip><ip>::1</ip></networks><profile>default</profile><quota>default</quota>';
  const digest = createHash('sha256').update(password).digest('hex');
  return `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password></password>${network}
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query><query>GRANT SELECT ON system.numbers</query></grants>
    </default>
    <${user}><password_sha256_hex>${digest}</password_sha256_hex>${network}</${user}>
  </users>
</clickhouse>
`;
};

const passwordOf = (home: string): string => keptSecret(join(home, 'password'), () => randomBytes(24).toString('base64url'));

/** Ends one that outlived its launcher: two of them cannot share a folder. */
const clearOrphan = async (home: string): Promise<void> => {
  const pidFile = join(home, 'pid');
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const isOurs = pid > 0 && commandLineOf(pid).includes(join(home, 'config.xml'));
  if (isOurs && !(await endProcess(pid, [...ending, { signal: 'SIGKILL', patienceMs: 2_000 }]))) {
    throw new Error(`ClickHouse ${pid} of an earlier start does not end`);
  }
  rmSync(pidFile, { force: true });
};

const answers = async (port: number, password: string): Promise<boolean> => {
  const headers = { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password };
  const reply = await fetch(`http://127.0.0.1:${port}/?query=SELECT%201`, { headers, signal: AbortSignal.timeout(2_000) });
  return reply.ok && (await reply.text()).trim() === '1';
};

/** Starts it under supervision; `supervised.whenReady` says when it answers. */
export const embeddedClickhouse = async (options: ClickhouseOptions): Promise<EmbeddedEngine> => {
  const home = join(realpathSync(options.folder), 'clickhouse');
  const files = join(home, 'data');
  mkdirSync(files, { recursive: true, mode: 0o700 });
  const { library, version } = clickhouseLibrary();
  const password = passwordOf(home);
  writeFileSync(join(home, 'users.xml'), usersXml(password), { mode: 0o600 });
  let port: number | undefined;
  let isRunning = false;
  const task: Task = {
    name: 'clickhouse',
    log: new LogFile(options.logFile),
    prepare: async (everReady) => {
      isRunning = false;
      await clearOrphan(home);
      if (port === undefined || !everReady) port = await freePort();
      writeFileSync(join(home, 'config.xml'), configXml(port, join(home, 'users.xml')), { mode: 0o600 });
      const program = fileURLToPath(new URL('./clickhouse-process.js', import.meta.url));
      const args = [program, library, join(home, 'config.xml'), files];
      return guarded({ command: process.execPath, args, cwd: home, ending }, { ...process.env, NODE_OPTIONS: '' });
    },
    serverPid: guardedPid,
    onLine: (line) => {
      const pid = guardedPid(line);
      if (pid === undefined) return;
      isRunning = true;
      writeFileSync(join(home, 'pid'), String(pid));
    },
    probe: async () => isRunning && port !== undefined && (await answers(port, password)),
  };
  const supervised = new Supervised(task);
  supervised.start();
  return {
    name: 'clickhouse',
    supervised,
    url: () => `http://${user}:${password}@127.0.0.1:${port}`,
    port: () => port,
    pid: () => supervised.pid,
    version,
  };
};
