/** `node dist/restore.js FOLDER`: fills an empty database from a backup, before experiments starts: all of it or nothing. */
import 'reflect-metadata';
import { BackupDamaged, type BackupManifest, checkedBackup, rowsOf, secretFingerprint } from '@rampart/contracts/backups';
import type { EventLog } from '@rampart/event-log';
import { schemaVersions, type TableRows, writeSchemas } from '@rampart/event-store';
import { readConfig } from '@rampart/service-kit';
import { schemasOf } from './backup/history-backup.js';
import { experimentsConfig, storesConfig } from './experiments-config.js';
import { closeStores, openStores } from './stores.module.js';

const config = storesConfig.extend({ RAMPART_SECRET: experimentsConfig.shape.RAMPART_SECRET });

const restored = async (folder: string): Promise<string> => {
  const manifest = await checkedBackup(folder);
  const settings = readConfig(config, process.env);
  const isLogElsewhere = settings.KAFKA_BROKERS !== undefined && settings.KAFKA_BROKERS.length > 0;
  checkPlace(manifest, isLogElsewhere, settings.RAMPART_SECRET);
  const url = settings.RAMPART_DATABASE_URL;
  const schemas = schemasOf(isLogElsewhere);
  const stores = await openStores(settings);
  try {
    await checkLog(stores.log, manifest);
    const versions = await schemaVersions(url, schemas);
    if (versions.join() !== manifest.history.versions.join())
      throw new BackupDamaged(
        `The backup was taken by another version of Rampart: restore it with that one and upgrade then. It has ${manifest.history.versions.join(', ')}; this one ${versions.join(', ')}.`,
      );
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

const checkPlace = ({ history }: BackupManifest, isLogElsewhere: boolean, secret: string): void => {
  const log = isLogElsewhere ? 'kafka' : 'postgres';
  if (history.log !== log)
    throw new BackupDamaged(
      `The backup is of a platform with its log on ${history.log}, and this one has it on ${log}: set KAFKA_BROKERS accordingly.`,
    );
  if (history.secretFingerprint !== secretFingerprint(secret))
    throw new BackupDamaged('RAMPART_SECRET is another one than that of the backup: no unit would be known again. Give the same.');
};

/** A log in the same database comes with the backup; Kafka must still have what the backup goes by. */
const checkLog = async (log: EventLog, { history }: BackupManifest): Promise<void> => {
  if (history.log === 'postgres') {
    // Makes its tables, which are empty: there is no topic yet.
    await log.describeTopic('feedback.v1').catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'unknown-topic') throw error;
    });
    return;
  }
  for (const { topic, partition, offset } of history.ends) {
    const end = (await log.offsets(topic)).find((one) => one.partition === partition)?.end ?? 0;
    if (end < Number(offset))
      throw new BackupDamaged(
        `${topic}/${partition} on this Kafka ends at ${end}, the backup was taken at ${offset}: this is another log, or one that lost messages.`,
      );
  }
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
