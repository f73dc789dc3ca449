import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { adminKeyFile } from './admin-key.js';
import { claimDataFolder } from './claim.js';
import { platformSecret, prepareDataFolder } from './data-folder.js';
import { externalKafka } from './engines/external-engines.js';
import { keepToItsLog } from './kept-log.js';
import { LogFile } from './log-file.js';
import { identityOf, isAlive } from './process-identity.js';
import { Refusal } from './refusal.js';
import { beginRestore, refuseFilled } from './restored-files.js';
import { Supervised } from './supervisor.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rampart-launcher-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const within = async (what: () => boolean, ms = 5_000): Promise<boolean> => {
  for (const until = Date.now() + ms; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 20))) if (what()) return true;
  return false;
};

describe('the data folder', () => {
  it('refuses a place where nothing can be made, naming the setting', () => {
    expect(() => prepareDataFolder('/proc/rampart')).toThrow(/^The data folder \/proc\/rampart .* RAMPART_DATA\.$/);
  });

  it('keeps its secrets over starts, for its owner only', () => {
    const path = adminKeyFile(folder);
    const key = readFileSync(path, 'utf8');
    expect(key).toMatch(/^rk_[a-z2-7]{12}_[\w-]{43}\n$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(adminKeyFile(folder), 'utf8')).toBe(key);
    expect(platformSecret(folder)).toBe(platformSecret(folder));
  });
});

describe('the log of a data folder', () => {
  const [onKafka, onPostgres] = [{ kafkaBrokers: ['a:9092'] }, { kafkaBrokers: [] }];

  it('stays the one that it began with, whatever the brokers are called', () => {
    keepToItsLog(folder, onKafka);
    expect(() => keepToItsLog(folder, { kafkaBrokers: ['b:9092', 'c:9092'] })).not.toThrow();
    expect(() => keepToItsLog(folder, onPostgres)).toThrow(/began with its log on Kafka.* Set KAFKA_BROKERS to its brokers/);
  });

  it('is the one that it is restored on, though a secret comes with the backup', () => {
    const backup = mkdtempSync(join(tmpdir(), 'rampart-launcher-'));
    writeFileSync(join(backup, 'secret'), 'the secret of a backup\n');
    beginRestore(folder, backup, onKafka);
    expect(readFileSync(join(folder, 'secret'), 'utf8')).toBe('the secret of a backup\n');
    expect(() => keepToItsLog(folder, onKafka)).not.toThrow();
    expect(() => keepToItsLog(folder, onPostgres)).toThrow('began with its log on Kafka');
    rmSync(backup, { recursive: true });
  });

  it('is PostgreSQL where it was not written down yet', () => {
    platformSecret(folder);
    expect(() => keepToItsLog(folder, onKafka)).toThrow(/began with its log on PostgreSQL.* Leave KAFKA_BROKERS out/);
    expect(() => keepToItsLog(folder, onPostgres)).not.toThrow();
  });
});

describe('a data folder in which a start was refused', () => {
  it('is as good as a new one to a restore, and one with anything else is not', () => {
    prepareDataFolder(folder);
    expect(() => refuseFilled(folder)).not.toThrow();
    platformSecret(folder);
    expect(() => refuseFilled(folder)).toThrow('is not empty');
  });
});

describe('a broker of somebody else', () => {
  it('that speaks another protocol is not taken for Kafka', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    await expect(externalKafka([`127.0.0.1:${port}`], 0)).rejects.toThrow(/^KAFKA_BROKERS: 127.0.0.1:\d+ did not answer .*connection/);
    server.close();
  });
});

describe('the claim on a data folder', () => {
  it('is refused while its holder lives, with the address', () => {
    const claim = claimDataFolder(folder);
    claim.announce('http://127.0.0.1:8080');
    expect(() => claimDataFolder(folder)).toThrow(`already running at http://127.0.0.1:8080 (pid ${process.pid})`);
    claim.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['a process that has ended', { pid: spawnSync('true').pid, identity: 'earlier' }],
    ['another process that now has its pid', { pid: process.pid, identity: 'earlier' }],
    ['half a file', undefined],
  ])('is taken over from %s', (_, holder) => {
    writeFileSync(join(folder, 'launcher.lock'), holder === undefined ? '{"pid":' : JSON.stringify(holder));
    expect(() => claimDataFolder(folder).release()).not.toThrow(Refusal);
  });
});

describe('a process', () => {
  it('has an identity as long as it lives', async () => {
    const child = spawn('sleep', ['30'], { stdio: 'ignore' });
    const pid = child.pid ?? 0;
    expect(identityOf(pid)).toBe(identityOf(pid));
    expect(identityOf(pid)).not.toBe(identityOf(process.pid));
    child.kill('SIGKILL');
    expect(await within(() => !isAlive(pid))).toBe(true);
  });
});

describe('a log file', () => {
  it('begins anew when it is full and keeps the two before', async () => {
    const log = new LogFile(join(folder, 'logs', 'one.log'), 10, 3);
    for (let n = 0; n < 8; n++) {
      log.write(`line ${n} ....\n`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(readdirSync(join(folder, 'logs')).sort()).toEqual(['one.log', 'one.log.1', 'one.log.2']);
    expect(log.tail(1)).toBe('line 7 ....');
  });
});

describe('a supervised child', () => {
  const childOf = (program: string, probe: () => Promise<boolean>, serverPid?: (line: string) => number | undefined) =>
    new Supervised({
      serverPid,
      name: 'child',
      log: new LogFile(join(folder, 'child.log')),
      prepare: async () => ({ command: process.execPath, args: ['-e', program], env: { PATH: process.env.PATH } }),
      probe,
    });

  it('is started again when it is killed', async () => {
    const child = childOf('setInterval(() => 0, 1000)', async () => true);
    child.start();
    await child.whenReady(5_000);
    const first = child.pid ?? 0;
    process.kill(first, 'SIGKILL');
    expect(await within(() => child.pid !== first && child.state === 'ready')).toBe(true);
    const second = child.pid ?? 0;
    await child.stop(5_000);
    expect([first, second].map(isAlive)).toEqual([false, false]);
    expect(child.restarts).toBe(1);
  });

  it('has no pid while it is dead, and tells of the new one before it is ready', async () => {
    let isReady = true;
    const child = childOf('setInterval(() => 0, 1000)', async () => isReady);
    child.start();
    await child.whenReady(5_000);
    const first = child.pid ?? 0;
    const told: (number | undefined)[] = [];
    child.onChange = () => told.push(child.pid);
    isReady = false;
    process.kill(first, 'SIGKILL');
    expect(await within(() => child.pid !== undefined && child.pid !== first)).toBe(true);
    expect(told).toEqual([undefined, child.pid]);
    await child.stop(5_000);
  });

  it('behind a guard is known by the pid of the server', async () => {
    const child = childOf(
      'console.log("serving 4711"); setInterval(() => 0, 1000)',
      async () => true,
      (line) => (line === 'serving 4711' ? 4711 : undefined),
    );
    const told: (number | undefined)[] = [];
    child.onChange = () => told.push(child.pid);
    child.start();
    expect(await within(() => told.at(-1) === 4711)).toBe(true);
    await child.stop(5_000);
    expect(child.pid).toBeUndefined();
  });

  it('that keeps dying is given up with the end of its log', async () => {
    const child = childOf('console.log("no such table"); process.exit(3)', async () => false);
    child.start();
    await expect(child.whenReady(30_000)).rejects.toThrow(/ended 5 times in a row.*no such table/s);
    await child.stop(1_000);
  }, 30_000);

  it('that will not end is killed', async () => {
    const child = childOf(
      'process.on("SIGTERM", () => 0); require("fs").writeFileSync("up", ""); setInterval(() => 0, 1000)'.replace(
        '"up"',
        JSON.stringify(join(folder, 'up')),
      ),
      async () => existsSync(join(folder, 'up')),
    );
    child.start();
    await child.whenReady(5_000);
    const pid = child.pid ?? 0;
    await child.stop(300);
    expect(isAlive(pid)).toBe(false);
  });
});
