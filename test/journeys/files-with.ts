/** A search for bytes: what must be nowhere is looked for everywhere. */
import { type Dirent, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Files of a folder, at any depth, that hold one of the texts. */
export const filesWith = (folder: string, texts: readonly string[]): readonly string[] =>
  entriesOf(folder)
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => {
      // The engine's own may go while we look: what is gone holds nothing.
      const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
      return texts.some((text) => bytes.includes(text));
    })
    .map((file) => relative(folder, file));

/** A folder of the engine's may go while it is listed: then all is listed anew. */
const entriesOf = (folder: string, attempts = 20): readonly Dirent[] => {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempts <= 1) throw error;
    return entriesOf(folder, attempts - 1);
  }
};

/** What of an API key is known to its holder alone: rk_<id>_<secret>. */
export const secretOf = (key: string): string => key.split('_').slice(2).join('_');
