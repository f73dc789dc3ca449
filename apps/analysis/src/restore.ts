/** `node dist/restore.js FOLDER`: fills an empty feedback store from a backup, before analysis starts; that reads on where the backup ends. */
import { BackupDamaged, checkedBackup, rowsOf } from '@rampart/contracts/backups';
import { ClickhouseFeedbackBackup, ClickhouseFeedbackStore } from '@rampart/feedback-store';
import { readConfig } from '@rampart/service-kit';
import { namesCluster, storeConfig, storeOptions } from './config.js';

const restored = async (folder: string): Promise<string> => {
  const manifest = await checkedBackup(folder);
  const options = storeOptions(readConfig(namesCluster(storeConfig), process.env));
  const [store, backup] = [new ClickhouseFeedbackStore(options), new ClickhouseFeedbackBackup(options)];
  try {
    await store.prepare();
    if (!(await backup.isEmpty())) throw new BackupDamaged(`The feedback store ${options.database} is not empty: nothing was restored.`);
    const tables = manifest.tables.filter(({ of }) => of === 'store');
    for (const table of tables) await backup.write(table, rowsOf(folder, table));
    // Last: until it is there, the log is read from its beginning.
    const progress = manifest.store.progress.map(({ offset, ...one }) => ({ ...one, offset: BigInt(offset) }));
    await store.insert([], progress);
    return `The feedback store has ${tables.length} tables of the backup; the log is read on behind them.`;
  } finally {
    await Promise.all([store.close(), backup.close()]);
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
