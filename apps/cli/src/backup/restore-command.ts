/** `rampart restore FOLDER`: a backup becomes a data folder of its own, which npm start goes on with. */
import { existsSync, readdirSync } from 'node:fs';
import { BackupDamaged, checkedBackup, MANIFEST } from '@rampart/contracts/backups';
import { dataFolder, type Environment, typedPath } from '../platform/places.js';
import { runLauncher } from '../platform/running-platform.js';
import { Refusal } from '../refusal.js';

/** Where the word is no backup's folder: the same command takes back a kill switch. */
const notABackup = (word: string): Refusal =>
  new Refusal(
    `${word} is no folder with a backup (it has no ${MANIFEST}). To take back the kill switch of a feature, say why: --reason.`,
    2,
  );

/** @returns the launcher's exit code. @throws Refusal before anything is written where the backup is damaged or the place is not empty */
export const restoreBackup = async (typedFolder: string, environment: Environment, print: (text: string) => void): Promise<number> => {
  const folder = typedPath(typedFolder, environment);
  if (!existsSync(folder)) throw notABackup(typedFolder);
  const manifest = await checkedBackup(folder).catch((error: unknown) => {
    if (error instanceof BackupDamaged) throw new Refusal(`${error.message} Nothing was restored.`);
    throw error;
  });
  const data = dataFolder(environment);
  if (existsSync(data) && readdirSync(data).some((name) => name !== 'logs'))
    throw new Refusal(`The data folder ${data} is not empty: choose a fresh one with RAMPART_DATA. Nothing was restored.`);
  print(`The backup of ${manifest.takenAt} is whole: ${manifest.files.length} files. Restoring into ${data} …`);
  const code = await runLauncher({ ...environment, RAMPART_DATA: data, RAMPART_RESTORE: folder });
  if (code === 0)
    print(
      `Restored. Start it with RAMPART_DATA=${data} npm start; RAMPART_DATA=${data} npm run rampart -- replay decisions then says whether all is as it was.`,
    );
  return code;
};
