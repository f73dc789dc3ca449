/** Checks a tree against the rules: imports (dependency-cruiser), rooms, purity. `node test/architecture/cruise.mjs [--root DIR] [--fewest N]` */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bannedRooms, fewestModules, forbidden, impure, longestFile, purePaths } from './rules.mjs';

// dependency-cruiser 17 asks for TypeScript without JSX, whatever the file is called; JSX in every file would break generic arrow functions.
const swc = createRequire(import.meta.url)('@swc/core');
const { parseFileSync } = swc;
swc.parseFileSync = (file, options) => parseFileSync(file, { ...options, tsx: file.endsWith('.tsx') });
const { cruise } = await import('dependency-cruiser');

const { values } = parseArgs({ options: { root: { type: 'string' }, fewest: { type: 'string' } } });
const root = resolve(values.root ?? join(import.meta.dirname, '..', '..'));
const fewest = Number(values.fewest ?? fewestModules);
process.chdir(root);

const skipped = new Set(['node_modules', 'dist', '.git', '.rampart', 'coverage']);

/** Every folder below `folder`, with the names of its files and folders. */
function* rooms(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => !skipped.has(entry.name));
  yield {
    folder,
    files: entries.filter((entry) => entry.isFile()).map((entry) => entry.name),
    folders: entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name),
  };
  for (const entry of entries) if (entry.isDirectory()) yield* rooms(join(folder, entry.name));
}

const roomViolations = () => {
  const found = [];
  for (const top of ['apps', 'libs', 'test']) {
    for (const room of rooms(join(root, top))) {
      const path = relative(root, room.folder);
      const name = path.split('/').at(-1);
      if (bannedRooms.has(name)) found.push(`no-drawers: ${path} says nothing of what it holds`);
      const isInside = path.includes('/src/');
      if (isInside && room.files.length + room.folders.length < 2) found.push(`no-room-for-one: ${path} holds one thing only`);
      for (const file of room.files.filter((name) => /\.(ts|tsx|mjs)$/.test(name))) found.push(...fileViolations(join(path, file)));
    }
  }
  return found;
};

const fileViolations = (path) => {
  const text = readFileSync(join(root, path), 'utf8');
  const lines = text.split('\n');
  const found = [];
  if (
    bannedRooms.has(
      path
        .split('/')
        .at(-1)
        .replace(/\.(ts|tsx|mjs)$/, ''),
    )
  )
    found.push(`no-drawers: ${path} says nothing of what it holds`);
  if (lines.length > longestFile) found.push(`no-long-files: ${path} has ${lines.length} lines, ${longestFile} are allowed`);
  if (purePaths.test(path) && !/\.(spec|int-spec|contract)\.ts$/.test(path)) {
    const at = lines.findIndex((line) => impure.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line));
    if (at >= 0) found.push(`pure-libs-are-pure: ${path}:${at + 1} reaches for ${impure.exec(lines[at])[0]}`);
  }
  return found;
};

const importViolations = async () => {
  const result = await cruise(['apps', 'libs'], {
    ruleSet: { forbidden },
    validate: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules/\\.pnpm/.*/dist)/.*\\.d\\.ts$|/dist/' },
    includeOnly: undefined,
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
    },
  });
  const { violations, totalCruised } = result.output.summary;
  const sources = result.output.modules.filter((module) => /^(apps|libs)\/.*\.tsx?$/.test(module.source)).length;
  const found = violations.map((violation) => `${violation.rule.name}: ${violation.from} → ${violation.to}`);
  if (sources < fewest) found.push(`modules-are-seen: ${sources} modules seen, at least ${fewest} expected: the check looked at nothing`);
  return { found, sources, totalCruised };
};

const imports = await importViolations();
const found = [...imports.found, ...roomViolations()];
for (const line of found) process.stdout.write(`  ${line}\n`);
process.stdout.write(`architecture: ${imports.sources} modules, ${found.length} violations\n`);
process.exitCode = found.length > 0 ? 1 : 0;
