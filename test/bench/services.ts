/** Single services as processes of their own, and the platform as a whole. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repository } from './engines.js';

export interface Running {
  readonly pid: number;
  readonly url: string;
  /** Milliseconds from its start until it listened. */
  readonly listenedAfterMs: number;
  stop(): Promise<void>;
}

export const SECRET = 'a secret of benchmarks and nothing else';
export const ADMIN_KEY = 'rk_benchmark0000_only-for-benchmarks-and-never-anywhere-else';

const ended = (child: ChildProcess): Promise<void> =>
  child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : new Promise((done) => child.once('exit', () => done()));

/** Starts a program that prints `{"msg":"listening","port":N}`. */
export const startProgram = (program: string, env: NodeJS.ProcessEnv): Promise<Running> =>
  new Promise((resolve, reject) => {
    const begun = performance.now();
    const child = spawn(process.execPath, [program], {
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let output = '';
    const read = (part: Buffer) => {
      output = `${output}${part.toString()}`.slice(-20_000);
      const port = /\{[^\n]*"listening"[^\n]*"port":(\d+)[^\n]*\}|\{[^\n]*"port":(\d+)[^\n]*"listening"[^\n]*\}/.exec(output);
      if (port === null) return;
      child.stdout.off('data', read);
      child.stdout.resume();
      const stop = async () => {
        child.kill('SIGTERM');
        await ended(child);
      };
      resolve({ pid: child.pid ?? -1, url: `http://127.0.0.1:${port[1] ?? port[2]}`, listenedAfterMs: performance.now() - begun, stop });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', (part: Buffer) => (output += part.toString()));
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}: ${output.slice(-2_000)}`)));
  });

export const startService = (name: string, env: NodeJS.ProcessEnv): Promise<Running> =>
  startProgram(join(repository, 'apps', name, 'dist', 'main.js'), {
    RAMPART_SECRET: SECRET,
    RAMPART_ADMIN_KEY: ADMIN_KEY,
    RAMPART_LISTEN_PORT: '0',
    RAMPART_LISTEN_HOST: '127.0.0.1',
    RAMPART_LOG_LEVEL: 'warn',
    ...env,
  });

/** Calls a service as admin; throws unless it answers with success. */
export const call = async <T>(base: string, method: string, path: string, body?: unknown): Promise<T> => {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN_KEY}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
};

export const until = async (what: string, holds: () => Promise<boolean>, withinMs: number, everyMs = 100): Promise<void> => {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    if (await holds().catch(() => false)) return;
    await sleep(everyMs);
  }
  throw new Error(`${what}: not within ${Math.round(withinMs / 1000)} s`);
};
