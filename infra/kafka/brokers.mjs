/** One broker or three of a test's or a developer's own, as processes that can be killed and come back, and that end with their starter. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../free-ports.mjs';
import { brokerJars, checkJava } from './jars.mjs';
import { securedProperties, serverProperties } from './settings.mjs';

const clusterId = 'cvt8vnPgR3GfhNHexg57Iw';
const startMs = 60_000;
const stopMs = 15_000;
const attempts = 4;

/**
 * @param {{ brokers?: 1 | 3, data: string, settings?: Readonly<Record<string, string>>, security?: import('./settings.mjs').Security, through?: (port: number) => Promise<number> }} options
 *   data: the folder of all of them; what it holds from before is used again.
 *   through: for tests, the port at which clients find the broker that listens at `port` (a proxy's)
 */
export const startBrokers = async ({ brokers = 1, data, settings = {}, security, through }) => {
  if (brokers !== 1 && brokers !== 3) throw new RangeError(`brokers must be 1 or 3, got ${brokers}`);
  checkJava();
  const jars = await brokerJars();
  for (let attempt = 1; ; attempt += 1) {
    const nodes = await withPorts(brokers, through);
    const running = nodes.map((node) => new BrokerProcess(node, nodes, join(data, `broker-${node.id}`), jars, settings, security));
    try {
      await Promise.all(running.map((one) => one.start()));
      return {
        brokers: nodes.map(({ port, seen }) => `127.0.0.1:${seen?.through ?? port}`).join(','),
        /** kill -9 of the n-th, from 0. */
        kill: (n) => running[n].kill(),
        runs: (n) => running[n].process !== undefined,
        /** With the same data and ports. */
        restart: (n) => running[n].start(),
        stop: async () => void (await Promise.all(running.map((one) => one.stop()))),
      };
    } catch (error) {
      await Promise.all(running.map((one) => one.kill()));
      // Somebody took a port between its release here and its use there.
      if (attempt === attempts || !running.some((one) => one.says('Address already in use'))) throw error;
    }
  }
};

class BrokerProcess {
  constructor(node, nodes, folder, jars, settings, security) {
    const secured = security === undefined ? {} : securedProperties(node, security);
    Object.assign(this, { node, nodes, folder, jars, settings: { ...secured, ...settings }, security });
    this.log = join(folder, 'broker.log');
    this.process = undefined;
    this.javaId = undefined;
  }

  async start() {
    if (this.process !== undefined) return;
    mkdirSync(this.folder, { recursive: true });
    const properties = join(this.folder, 'server.properties');
    const data = join(this.folder, 'data');
    writeFileSync(properties, serverProperties(this.nodes, this.node, data, this.settings));
    if (!existsSync(join(data, 'meta.properties'))) {
      const { username, password } = this.security ?? {};
      const users =
        username === undefined
          ? []
          : ['256', '512'].flatMap((bits) => ['--add-scram', `SCRAM-SHA-${bits}=[name=${username},password=${password}]`]);
      await this.spawn(['-Xmx64m', 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties, ...users]);
      await this.ended;
    }
    await this.spawn(['-Xms64m', this.nodes.length === 1 ? '-Xmx256m' : '-Xmx384m', '-Xss512k', 'kafka.Kafka', properties]);
    const deadline = Date.now() + startMs;
    while (!(await answers(this.node.port))) {
      if (this.process === undefined || Date.now() > deadline) {
        await this.kill();
        throw new Error(`Kafka broker ${this.node.id} did not start; it last said: ${this.lastWords()}`);
      }
      await sleep(50);
    }
  }

  async stop() {
    if (this.process === undefined) return;
    const ended = this.ended;
    signal(this.javaId, 'SIGTERM');
    await Promise.race([ended, sleep(stopMs, undefined, { ref: false })]);
    await this.kill();
  }

  async kill() {
    if (this.process === undefined) return;
    signal(this.javaId, 'SIGKILL');
    await this.ended;
  }

  says(text) {
    return existsSync(this.log) && readFileSync(this.log, 'utf8').includes(text);
  }

  lastWords() {
    return existsSync(this.log) ? readFileSync(this.log, 'utf8').trim().slice(-1_500) : '(nothing)';
  }

  /** The shell between holds our pipe: when we are gone, however suddenly, it ends the broker. */
  async spawn([...args]) {
    const log = openSync(this.log, 'a');
    const java = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', `${this.jars}/*`];
    const main = args.findIndex((arg) => !arg.startsWith('-'));
    const script =
      'exec 3<&0 4>&1 1>&2; "$@" 3<&- 4>&- & id=$!; echo $id >&4; exec 4>&-; (cat <&3 >/dev/null; kill -9 $id 2>/dev/null) & wait $id';
    const command = ['java', ...java, ...args.slice(0, main), ...args.slice(main)];
    const shell = spawn('sh', ['-c', script, 'sh', ...command], { stdio: ['pipe', 'pipe', log], detached: true, cwd: this.folder });
    closeSync(log);
    shell.stdin.on('error', () => undefined);
    this.process = shell;
    this.ended = new Promise((resolve) => {
      shell.once('exit', () => {
        shell.stdin.end();
        this.process = undefined;
        this.javaId = undefined;
        resolve();
      });
    });
    this.javaId = await new Promise((resolve) => {
      shell.stdout.once('data', (text) => resolve(Number(text)));
      shell.once('exit', () => resolve(undefined));
    });
  }
}

const signal = (id, name) => {
  try {
    if (id !== undefined) process.kill(id, name);
  } catch {
    // It has ended by itself.
  }
};

const withPorts = async (brokers, through) => {
  const ports = await freePorts(brokers * 3);
  return Promise.all(
    Array.from({ length: brokers }, async (_, index) => {
      const [port, controllerPort, clientPort] = ports.slice(index * 3);
      const seen = through === undefined ? {} : { seen: { port: clientPort, through: await through(clientPort) } };
      return { id: index + 1, port, controllerPort, ...seen };
    }),
  );
};

const answers = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('close', () => resolve(false));
    socket.once('error', () => resolve(false));
  });
