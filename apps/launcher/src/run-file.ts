/** What runs where, for commands that look for a running platform. Removed at a clean stop; a killed launcher leaves it, so readers check its pid. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RunningProcess {
  readonly pid: number | undefined;
  readonly port: number | undefined;
}

export interface Run {
  readonly address: string;
  /** The launcher's. */
  readonly pid: number;
  readonly startedAt: string;
  readonly dataFolder: string;
  readonly adminKeyFile: string;
  /** "postgres", or "kafka" and its brokers. */
  readonly log: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Opens the page once, with the admin key; null where links are not given out. */
  readonly signInCode: string | null;
  /** Engines and services by name. */
  readonly processes: Readonly<Record<string, RunningProcess>>;
}

export const writeRunFile = (folder: string, run: Run): void => {
  const path = join(folder, 'run.json');
  // Whoever reads it can sign in.
  rmSync(`${path}.new`, { force: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(run, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

export const removeRunFile = (folder: string): void => rmSync(join(folder, 'run.json'), { force: true });
