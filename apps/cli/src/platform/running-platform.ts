/** Finds the platform to talk to, or starts one for the time of a command. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../refusal.js';
import { checkout, dataFolder, type Environment, given, launcherProgram, livingRun } from './places.js';

export interface RunningPlatform {
  readonly address: string;
  /** Ends it if it was started for this command. */
  release(): Promise<void>;
}
export interface PlatformOptions {
  readonly address: string | undefined;
  readonly keepRunning: boolean;
  readonly say: (sentence: string) => void;
}

const READY_MS = 180_000;
const STOP_MS = 60_000;
const untouched = async () => undefined;

/** The address that was given, the platform of this data folder, or undefined where none runs. */
const findPlatform = async (environment: Environment, address: string | undefined): Promise<RunningPlatform | undefined> => {
  const named = given(address) ?? given(environment.RAMPART_ADDRESS);
  if (named !== undefined) {
    if (!URL.canParse(named) || !/^https?:/.test(named))
      throw new Refusal(`"${named}" is no address: it looks like http://127.0.0.1:8080.`, 2);
    return { address: named.replace(/\/+$/, ''), release: untouched };
  }
  const run = livingRun(dataFolder(environment));
  return run === undefined ? undefined : { address: run.address, release: untouched };
};

/** @throws Refusal where none is found */
export const requirePlatform = async (environment: Environment, address: string | undefined): Promise<RunningPlatform> => {
  const found = await findPlatform(environment, address);
  if (found !== undefined) return found;
  throw new Refusal(
    `No platform runs with the data folder ${dataFolder(environment)}. Start it with npm start, or name another one with RAMPART_DATA or --address.`,
  );
};

export const findOrStartPlatform = async (environment: Environment, options: PlatformOptions): Promise<RunningPlatform> => {
  const found = await findPlatform(environment, options.address);
  if (found !== undefined) {
    await untilReady(found.address, () => undefined);
    return found;
  }
  return startPlatform(environment, options);
};

/** The launcher, for something that it does and ends; what it says is shown. @returns its exit code */
export const runLauncher = async (environment: Environment): Promise<number> => {
  const child = spawn(process.execPath, [launcherProgram], { cwd: checkout, env: environment, stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
};

const startPlatform = async (environment: Environment, { keepRunning, say }: PlatformOptions): Promise<RunningPlatform> => {
  if (!existsSync(launcherProgram))
    throw new Refusal('No platform runs, and the launcher is not built: run npm run build, or name a platform with --address.');
  say('No platform is running: starting one …');
  const port = given(environment.RAMPART_PORT) ?? String(await portOrFree(8080));
  const { npm_lifecycle_event: _npm, ...inherited } = environment;
  const child = spawn(process.execPath, [launcherProgram], {
    cwd: checkout,
    // Its own group: Ctrl-C is for this command, which then stops it in order. Its pipe ends when this command is killed.
    detached: true,
    env: { ...inherited, RAMPART_PORT: port, ...(keepRunning ? {} : { RAMPART_PARENT_PIPE: '1' }) },
    stdio: keepRunning ? ['ignore', 'ignore', 'ignore'] : ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (part: Buffer) => {
    output = (output + part.toString()).slice(-4_000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const ended = () => (hasEnded(child) ? `The platform ended while starting:\n${output.trim()}` : undefined);
  const stop = keepRunning ? untouched : () => stopped(child);
  try {
    const run = await untilAnnounced(dataFolder(environment), child, ended);
    await untilReady(run.address, ended);
    if (keepRunning) child.unref();
    say(`Platform at ${run.address}${keepRunning ? `; it goes on running until kill ${child.pid}` : ''}.`);
    return { address: run.address, release: stop };
  } catch (error) {
    await stopped(child);
    throw error;
  }
};

const untilAnnounced = async (folder: string, child: ChildProcess, ended: () => string | undefined) => {
  const deadlineMs = Date.now() + READY_MS;
  while (Date.now() < deadlineMs) {
    const run = livingRun(folder);
    if (run !== undefined && run.pid === child.pid) return run;
    const why = ended();
    if (why !== undefined) throw new Refusal(why);
    await sleep(100);
  }
  throw new Refusal(`The platform did not announce itself in ${READY_MS / 1000} s; see ${folder}/logs.`);
};

const untilReady = async (address: string, ended: () => string | undefined): Promise<void> => {
  const deadlineMs = Date.now() + READY_MS;
  let last = '';
  while (Date.now() < deadlineMs) {
    const why = ended();
    if (why !== undefined) throw new Refusal(why);
    try {
      const response = await fetch(`${address}/readyz`, { signal: AbortSignal.timeout(5_000) });
      last = `status ${response.status} ${await response.text()}`;
      if (response.status === 200) return;
    } catch (error) {
      last = error instanceof Error ? String(error.cause ?? error.message) : String(error);
    }
    await sleep(200);
  }
  throw new Refusal(`The platform at ${address} was not ready within ${READY_MS / 1000} s: ${last.slice(0, 500)}`);
};

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

const stopped = async (child: ChildProcess): Promise<void> => {
  if (hasEnded(child)) return;
  const end = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  if ((await Promise.race([end, sleep(STOP_MS, 'late', { ref: false })])) === 'late') child.kill('SIGKILL');
};

/** The default port, or any free one where somebody has it. */
const portOrFree = (port: number): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(0));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(port)));
  });
