/**
 * `node dist/generation.js [--partitions N]`: opens the next generation of `feedback.v1`, with more partitions where they are asked for. Nobody may write
 * meanwhile: with another number of partitions a unit's rows come to another one, and what is sent again must not come before what it repeats.
 */
import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FEEDBACK } from '@rampart/contracts';
import { DomainError } from '@rampart/domain/errors';
import type { EventLog } from '@rampart/event-log';
import { readConfig } from '@rampart/service-kit';
import { storesConfig } from './experiments-config.js';
import { closeStores, openStores } from './stores.module.js';

/** Whoever could write ticks each second. */
const QUIET_MS = 3_000;

const endsOf = async (log: EventLog): Promise<string> => (await log.offsets(FEEDBACK)).map(({ end }) => end).join();

const opened = async (partitions: number | undefined): Promise<string> => {
  const stores = await openStores(readConfig(storesConfig, process.env));
  try {
    const { log } = stores;
    const ends = await endsOf(log);
    await sleep(QUIET_MS);
    if ((await endsOf(log)) !== ends)
      throw new DomainError(
        'log-in-use',
        `${FEEDBACK} is being written: stop ingestion, assignment and analysis first; nothing was changed`,
      );
    const before = await log.describeTopic(FEEDBACK);
    const { generation, partitions: count } = await log.startGeneration(FEEDBACK, partitions === undefined ? {} : { partitions });
    return `${FEEDBACK} is at generation ${generation} with ${count} partitions (before: ${before.partitions}). Start every service with RAMPART_LOG_PARTITIONS=${count}.`;
  } finally {
    await closeStores(stores);
  }
};

const { values } = parseArgs({ options: { partitions: { type: 'string' } } });
const partitions = values.partitions === undefined ? undefined : Number(values.partitions);
if (partitions !== undefined && !(Number.isInteger(partitions) && partitions >= 1 && partitions <= 256)) {
  process.stderr.write(`--partitions is a number from 1 to 256, not "${values.partitions}"\n`);
  process.exit(2);
}
opened(partitions).then(
  (sentence) => process.stdout.write(`${sentence}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
