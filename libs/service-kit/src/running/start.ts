/** How a service starts: from its bundle, which takes a third of the time that its modules take one by one. Imports nothing that takes time. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What `infra/setup/bundles.mjs` leaves beside a bundle: what it was made of, by paths from the root, with the size and time of each. */
export interface BundleNote {
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * Runs `serve.js` of a service.
 * @param dist  folder of its compiled modules
 */
export const startService = async (dist: string): Promise<void> => {
  const program = isBundleCurrent(dist) ? join(dist, 'bundle', 'serve.js') : join(dist, 'serve.js');
  await import(pathToFileURL(program).href);
};

/** Whether nothing was compiled or installed since the bundle was made: what is older must not run in place of what was compiled. */
export const isBundleCurrent = (dist: string): boolean => {
  const folder = join(dist, 'bundle');
  if (!existsSync(join(folder, 'serve.js')) || !existsSync(join(folder, 'note.json'))) return false;
  // Where the compiler's notes are gone, as in an image, nobody compiles.
  if (!existsSync(join(dist, '.tsbuildinfo'))) return true;
  const { inputs }: BundleNote = JSON.parse(readFileSync(join(folder, 'note.json'), 'utf8'));
  const root = resolve(dist, '..', '..', '..');
  return Object.entries(inputs).every(([path, mark]) => {
    const found = statSync(join(root, path), { throwIfNoEntry: false });
    return found !== undefined && mark === `${found.size} ${found.mtimeMs}`;
  });
};
