/** `node dist/restore.js FOLDER`: fills an empty database from a backup, before experiments starts: all of it or nothing. */
import 'reflect-metadata';
import { FEEDBACK } from '@rampart/contracts';
import { BackupDamaged, checkedBackup, rowsOf } from '@rampart/contracts/backups';
import type { EventLog } from '@rampart/event-log';
import { schemaVersions, type TableRows, writeSchemas } from '@rampart/event-store';
import { readConfig } from '@rampart/service-kit';
import { schemasOf } from './backup/history-backup.js';
import { type RestorePlace, refusalOf } from './backup/restorable.js';
import { experimentsConfig, storesConfig } from './experiments-config.js';
import { closeStores, openStores } from './stores.module.js';

const config = storesConfig.extend({ RAMPART_SECRET: experimentsConfig.shape.RAMPART_SECRET });

const restored = async (folder: string): Promise<string> => {
  const manifest = await checkedBackup(folder);
  const settings = readConfig(config, process.env);
  const isLogElsewhere = settings.KAFKA_BROKERS !== undefined && settings.KAFKA_BROKERS.length > 0;
  const url = settings.RAMPART_DATABASE_URL;
  const schemas = schemasOf(isLogElsewhere);
  const stores = await openStores(settings);
  try {
    // Of a log in the same database this makes the tables: they are empty, there is no topic yet.
    const ends = await endsOf(stores.log, isLogElsewhere ? manifest.history.ends : []);
    const place = { secret: settings.RAMPART_SECRET, versions: await schemaVersions(url, schemas), ends };
    const refusal = refusalOf(manifest, { ...place, log: isLogElsewhere ? 'kafka' : 'postgres' });
    if (refusal !== undefined) throw new BackupDamaged(refusal);
    const tables = manifest.tables.filter(({ of }) => of === 'history');
    await writeSchemas(
      url,
      schemas,
      tables.map((table): TableRows => ({ table, rows: rowsOf(folder, table) })),
    );
    return `The history has ${tables.length} tables of the backup.`;
  } finally {
    await closeStores(stores);
  }
};

const endsOf = async (log: EventLog, asked: readonly { readonly topic: string }[]): Promise<RestorePlace['ends']> => {
  const ends: { topic: string; partition: number; offset: string }[] = [];
  for (const topic of new Set([FEEDBACK, ...asked.map((one) => one.topic)])) {
    const offsets = await log.offsets(topic).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === 'unknown-topic') return [];
      throw error;
    });
    ends.push(...offsets.map(({ partition, end }) => ({ topic, partition, offset: String(end) })));
  }
  return ends;
};

const [, , folder] = process.argv;
if (folder === undefined) {
  process.stderr.write('restore needs the folder of a backup: node dist/restore.js FOLDER\n');
  process.exit(2);
}
restored(folder).then(
  (sentence) => process.stdout.write(`${sentence}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
