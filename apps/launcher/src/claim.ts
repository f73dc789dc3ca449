/** One launcher per data folder: a living process holds it, a dead one never does, whatever files it left. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identityOf } from './process-identity.js';
import { Refusal } from './refusal.js';

interface Holder {
  readonly pid: number;
  readonly identity: string;
  readonly address?: string;
}

export interface Claim {
  /** From now on a second start is told where this one runs. */
  announce(address: string): void;
  release(): void;
}

const read = (path: string): Holder | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
};

const isLiving = (holder: Holder | undefined): holder is Holder => holder !== undefined && identityOf(holder.pid) === holder.identity;

const write = (path: string, holder: Holder): void => writeFileSync(path, `${JSON.stringify(holder)}\n`);

/** The file appears whole or not at all; false when somebody has it. */
const take = (path: string, holder: Holder): boolean => {
  const draft = `${path}.${process.pid}`;
  write(draft, holder);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
};

/** Moves a dead holder's file away. Of several starters that saw it only one succeeds, and one that moved a living holder's puts it back. */
const clearDead = (path: string): void => {
  const aside = `${path}.dead-${process.pid}`;
  try {
    renameSync(path, aside);
    if (isLiving(read(aside))) linkSync(aside, path);
  } catch {
    // Another starter was faster.
  } finally {
    rmSync(aside, { force: true });
  }
};

export const claimDataFolder = (folder: string): Claim => {
  const path = join(folder, 'launcher.lock');
  const self: Holder = { pid: process.pid, identity: identityOf(process.pid) ?? '' };
  for (let attempt = 1; !take(path, self); attempt++) {
    const holder = read(path);
    if (isLiving(holder)) {
      const where = holder.address === undefined ? 'is just starting' : `is already running at ${holder.address}`;
      throw new Refusal(
        `Rampart ${where} (pid ${holder.pid}) with the data folder ${folder}. Stop it first, or choose another folder with RAMPART_DATA.`,
      );
    }
    if (attempt === 20) throw new Refusal(`${path} cannot be taken over: remove it when no Rampart runs with this data folder.`);
    clearDead(path);
  }
  return {
    announce: (address) => {
      write(`${path}.new`, { ...self, address });
      renameSync(`${path}.new`, path);
    },
    release: () => {
      if (read(path)?.pid === process.pid) rmSync(path, { force: true });
    },
  };
};
