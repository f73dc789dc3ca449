/** What a restore makes of a data folder before its engines run: nothing is there yet, and until it ends nothing may start on it. */
import { copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keepToItsLog } from './kept-log.js';
import { Refusal } from './refusal.js';
import type { Settings } from './settings.js';

const UNFINISHED = 'restoring';
const KEPT = ['secret', 'admin-key'] as const;

/** @throws Refusal unless the folder is new, or a start that was refused left nothing but a place for logs in it */
export const refuseFilled = (folder: string): void => {
  if (!existsSync(folder) || readdirSync(folder).every((name) => name === 'logs')) return;
  throw new Refusal(`The data folder ${folder} is not empty: choose a fresh one with RAMPART_DATA. Nothing was restored.`);
};

/** @throws Refusal where a restore into the folder did not come to its end */
export const refuseUnfinished = (folder: string): void => {
  if (!existsSync(join(folder, UNFINISHED))) return;
  throw new Refusal(`A restore into ${folder} did not end: remove the folder, and restore the backup again.`);
};

export const beginRestore = (folder: string, backup: string, settings: Pick<Settings, 'kafkaBrokers'>): void => {
  // Before there is a secret: a folder that has one, and no word about its log, is taken for an old one.
  keepToItsLog(folder, settings);
  writeFileSync(join(folder, UNFINISHED), `${backup}\n`);
  for (const file of KEPT.filter((one) => existsSync(join(backup, one)))) {
    copyFileSync(join(backup, file), join(folder, file));
  }
};

export const endRestore = (folder: string): void => rmSync(join(folder, UNFINISHED));
