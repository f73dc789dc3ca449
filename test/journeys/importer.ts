/** The importer for a journey: `rampart` as a process of its own, and files made from the simulated set. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Results } from '@rampart/contracts';
import { asDescribed } from './answers.js';
import { type Platform, repository } from './platform.js';

const program = join(repository, 'apps', 'cli', 'dist', 'main.js');
export const plans = join(repository, 'plans');
export const checkoutButton = {
  plan: join(plans, 'checkout_button', 'plan.json'),
  data: join(plans, 'checkout_button', 'data.csv'),
  expected: join(plans, 'checkout_button', 'expected.json'),
};

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Starts `rampart …` with the platform's data folder, unless other variables are given. */
export const rampart = (args: readonly string[], env: Readonly<Record<string, string>>): RunningCommand => {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: repository,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { stdout: '', stderr: '' };
  child.stdout.on('data', (part: Buffer) => (texts.stdout += part.toString()));
  child.stderr.on('data', (part: Buffer) => (texts.stderr += part.toString()));
  const ended = new Promise<Ended>((done) => child.on('close', (code, signal) => done({ code, signal, ...texts })));
  return { child, ended };
};

export interface ImportOptions {
  readonly plan: string;
  readonly data: string;
  readonly project?: string;
  readonly expect?: string;
}
export interface Imported extends Ended {
  readonly results: Results;
}

let scratch: string | undefined;
export const removeScratch = (): void => {
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
};
let files = 0;
export const scratchFile = (name: string, text = ''): string => {
  scratch ??= mkdtempSync(join(tmpdir(), 'rampart-import-'));
  const path = join(scratch, `${++files}-${name}`);
  if (text !== '') writeFileSync(path, text);
  return path;
};

export const startImport = (
  platform: Platform,
  { plan, data, project = 'imports', expect }: ImportOptions,
  out = scratchFile('out.json'),
) => {
  const args = ['import', '--plan', plan, '--data', data, '--project', project, '--out', out, '--address', platform.address];
  return { ...rampart([...args, ...(expect === undefined ? [] : ['--expect', expect])], { RAMPART_DATA: platform.data }), out };
};

/** @throws Error with the importer's words where it does not end well */
export const importFile = async (platform: Platform, options: ImportOptions): Promise<Imported> => {
  const { ended, out } = startImport(platform, options);
  const outcome = await ended;
  if (outcome.code !== 0)
    throw new Error(`rampart import ended with ${outcome.code ?? outcome.signal}:\n${outcome.stderr}\n${outcome.stdout}`);
  return { ...outcome, results: asDescribed(JSON.parse(readFileSync(out, 'utf8'))) };
};

/** Another order of the rows of a file, always the same one. */
export const shuffled = (file: string): string => {
  const [header, ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n');
  let state = 12_345;
  for (let left = rows.length; left > 1; left--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    const other = state % left;
    [rows[left - 1], rows[other]] = [rows[other] ?? '', rows[left - 1] ?? ''];
  }
  return scratchFile('shuffled.csv', `${header}\n${rows.join('\n')}\n`);
};

/** The rows of a file `times` times over, each time with users of their own. */
export const enlarged = (file: string, times: number): string => {
  const [header, ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n');
  const copies = Array.from({ length: times }, (_, copy) => rows.map((row) => row.replace(',', `-${copy},`)).join('\n'));
  return scratchFile('enlarged.csv', `${header}\n${copies.join('\n')}\n`);
};

/** Where the published files are, if they are: they may not be shipped. */
export const dataSets = ((): string | undefined => {
  const folder = process.env.RAMPART_DATA_SETS ?? resolve(repository, '..', 'shared', 'data');
  return existsSync(folder) ? folder : undefined;
})();
