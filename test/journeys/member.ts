/** One process of a deployment, kept alive as an operator's supervisor would: what dies is started again with the same settings and port. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@rampart/test-engines';
import { eventually, repository } from './platform.js';

const RESTART_AFTER_MS = 200;

export interface MemberOptions {
  /** `analysis-1`: the program before the dash, which of its processes behind it. */
  readonly name: string;
  readonly program: string;
  readonly data: string;
  /** Where another version was built. */
  readonly checkout?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly port?: number;
}

export class Member {
  readonly name: string;
  readonly address: string;
  restarts = 0;
  private child: ChildProcess | undefined;
  private isOver = false;
  private end = 'it never ended';
  private more: Readonly<Record<string, string>> = {};
  private checkout: string;

  private constructor(
    private readonly options: MemberOptions,
    private readonly port: number,
  ) {
    this.name = options.name;
    this.checkout = options.checkout ?? repository;
    this.address = `http://127.0.0.1:${port}`;
  }

  static async start(options: MemberOptions): Promise<Member> {
    const member = new Member(options, options.port ?? (await freePort()));
    member.spawn();
    return member;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** How it ended last, and what it said before: for whoever did not want it to. */
  lastEnd(): string {
    const lines = readFileSync(this.logFile, 'utf8').split('\n');
    return [this.end, ...lines.filter((line) => line.startsWith('{"level"')).slice(-5)].join('\n');
  }

  async isReady(withinMs = 2_000): Promise<boolean> {
    const asked = fetch(`${this.address}/readyz`, { signal: AbortSignal.timeout(withinMs) });
    return asked.then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  async whenReady(withinMs = 60_000): Promise<void> {
    await eventually(`${this.name} is ready`, async () => ((await this.isReady()) ? true : undefined), withinMs);
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  /** Asked to end, as by a supervisor that has another version to start. */
  async replaceBy(checkout: string): Promise<void> {
    this.checkout = checkout;
    const { child } = this;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  /** kill -9; its next life, and all after that, have these settings more. */
  async kill(more?: Readonly<Record<string, string>>): Promise<void> {
    if (more !== undefined) this.more = more;
    const { child } = this;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    this.isOver = true;
    const { child } = this;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 12_000);
    await ended;
    clearTimeout(timer);
  }

  private get logFile(): string {
    return join(this.options.data, 'logs', `${this.name}.log`);
  }

  private spawn(): void {
    const { program, data, env } = this.options;
    mkdirSync(join(data, 'logs'), { recursive: true });
    const log = createWriteStream(this.logFile, { flags: 'a' });
    const child = spawn(process.execPath, [join(this.checkout, 'apps', program)], {
      env: { PATH: process.env.PATH, RAMPART_LISTEN_PORT: String(this.port), RAMPART_PARENT_PIPE: '1', ...env, ...this.more },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => undefined);
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.child = child;
    child.once('exit', (code, signal) => {
      this.child = undefined;
      this.end = `ended with ${signal ?? `code ${code}`}`;
      if (this.isOver) return;
      this.restarts += 1;
      setTimeout(() => !this.isOver && this.spawn(), RESTART_AFTER_MS);
    });
  }
}
