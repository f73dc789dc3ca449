/** The services as processes: which there are, what they are told, and where they listen. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LogFile } from './log-file.js';
import { Refusal } from './refusal.js';
import { Supervised } from './supervisor.js';

export const serviceNames = ['experiments', 'assignment', 'ingestion', 'analysis'] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface Service {
  readonly name: ServiceName;
  readonly supervised: Supervised;
  /** Undefined until it first listened. */
  port(): number | undefined;
  isReady(): Promise<boolean>;
}

const programOf = (checkout: string, name: ServiceName): string => join(checkout, 'apps', name, 'dist', 'main.js');
export const isBuilt = (checkout: string, name: ServiceName): boolean => existsSync(programOf(checkout, name));

/** The port in the line {"msg":"listening","port":N}; undefined for every other line. */
export const listeningPort = (line: string): number | undefined => {
  if (!line.includes('"listening"')) return undefined;
  try {
    const { msg, port } = JSON.parse(line);
    return msg === 'listening' && Number.isInteger(port) ? port : undefined;
  } catch {
    return undefined;
  }
};

const answersReady = async (port: number): Promise<boolean> => {
  const reply = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
  await reply.body?.cancel();
  return reply.status === 200;
};

export interface Program {
  readonly service: ServiceName;
  readonly program: string;
  readonly args: readonly string[];
}

/** A program of a service that does one thing and ends. @returns what it says. @throws Refusal with what it complains of */
export const runProgram = async (
  checkout: string,
  { service, program, args }: Program,
  environment: NodeJS.ProcessEnv,
): Promise<string> => {
  const path = join(checkout, 'apps', service, 'dist', `${program}.js`);
  const child = spawn(process.execPath, [path, ...args], { cwd: checkout, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let [said, complained] = ['', ''];
  child.stdout.on('data', (part: Buffer) => (said += part.toString()));
  child.stderr.on('data', (part: Buffer) => (complained += part.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Refusal(complained.trim() || `${program} of ${service} ended with ${code}`);
  return said.trim();
};

/** After so many starts without listening the old port is given up: somebody else has it. */
const startsOnOnePort = 3;

export const startService = (checkout: string, name: ServiceName, logFile: string, environment: NodeJS.ProcessEnv): Service => {
  let port: number | undefined;
  let listens = false;
  let silentStarts = 0;
  const isReady = async () => listens && port !== undefined && (await answersReady(port));
  const supervised = new Supervised({
    name,
    log: new LogFile(logFile),
    prepare: async () => {
      silentStarts = listens ? 0 : silentStarts + 1;
      listens = false;
      const wanted = silentStarts > startsOnOnePort ? 0 : (port ?? 0);
      const env = { ...environment, RAMPART_LISTEN_HOST: '127.0.0.1', RAMPART_LISTEN_PORT: String(wanted), RAMPART_PARENT_PIPE: '1' };
      return { command: process.execPath, args: [programOf(checkout, name)], env, cwd: checkout };
    },
    onLine: (line) => {
      const found = listeningPort(line);
      if (found === undefined) return;
      port = found;
      listens = true;
    },
    probe: isReady,
  });
  supervised.start();
  return { name, supervised, port: () => port, isReady };
};
