/** Where things of a local platform are: the checkout, the data folder, the files that the launcher leaves there. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

export const checkout = resolve(import.meta.dirname, '..', '..', '..', '..');
export const launcherProgram = join(checkout, 'apps', 'launcher', 'dist', 'main.js');

export const dataFolder = (environment: Environment): string => resolve(given(environment.RAMPART_DATA) ?? join(checkout, '.rampart'));
export const adminKeyFile = (environment: Environment): string => join(dataFolder(environment), 'admin-key');

/** An empty variable is none. */
export const given = (text: string | undefined): string | undefined => (text === undefined || text.trim() === '' ? undefined : text.trim());

/** A path as the person typed it: npm runs scripts in the checkout, and says where it was called. */
export const typedPath = (path: string, environment: Environment): string => {
  const from = given(environment.INIT_CWD);
  const here = resolve(path);
  return existsSync(here) || from === undefined ? here : resolve(from, path);
};

export interface Run {
  readonly address: string;
  readonly pid: number;
}

/** What the launcher of this data folder wrote, if its process lives. */
export const livingRun = (folder: string): Run | undefined => {
  try {
    const { address, pid } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
    if (typeof address !== 'string' || !Number.isInteger(pid)) return undefined;
    process.kill(pid, 0);
    return { address, pid };
  } catch (error) {
    // Somebody else's process: it lives.
    return error instanceof Error && 'code' in error && error.code === 'EPERM' ? runOf(folder) : undefined;
  }
};

const runOf = (folder: string): Run => JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
