/** The real platform for a journey: the launcher as a process of its own, on a data folder and port of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@rampart/test-engines';
import { isOnKafka, type Servers, serversOf } from './servers.js';

export const repository = resolve(import.meta.dirname, '..', '..', '..');
const launcherIn = (checkout: string): string => join(checkout, 'apps', 'launcher', 'dist', 'main.js');

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a journey reads answers as a client without types would.
  readonly body: any;
}

export interface Platform {
  readonly address: string;
  readonly data: string;
  readonly adminKey: string;
  readonly launcherPid: number;
  readonly output: () => string;
  /** Calls the front door as admin unless another key is given; `null` sends none. */
  call(
    method: string,
    path: string,
    body?: unknown,
    options?: { key?: string | null; headers?: Record<string, string>; raw?: string | Uint8Array },
  ): Promise<Answer>;
  /** Process ids by name, as the launcher wrote them. */
  processes(): Readonly<Record<string, number>>;
  /** What it does not run itself: on Kafka only. */
  readonly servers: Servers | undefined;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Its data, and the servers that it had to itself. */
  remove(): void;
}

export interface PlatformOptions {
  readonly data?: string;
  readonly port?: number;
  readonly env?: Record<string, string>;
  /** Where another version was built. */
  readonly checkout?: string;
  /** Whatever the journeys run on. */
  readonly log?: 'embedded' | 'kafka';
}

export const temporaryData = (): string => mkdtempSync(join(tmpdir(), 'rampart-journey-'));

/** Polls until the question has an answer; fails with the last thing it saw. */
export const eventually = async <T>(what: string, ask: () => Promise<T | undefined>, withinMs = 30_000): Promise<T> => {
  const deadline = Date.now() + withinMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  throw new Error(`${what}: not within ${withinMs} ms${last === undefined ? '' : ` (${String(last)})`}`);
};

const readBody = async (response: Response): Promise<unknown> => {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** Calls one address as admin unless another key is given. */
export const callerOf =
  (address: string, adminKey: string): Platform['call'] =>
  async (method, path, body, { key = adminKey, headers = {}, raw } = {}) => {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const response = await fetch(`${address}${path}`, {
      method,
      headers: {
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
    });
    return { status: response.status, headers: response.headers, body: await readBody(response) };
  };

const hasEnded = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise((ended) => child.once('exit', () => ended()));

/** Starts the launcher and waits until the front door says that every service is ready. */
export const startPlatform = async (options: PlatformOptions = {}): Promise<Platform> => {
  const data = options.data ?? temporaryData();
  const servers = (options.log ?? (isOnKafka ? 'kafka' : 'embedded')) === 'kafka' ? await serversOf(data) : undefined;
  const port = options.port ?? (await freePort());
  const checkout = options.checkout ?? repository;
  const child = spawn(process.execPath, [launcherIn(checkout)], {
    cwd: checkout,
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      RAMPART_DATA: data,
      RAMPART_PORT: String(port),
      KAFKA_BROKERS: '',
      ...servers?.env,
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (part: Buffer) => (output += part.toString()));
  child.stderr.on('data', (part: Buffer) => (output += part.toString()));
  const address = `http://127.0.0.1:${port}`;
  await eventually(
    'the platform is ready',
    async () => {
      if (child.exitCode !== null) throw new Error(`the launcher ended with ${child.exitCode}:\n${output}`);
      return (await fetch(`${address}/readyz`)).status === 200 ? true : undefined;
    },
    90_000,
  ).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`${String(error)}\n${output}`);
  });
  const adminKey = options.env?.RAMPART_ADMIN_KEY ?? readFileSync(join(data, 'admin-key'), 'utf8').trim();
  return {
    address,
    data,
    adminKey,
    launcherPid: child.pid ?? -1,
    output: () => output,
    call: callerOf(address, adminKey),
    processes: () => processIds(data),
    servers,
    stop: async (signal = 'SIGINT') => {
      child.kill(signal);
      await hasEnded(child);
    },
    remove: () => {
      rmSync(data, { recursive: true, force: true });
      // Nobody waits for their end: they end with this process at the latest.
      servers?.remove().catch(() => undefined);
    },
  };
};

/** The ids in run.json, by name; none of what is dead at the moment. */
export const processIds = (data: string): Readonly<Record<string, number>> => {
  const path = join(data, 'run.json');
  if (!existsSync(path)) return {};
  const run = JSON.parse(readFileSync(path, 'utf8')) as { processes?: Record<string, { pid?: number }> };
  return Object.fromEntries(Object.entries(run.processes ?? {}).flatMap(([name, { pid }]) => (pid === undefined ? [] : [[name, pid]])));
};

let serversKilled = 0;

/** Kills one part of the platform; where it is just starting again, as soon as it runs. @returns the pid that died, or another number of its own */
export const killPart = async (platform: Platform, name: string): Promise<number> => {
  if (platform.servers?.has(name)) {
    await platform.servers.kill(name);
    serversKilled += 1;
    return -serversKilled;
  }
  const pid = await eventually(`run.json names a living ${name}`, async () => {
    const found = platform.processes()[name];
    return found !== undefined && isAlive(found) ? found : undefined;
  });
  process.kill(pid, 'SIGKILL');
  return pid;
};

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
