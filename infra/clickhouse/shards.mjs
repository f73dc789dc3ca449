/** A ClickHouse cluster without Docker: the embedded engine started once for each shard, as processes that can be killed and come back, and that end with their starter. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../free-ports.mjs';
import { configXml, usersXml } from './settings.mjs';

const engines = resolve(import.meta.dirname, '..', '..', 'apps', 'launcher', 'dist', 'engines');
const cluster = 'rampart';
const user = 'rampart';
const startMs = 60_000;
const againAfterMs = 200;
/** Ends of an engine that comes up at all: the disk is full, or a port is taken for a moment. */
const mostEnds = 20;

/**
 * @param {{ shards?: number, data: string, through?: (port: number) => Promise<number> }} options
 *   data: the folder of all of them; what it holds from before is used again.
 *   through: for tests, the port at which another shard finds the one that listens at `port` (a proxy's)
 */
export const startShards = async ({ shards = 2, data, through = async (port) => port }) => {
  if (!Number.isInteger(shards) || shards < 1 || shards > 16) throw new RangeError(`shards must be 1 to 16, got ${shards}`);
  const { clickhouseLibrary } = await import(join(engines, 'embedded-clickhouse.js'));
  const { library } = clickhouseLibrary();
  const password = randomBytes(18).toString('base64url');
  const nodes = await withPorts(shards);
  const seen = await Promise.all(nodes.map(async ({ tcpPort }) => ({ port: await through(tcpPort), user, password })));
  const running = nodes.map((node) => new ShardProcess(node, join(data, `shard-${node.id}`), library, password));
  for (const one of running) one.configure(cluster, seen);
  try {
    await Promise.all(running.map((one) => one.start()));
  } catch (error) {
    await Promise.all(running.map((one) => one.kill()));
    throw error;
  }
  return {
    cluster,
    /** One address for each shard, separated by commas. */
    url: running.map((one) => one.url).join(','),
    /** kill -9 of the n-th, from 0. */
    kill: (n) => running[n].kill(),
    signal: (n, name) => running[n].signal(name),
    /** With the same data and ports. */
    restart: (n) => running[n].start(),
    stop: async () => void (await Promise.all(running.map((one) => one.stop()))),
  };
};

class ShardProcess {
  constructor(node, folder, library, password) {
    Object.assign(this, { node, folder, library, password });
    this.url = `http://${user}:${password}@127.0.0.1:${node.httpPort}`;
    this.guard = undefined;
    this.id = undefined;
    this.isWanted = false;
    this.ends = 0;
  }

  configure(name, shards) {
    mkdirSync(join(this.folder, 'data'), { recursive: true, mode: 0o700 });
    const users = join(this.folder, 'users.xml');
    const digest = createHash('sha256').update(this.password).digest('hex');
    writeFileSync(users, usersXml(user, digest), { mode: 0o600 });
    writeFileSync(join(this.folder, 'config.xml'), configXml(this.node, users, { name, shards }), { mode: 0o600 });
  }

  /** Resolves when it answers. Until it is killed or stopped, it is started again whenever it ends: a peer that dies in the middle of a request ends this engine. */
  async start() {
    this.isWanted = true;
    this.ends = 0;
    if (this.guard === undefined) this.launch();
    const deadline = Date.now() + startMs;
    while (!(await this.answers())) {
      if (this.ends > mostEnds || Date.now() > deadline) {
        await this.kill();
        const lastWords = readFileSync(join(this.folder, 'clickhouse.log'), 'utf8').trim().slice(-1_500);
        throw new Error(`ClickHouse shard ${this.node.id} did not start; it last said: ${lastWords}`);
      }
      await sleep(50);
    }
  }

  launch() {
    const log = openSync(join(this.folder, 'clickhouse.log'), 'a');
    const program = [
      join(engines, 'clickhouse-process.js'),
      this.library,
      join(this.folder, 'config.xml'),
      join(this.folder, 'data'),
      'tcp',
    ];
    const order = { command: process.execPath, args: program, cwd: this.folder, ending: [{ signal: 'SIGTERM', patienceMs: 5_000 }] };
    const guard = spawn(process.execPath, [join(engines, 'guard.js'), JSON.stringify(order)], {
      stdio: ['pipe', 'pipe', log],
      detached: true,
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    closeSync(log);
    guard.stdin.on('error', () => undefined);
    this.guard = guard;
    this.ended = new Promise((done) => {
      guard.once('exit', () => {
        this.guard = undefined;
        this.id = undefined;
        this.ends += 1;
        done();
        if (this.isWanted) setTimeout(() => this.isWanted && this.guard === undefined && this.launch(), againAfterMs);
      });
    });
    createInterface({ input: guard.stdout }).on('line', (line) => {
      const found = /^\{"msg":"guarding","pid":(\d+)\}$/.exec(line);
      if (found !== null) this.id = Number(found[1]);
    });
  }

  async answers() {
    const headers = { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': this.password };
    const asked = fetch(`http://127.0.0.1:${this.node.httpPort}/?query=SELECT%201`, { headers, signal: AbortSignal.timeout(2_000) });
    return asked.then(
      (reply) => reply.ok,
      () => false,
    );
  }

  signal(name) {
    if (this.id !== undefined) process.kill(this.id, name);
  }

  async kill() {
    this.isWanted = false;
    if (this.guard === undefined) return;
    this.signal('SIGKILL');
    if (this.id === undefined) this.guard.kill('SIGTERM');
    await this.ended;
  }

  async stop() {
    this.isWanted = false;
    if (this.guard === undefined) return;
    this.guard.stdin.end();
    await this.ended;
  }
}

const withPorts = async (shards) => {
  const ports = await freePorts(shards * 2);
  return Array.from({ length: shards }, (_, at) => ({ id: at + 1, httpPort: ports[at * 2], tcpPort: ports[at * 2 + 1] }));
};
