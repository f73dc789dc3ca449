/**
 * Stands between the launcher and a server that does not notice its parent's death: when the pipe on stdin closes, the server is told to end, and
 * killed when it does not. Run as `node guard.js '<GuardOrder as JSON>'`.
 */
import { spawn } from 'node:child_process';
import { setTimeout as after } from 'node:timers';
import { fileURLToPath } from 'node:url';
import type { Launch } from '../supervisor.js';

export interface GuardOrder {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly uid?: number;
  readonly gid?: number;
  /** In turn: each signal and how long to wait for its effect. The last resort is always SIGKILL. */
  readonly ending: readonly { readonly signal: NodeJS.Signals; readonly patienceMs: number }[];
}

/** How the launcher starts a guarded server. */
export const guarded = (order: GuardOrder, env: NodeJS.ProcessEnv): Launch => ({
  command: process.execPath,
  args: [fileURLToPath(import.meta.url), JSON.stringify(order)],
  env,
  cwd: '/',
});

/** The pid of the server, from the line that its guard prints first; undefined for every other line. */
export const guardedPid = (line: string): number | undefined => {
  const found = /^\{"msg":"guarding","pid":(\d+)\}$/.exec(line);
  return found === null ? undefined : Number(found[1]);
};

const guard = (order: GuardOrder): void => {
  const { command, args, cwd, uid, gid } = order;
  const server = spawn(command, args, { cwd, uid, gid, stdio: ['ignore', 'inherit', 'inherit'] });
  let step = -1;
  const end = () => {
    step++;
    const next = order.ending[step];
    server.kill(next?.signal ?? 'SIGKILL');
    if (next !== undefined) after(end, next.patienceMs);
  };
  const endOnce = () => {
    if (step < 0) end();
  };
  server.once('error', (error) => {
    process.stderr.write(`${command}: ${error.message}\n`);
    process.exit(1);
  });
  server.once('exit', (code) => process.exit(code ?? 1));
  process.stdout.write(`{"msg":"guarding","pid":${server.pid}}\n`);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, endOnce);
  // A dead launcher leaves broken pipes: writing to them must not end the guard before its server.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  process.stdin.on('end', endOnce).on('close', endOnce).on('error', endOnce).resume();
};

const order = process.argv[2];
if (process.argv[1] === fileURLToPath(import.meta.url) && order !== undefined) guard(JSON.parse(order));
