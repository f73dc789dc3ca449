/** A search for bytes: what must be nowhere is looked for everywhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Files of a folder, at any depth, that hold one of the texts. */
export const filesWith = (folder: string, texts: readonly string[]): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => {
      // The engine's own may go while we look: what is gone holds nothing.
      const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
      return texts.some((text) => bytes.includes(text));
    })
    .map((file) => relative(folder, file));

/** What of an API key is known to its holder alone: rk_<id>_<secret>. */
export const secretOf = (key: string): string => key.split('_').slice(2).join('_');
