/**
 * For the image: copies what the packages below apps and libs are made of, and nothing of their sources.
 * `node copy-manifests.mjs FROM TO` copies package.json of each; with `--built` what was compiled, too.
 */
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [from, to, mode] = process.argv.slice(2);
if (from === undefined || to === undefined || (mode !== undefined && mode !== '--built')) {
  process.stderr.write('node copy-manifests.mjs FROM TO [--built]\n');
  process.exit(2);
}
/** Specs, their types and the compiler's notes are of no use at run time. */
const isUseful = (path) => !/(\.(spec|int-spec|kafka-spec|examples|contract)\.js|\.d\.ts|\.tsbuildinfo|\.map)$/.test(path);
const rooms = ['apps', 'libs'].flatMap((top) => readdirSync(join(from, top)).map((name) => `${top}/${name}`));
// The workspace has to be whole for its lock file to be obeyed.
for (const room of mode === '--built' ? rooms : [...rooms, 'test', 'test/engines']) {
  const manifest = join(from, room, 'package.json');
  if (!existsSync(manifest)) continue;
  mkdirSync(join(to, room), { recursive: true });
  cpSync(manifest, join(to, room, 'package.json'));
  const built = join(from, room, 'dist');
  if (mode === '--built' && existsSync(built)) cpSync(built, join(to, room, 'dist'), { recursive: true, filter: isUseful });
}
