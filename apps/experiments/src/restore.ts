/** `node dist/restore.js FOLDER`: fills an empty database from a backup, before experiments starts: all of it or nothing. */
import 'reflect-metadata';
import { FEEDBACK } from '@rampart/contracts';
import { BackupDamaged, type BackupManifest, checkedBackup, rowsOf } from '@rampart/contracts/backups';
import type { EventLog, LogCopy } from '@rampart/event-log';
import { filledTables, schemaVersions, type TableRows, writeSchemas } from '@rampart/event-store';
import { readConfig } from '@rampart/service-kit';
import type { z } from 'zod';
import { LOG_SCHEMA, LOG_TOPICS, schemasOf } from './backup/history-backup.js';
import { type RestorePlace, refusalOf } from './backup/restorable.js';
import { experimentsConfig, storesConfig } from './experiments-config.js';
import { DecisionsPublisher } from './publishing/decisions.publisher.js';
import { DefinitionsPublisher } from './publishing/definitions.publisher.js';
import { closeStores, isLogElsewhere, openCopy, openStores } from './stores.module.js';

const config = storesConfig.extend({ RAMPART_SECRET: experimentsConfig.shape.RAMPART_SECRET });

const restored = async (folder: string): Promise<string> => {
  const manifest = await checkedBackup(folder);
  const settings = readConfig(config, process.env);
  const copy = await openCopy(settings);
  try {
    // Before anybody makes topics.
    const hasLog = copy !== undefined && (await copy.existing(LOG_TOPICS)).length > 0;
    const place = { secret: settings.RAMPART_SECRET, isEmptyKafka: copy !== undefined && !hasLog } as const;
    return await filled(folder, manifest, settings, place, copy);
  } finally {
    await copy?.close();
  }
};

const filled = async (
  folder: string,
  manifest: BackupManifest,
  settings: z.infer<typeof config>,
  place: Pick<RestorePlace, 'secret' | 'isEmptyKafka'>,
  copy: LogCopy | undefined,
): Promise<string> => {
  const isElsewhere = isLogElsewhere(settings);
  const url = settings.RAMPART_DATABASE_URL;
  const schemas = schemasOf(isElsewhere);
  const stores = await openStores(settings);
  try {
    // Of a log in the same database this makes the tables: they are empty, there is no topic yet. On Kafka it makes the index.
    const asked = isElsewhere ? manifest.history.ends : [{ topic: FEEDBACK }];
    const ends = place.isEmptyKafka ? [] : await endsOf(stores.log, asked);
    const versions = await schemaVersions(url, schemas);
    const refusal = refusalOf(manifest, { ...place, log: isElsewhere ? 'kafka' : 'postgres', versions, ends });
    if (refusal !== undefined) throw new BackupDamaged(refusal);
    const full = await filledTables(url, schemas);
    if (full.length > 0)
      throw new BackupDamaged(`the database is not empty: ${full.join(', ')} ${full.length === 1 ? 'has' : 'have'} rows`);
    // First, and last of all the history: without it nothing is taken for restored.
    const topics = copy !== undefined && place.isEmptyKafka ? await fillLog(copy, folder, manifest) : undefined;
    const tables = manifest.tables.filter(({ of, schema }) => of === 'history' && schema !== LOG_SCHEMA);
    await writeSchemas(
      url,
      schemas,
      tables.map((table): TableRows => ({ table, rows: rowsOf(folder, table) })),
    );
    if (topics !== undefined) await tellMissing(stores);
    return `The history has ${tables.length} tables of the backup${topics === undefined ? '' : `, Kafka its ${topics} topics`}.`;
  } finally {
    await closeStores(stores);
  }
};

/** The log was read a moment before the history. */
const tellMissing = async ({ store, log }: Awaited<ReturnType<typeof openStores>>): Promise<void> => {
  for (const publisher of [new DefinitionsPublisher(store, log), new DecisionsPublisher(store, log)])
    await store.rebuild(publisher.subscriber);
};

/** @returns how many topics */
const fillLog = async (copy: LogCopy, folder: string, { history, tables }: BackupManifest): Promise<number> => {
  for (const { table, ...topic } of history.copied) {
    const file = tables.find((one) => one.schema === LOG_SCHEMA && one.table === table);
    if (file === undefined) throw new BackupDamaged(`The backup has no messages of ${topic.topic}.`);
    await copy.write(topic, rowsOf(folder, file));
  }
  for (const topic of history.copied) await copy.settle(topic);
  return history.copied.length;
};

const endsOf = async (log: EventLog, asked: readonly { readonly topic: string }[]): Promise<RestorePlace['ends']> => {
  const ends: { topic: string; partition: number; offset: string }[] = [];
  for (const topic of new Set(asked.map((one) => one.topic))) {
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
