/** How a service starts: from its bundle, which takes an eighth of the time that its modules take one by one. Imports nothing that takes time. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';

/** What `infra/setup/bundles.mjs` leaves beside a bundle: what it was made of, by paths from the root, with the size and time of each. */
export interface BundleNote {
  readonly inputs: Readonly<Record<string, string>>;
}

/** What the file `serve` of a service exports, a bundle too. */
interface ServiceProgram {
  readonly serve: () => Promise<void>;
}

export const BUNDLE = 'serve.cjs';

/**
 * Runs the `serve` of a service.
 * @param dist  folder of its compiled modules
 */
export const startService = async (dist: string): Promise<void> => {
  const { serve } = isBundleCurrent(dist)
    ? loadBundle(join(dist, 'bundle', BUNDLE)).program
    : ((await import(pathToFileURL(join(dist, 'serve.js')).href)) as ServiceProgram);
  await serve();
};

/** Whether nothing was compiled or installed since the bundle was made: what is older must not run in place of what was compiled. */
export const isBundleCurrent = (dist: string): boolean => {
  const folder = join(dist, 'bundle');
  if (!existsSync(join(folder, BUNDLE)) || !existsSync(join(folder, 'note.json'))) return false;
  // Where the compiler's notes are gone, as in an image, nobody compiles.
  if (!existsSync(join(dist, '.tsbuildinfo'))) return true;
  const { inputs }: BundleNote = JSON.parse(readFileSync(join(folder, 'note.json'), 'utf8'));
  const root = resolve(dist, '..', '..', '..');
  return Object.entries(inputs).every(([path, mark]) => {
    const found = statSync(join(root, path), { throwIfNoEntry: false });
    return found !== undefined && mark === `${found.size} ${found.mtimeMs}`;
  });
};

/**
 * Keeps beside a bundle what the engine makes of it while its modules are loaded, for all later starts on the same Node; another one makes it again each time.
 * What the modules themselves begin must not keep the process alive: whoever calls this ends it.
 */
export const compileAhead = (file: string): void => writeFileSync(compiledOf(file), loadBundle(file).script.createCachedData());

const compiledOf = (file: string): string => `${file}.compiled`;

/** The `serve` of a bundle, and the script that it came from: whether what was kept of it was taken says its `cachedDataRejected`. */
export const loadBundle = (file: string): { readonly script: Script; readonly program: ServiceProgram } => {
  const compiled = compiledOf(file);
  // In one line with its first, so that places in stack traces are those of the file.
  const script = new Script(`(function (exports, require, module, __filename, __dirname) { ${readFileSync(file, 'utf8')}\n})`, {
    // As it is called when it is compiled ahead, in another folder; V8 keeps that name for stack traces.
    filename: `${basename(resolve(file, '..', '..', '..'))}/${BUNDLE}`,
    ...(existsSync(compiled) ? { cachedData: readFileSync(compiled) } : {}),
  });
  const module = { exports: {} as ServiceProgram };
  script.runInThisContext()(module.exports, createRequire(file), module, file, dirname(file));
  return { script, program: module.exports };
};
