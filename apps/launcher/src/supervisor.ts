/** Keeps one child process alive: starts it, starts it again when it dies, stops it when told, and knows whether it is ready. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { LogFile } from './log-file.js';
import { Refusal } from './refusal.js';

const firstDelayMs = 200;
const longestDelayMs = 5_000;
/** A child that lived this long was well: its next death is a first one again. */
const steadyMs = 30_000;
/** So many deaths in a row before it was ever ready mean that it never will be. */
const hopelessDeaths = 5;

/** How long to wait before the next start, after `deaths` deaths in a row. */
export const restartDelayMs = (deaths: number): number => Math.min(longestDelayMs, firstDelayMs * 2 ** Math.max(0, deaths - 1));

/** Deaths in a row, counting one that came `livedMs` after its start. */
export const deathsInARow = (before: number, livedMs: number): number => (livedMs >= steadyMs ? 1 : before + 1);

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

export interface Task {
  readonly name: string;
  readonly log: LogFile;
  /** Asked before every start; clears what a dead process left and says what to run. */
  prepare(everReady: boolean): Promise<Launch>;
  /** Sees every line of stdout and stderr. */
  onLine?(line: string): void;
  /** Where the child is a guard: the pid of its server, from the line that says it. */
  readonly serverPid?: ((line: string) => number | undefined) | undefined;
  /** True when it answers; a throw means no. */
  probe(): Promise<boolean>;
}

export type TaskState = 'starting' | 'ready' | 'restarting' | 'stopping' | 'stopped';

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

export class Supervised {
  restarts = 0;
  /** How it ended the last time: `SIGKILL`, `exit code 1`. */
  ending = 'never started';
  /** Called whenever the state or the process has changed. */
  onChange: () => void = () => undefined;
  private current: TaskState = 'stopped';
  private child: ChildProcess | undefined;
  private serverPid: number | undefined;
  private deaths = 0;
  private everReady = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly task: Task) {}

  get state(): TaskState {
    return this.current;
  }

  get name(): string {
    return this.task.name;
  }

  get logPath(): string {
    return this.task.log.path;
  }

  /** Of the process that does the work: a guard's server, else the child. Undefined while there is none. */
  get pid(): number | undefined {
    if (this.child === undefined || hasEnded(this.child)) return undefined;
    return this.task.serverPid === undefined ? this.child.pid : this.serverPid;
  }

  start(): void {
    this.become('starting');
    void this.run();
  }

  /** Resolves when the child answers. Refuses when it keeps dying or when `patienceMs` have passed. */
  async whenReady(patienceMs: number): Promise<void> {
    const until = Date.now() + patienceMs;
    while (this.state !== 'ready') {
      if (this.state === 'stopping' || this.state === 'stopped') throw new Refusal(`${this.name} was stopped before it was ready.`);
      if (this.deaths >= hopelessDeaths) throw this.notReady(`ended ${this.deaths} times in a row`);
      if (Date.now() > until) throw this.notReady(`did not answer within ${Math.round(patienceMs / 1000)} s`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Asks the child to end; after `graceMs` it is killed with its whole group. */
  async stop(graceMs: number): Promise<void> {
    const child = this.child;
    this.become('stopping');
    clearTimeout(this.timer);
    if (child?.pid !== undefined && !hasEnded(child)) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => this.killGroup(), graceMs);
      await ended;
      clearTimeout(timer);
    }
    this.become('stopped');
  }

  /** Without asking: the child and whatever it started in its group. */
  killGroup(): void {
    if (this.child?.pid === undefined) return;
    try {
      process.kill(-this.child.pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }

  private become(state: TaskState): void {
    this.current = state;
    this.onChange();
  }

  private notReady(what: string): Refusal {
    const tail = this.task.log.tail(5);
    return new Refusal(`${this.name} ${what}. Its log is ${this.task.log.path}${tail === '' ? '.' : `; it ends with:\n${tail}`}`);
  }

  private async run(): Promise<void> {
    const startedAt = Date.now();
    try {
      const launch = await this.task.prepare(this.everReady);
      if (this.isEnding()) return;
      await this.runOnce(launch);
    } catch (error) {
      this.ending = error instanceof Error ? error.message : String(error);
      this.task.log.write(`launcher: could not start ${this.name}: ${this.ending}\n`);
    }
    if (this.isEnding()) return;
    this.deaths = deathsInARow(this.deaths, Date.now() - startedAt);
    this.become(this.everReady ? 'restarting' : 'starting');
    this.timer = setTimeout(() => {
      this.restarts++;
      void this.run();
    }, restartDelayMs(this.deaths));
  }

  private isEnding(): boolean {
    return this.state === 'stopping' || this.state === 'stopped';
  }

  /** Resolves when the child has ended. */
  private async runOnce({ command, args, env, cwd }: Launch): Promise<void> {
    // A group of its own: Ctrl-C in the terminal reaches the launcher only, which then stops the children in order.
    const child = spawn(command, args, { env, cwd, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child = child;
    this.serverPid = undefined;
    this.onChange();
    child.stdin?.on('error', () => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.task.log.write(`${line}\n`);
        this.noteServer(line);
        this.tellLine(line);
      });
    }
    const ended = new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    void this.watchReadiness(child);
    this.ending = await ended;
    if (!this.isEnding()) this.task.log.write(`launcher: ${this.name} ended (${this.ending})\n`);
  }

  /** Whoever reads along may write something down: on a full disk that must not end what runs. */
  private tellLine(line: string): void {
    try {
      this.task.onLine?.(line);
    } catch (error) {
      this.task.log.write(`launcher: ${error instanceof Error ? error.message : error}\n`);
    }
  }

  private noteServer(line: string): void {
    const pid = this.task.serverPid?.(line);
    if (pid === undefined) return;
    this.serverPid = pid;
    this.onChange();
  }

  private async watchReadiness(child: ChildProcess): Promise<void> {
    while (this.child === child && !hasEnded(child) && !this.isEnding()) {
      if (await this.task.probe().catch(() => false)) {
        if (this.child !== child || this.isEnding()) return;
        this.everReady = true;
        this.become('ready');
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
