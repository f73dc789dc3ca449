/**
 * Makes of each service one file with everything that it needs, compiled ahead, so that it starts in an eighth of the time (docs/adr/0019). What `npm run build` compiled stays as it is,
 * and a bundle older than that is not used.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '..', '..');
const services = ['analysis', 'assignment', 'experiments', 'ingestion'];

const distOf = (service) => join(root, 'apps', service, 'dist');
const markOf = (path) => {
  const { size, mtimeMs } = statSync(join(root, path));
  return `${size} ${mtimeMs}`;
};

/** The compiler's notes of every package change whenever one of its files does; the lock file, whenever other packages are installed; and what makes bundles. */
const inputs = () =>
  Object.fromEntries(
    ['apps', 'libs']
      .flatMap((room) => readdirSync(join(root, room)).map((name) => `${room}/${name}/dist/.tsbuildinfo`))
      .filter((path) => existsSync(join(root, path)) && !path.startsWith('apps/dashboard/') && !path.startsWith('apps/cli/'))
      .concat('pnpm-lock.yaml', 'infra/setup/bundles.mjs', 'infra/setup/compile-ahead.mjs')
      .map((path) => [path, markOf(path)]),
  );

/** Another Node starts a bundle too, but compiles it at each start. */
const noteOf = (made) => JSON.stringify({ inputs: made, node: process.version });

export const areBundlesCurrent = () => {
  const now = noteOf(inputs());
  return services.every((service) => {
    const folder = join(distOf(service), 'bundle');
    return (
      existsSync(join(folder, 'serve.cjs')) &&
      existsSync(join(folder, 'note.json')) &&
      readFileSync(join(folder, 'note.json'), 'utf8').trim() === now
    );
  });
};

/** Asked for by packages that work without them. */
const absent = [
  /^@nestjs\/(websockets|microservices|platform-express|platform-socket\.io)/,
  /^class-(validator|transformer)/,
  /^@fastify\/(multipart|view)$/,
  /^(mysql2?|oracledb|mssql|sqlite3|better-sqlite3|sql\.js|mongodb|redis|ioredis|pg-native|pg-query-stream|hdb-pool|react-native-sqlite-storage)$/,
  /^(typeorm-aurora-data-api-driver|expo-sqlite|@sap\/.*|@google-cloud\/.*)$/,
];

/** With machine code of their own, which they look for beside themselves. */
const native = ['lmdb'];

/** A module that asks where it lies is told where it lay, so that it finds its files there. */
const places = (folder) => ({
  name: 'places',
  transform(code, id) {
    if (id.startsWith('\0')) return null; // the bundler's own
    const file = relative(folder, id.split('?')[0]).split(sep).join('/');
    const url = `new URL(${JSON.stringify(file)}, import.meta.url)`;
    const path = `require('node:url').fileURLToPath(${url})`;
    const found = code
      .replace(/\bimport\.meta\.url\b/g, `${url}.href`)
      .replace(/\b__filename\b/g, path)
      .replace(/\b__dirname\b/g, `require('node:path').dirname(${path})`);
    if (/\bimport\.meta\.(dirname|filename)\b/.test(found)) throw new Error(`${id}: write import.meta.url; its dirname is the bundle's`);
    return found === code ? null : found;
  },
});

const bundle = async (rolldown, service, made) => {
  const folder = join(distOf(service), 'bundle');
  const unfinished = join(distOf(service), `bundle-${process.pid}`);
  const input = join(distOf(service), 'serve.js');
  const build = await rolldown({
    input,
    platform: 'node',
    external: [...absent, ...native],
    plugins: [places(folder)],
    onLog: refuseUnresolved,
  });
  rmSync(unfinished, { recursive: true, force: true });
  try {
    const file = join(unfinished, 'serve.cjs');
    // Not as a module: Node 20 keeps of those nothing that it has compiled. As strict as one.
    await build.write({ file, format: 'cjs', dynamicImportInCjs: false, banner: "'use strict';", keepNames: true, codeSplitting: false });
    await refuseImports(file);
    await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'compile-ahead.mjs'), file]);
    writeFileSync(join(unfinished, 'note.json'), `${noteOf(made)}\n`);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    await build.close();
  }
};

/** What is not found at build time would be missed when a service runs. */
const refuseUnresolved = (_level, { code, message }) => {
  if (code === 'UNRESOLVED_IMPORT') throw new Error(message);
};

/** A script that was compiled ahead has lost what Node needs for `import()`: it rejects, if only where it is reached. */
const refuseImports = async (file) => {
  const { parseSync } = await import('rolldown/utils');
  const code = readFileSync(file, 'utf8');
  const [found] = parseSync(file, code).module.dynamicImports;
  if (found !== undefined) throw new Error(`${file}: ${code.slice(found.start, found.end)}: a bundle can't import while it runs`);
};

export const makeBundles = async () => {
  const { rolldown } = await import('rolldown');
  const made = inputs();
  await Promise.all(services.map((service) => bundle(rolldown, service, made)));
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href && !areBundlesCurrent()) await makeBundles();
