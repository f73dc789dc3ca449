/** On which log a data folder lives. On another one its definitions were never published and its events never arrived: that is no start, but a loss. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keptSecret } from './data-folder.js';
import { Refusal } from './refusal.js';
import type { Settings } from './settings.js';

const names = { postgres: 'PostgreSQL', kafka: 'Kafka' } as const;
type LogName = keyof typeof names;

/** @throws Refusal when the folder began on the other log */
export const keepToItsLog = (folder: string, { kafkaBrokers }: Pick<Settings, 'kafkaBrokers'>): void => {
  const wanted: LogName = kafkaBrokers.length > 0 ? 'kafka' : 'postgres';
  const path = join(folder, 'log');
  // Folders older than this file are all on PostgreSQL; a secret is made at the first start.
  const isOld = !existsSync(path) && existsSync(join(folder, 'secret'));
  const kept = keptSecret(path, () => (isOld ? 'postgres' : wanted));
  if (kept === wanted) return;
  const cure = wanted === 'kafka' ? 'Leave KAFKA_BROKERS out' : 'Set KAFKA_BROKERS to its brokers';
  throw new Refusal(
    `The data in ${folder} began with its log on ${names[kept as LogName] ?? readFileSync(path, 'utf8')}, and would be without it on ${names[wanted]}. ${cure}, or choose a fresh folder with RAMPART_DATA.`,
  );
};

const partitionsFile = (folder: string): string => join(folder, 'partitions');

/** Of the feedback log, where another generation has given it others than a new log would get. */
export const keptPartitions = (folder: string): string | undefined =>
  existsSync(partitionsFile(folder)) ? readFileSync(partitionsFile(folder), 'utf8').trim() : undefined;

export const keepPartitions = (folder: string, partitions: string): void => {
  rmSync(partitionsFile(folder), { force: true });
  writeFileSync(partitionsFile(folder), `${partitions}\n`);
};
