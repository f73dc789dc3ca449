/**
 * Installs and builds what is missing or older than its sources, and does nothing in a moment when all is there. Plain Node, no packages: it runs
 * first in a fresh clone. Every `npm run …` of this repository begins with it.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { areBundlesCurrent } from './bundles.mjs';
import { withLock } from './lock.mjs';

const oldestNode = [20, 19];
const packageManager = 'pnpm@12.21.0';
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const stampFile = join(root, 'node_modules', '.rampart-setup.json');
/** Where packages with sources live: their own folder, or a folder of folders. */
const packageRooms = ['apps', 'libs'];
const testRooms = ['test', 'test/engines'];
const dashboard = join(root, 'apps', 'dashboard');
/** What the browser gets, below the dashboard's dist: made by another tool than the rest of it. */
const pageFolder = join(dashboard, 'dist', 'page');

const say = (line) => process.stderr.write(`${line}\n`);

class Refusal extends Error {}

const checkNode = () => {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new Refusal(
    `Rampart needs Node ${oldestNode.join('.')} or newer; this is ${process.versions.node}. Install a newer one from https://nodejs.org and try again.`,
  );
};

const hash = (text) => createHash('sha256').update(text).digest('hex').slice(0, 32);

const packageFolders = () =>
  packageRooms
    .flatMap((room) => (existsSync(join(root, room)) ? readdirSync(join(root, room)).map((name) => `${room}/${name}`) : []))
    .concat(testRooms)
    .filter((folder) => existsSync(join(root, folder, 'tsconfig.json')));

/** What decides which packages are installed. */
const installHash = () => {
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...packageFolders().map((folder) => `${folder}/package.json`)];
  return hash([process.platform, process.arch, ...files.map((file) => readFileSync(join(root, file), 'utf8'))].join('\0'));
};

const skipped = new Set(['node_modules', 'dist', '.rampart']);

const sourcesIn = (folder, found = []) => {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!skipped.has(entry.name)) sourcesIn(path, found);
    } else if (/\.tsx?$/.test(entry.name) || entry.name === 'tsconfig.json') found.push(path);
  }
  return found;
};

/** What decides what the compiler makes: names, sizes and times of all sources. */
const buildHash = () => {
  const files = ['apps', 'libs', 'test'].flatMap((room) => sourcesIn(join(root, room)));
  files.push(join(root, 'tsconfig.json'), join(root, 'tsconfig.base.json'));
  return hash(files.map((file) => [file, statSync(file).size, statSync(file).mtimeMs].join(' ')).join('\n'));
};

/** What decides what the browser gets. Its packages are in the hash of what is installed. */
const pageHash = () => {
  const inside = readdirSync(join(dashboard, 'src'), { recursive: true }).map((file) => join(dashboard, 'src', file));
  const files = [...inside, join(dashboard, 'index.html'), join(dashboard, 'vite.config.mjs')].filter((file) => statSync(file).isFile());
  return hash(files.map((file) => [file, statSync(file).size, statSync(file).mtimeMs].join(' ')).join('\n'));
};

const readStamp = () => {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {};
  }
};
const writeStamp = (stamp) => writeFileSync(stampFile, `${JSON.stringify(stamp)}\n`);

const isBuilt = () => packageFolders().every((folder) => existsSync(join(root, folder, 'dist', '.tsbuildinfo')));

/** Runs a command; its output is kept back unless it fails. Says every ten seconds that it goes on. */
const run = (what, command, args, env = {}) =>
  new Promise((done, fail) => {
    const startedAt = Date.now();
    const seconds = () => Math.round((Date.now() - startedAt) / 1000);
    const child = spawn(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const ticker = setInterval(() => say(`  still ${what}, ${seconds()} s …`), 10_000);
    child.on('error', (error) => {
      clearInterval(ticker);
      fail(new Refusal(`${command} could not be started (${error.message}): Node's own npm tools must be on the PATH.`));
    });
    child.on('close', (code, signal) => {
      clearInterval(ticker);
      if (code === 0) done(seconds());
      else fail(Object.assign(new Error(signal ?? `exit code ${code}`), { output: output.trim() }));
    });
  });

const whyInstallFailed = (output) => {
  if (/ENOSPC|no space left|EDQUOT/i.test(output)) return 'The disk is full: the packages take about 1.2 GB.';
  if (/EACCES|EPERM|EROFS/.test(output)) return `This user may not write in ${root} or in npm's cache.`;
  if (/OUTDATED_LOCKFILE/.test(output))
    return 'pnpm-lock.yaml does not fit the package.json files: run `npx pnpm@12.21.0 install --no-frozen-lockfile`.';
  if (/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ECONNRESET|network|fetch failed|E40\d|ERR_PNPM_(FETCH|META)/i.test(output)) {
    return 'The package registry could not be reached: check the network and `npm config get registry`.';
  }
  return `${packageManager} could not install the packages.`;
};

const install = async () => {
  const first = existsSync(join(root, 'node_modules')) ? '' : ' (the first time: up to a minute, about 1.2 GB on disk)';
  say(`Installing packages${first} …`);
  const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
  const args = ['--yes', packageManager, 'install', '--frozen-lockfile'];
  try {
    const took = await run('installing packages', npx, args, { CI: 'true' });
    say(`  installed in ${took} s`);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${error.output.split('\n').slice(-20).join('\n')}\n\n${whyInstallFailed(error.output)}`);
  }
};

/** Removes what sources that are gone once became: a test that no longer exists must not run. */
const removeStale = () => {
  for (const folder of packageFolders()) {
    const dist = join(root, folder, 'dist');
    if (!existsSync(dist)) continue;
    const sources = existsSync(join(root, folder, 'src')) ? join(root, folder, 'src') : join(root, folder);
    for (const file of readdirSync(dist, { recursive: true })) {
      if (join(dist, file).startsWith(pageFolder) || file.startsWith('bundle')) continue;
      const emitted = /^(.*?)(\.js|\.d\.ts)(\.map)?$/.exec(file);
      if (emitted !== null && !['.ts', '.tsx'].some((end) => existsSync(join(sources, emitted[1] + end))))
        rmSync(join(dist, file), { force: true });
    }
  }
};

const build = async () => {
  say('Building …');
  removeStale();
  try {
    // Without a dist the compiler's own note "up to date" would be wrong.
    const force = isBuilt() ? [] : ['--force'];
    const took = await run('building', process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b', ...force]);
    say(`  built in ${took} s`);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const why = /ENOSPC|no space left/i.test(error.output) ? 'The disk is full.' : 'The sources do not compile.';
    throw new Refusal(`${error.output}\n\n${why}`);
  }
};

const bundleServices = async () => {
  try {
    await run('bundling the services', process.execPath, [join(root, 'infra', 'setup', 'bundles.mjs')]);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${error.output}\n\nThe services could not be bundled.`);
  }
};

const bundlePage = async () => {
  const vite = join(dashboard, 'node_modules', 'vite', 'bin', 'vite.js');
  try {
    await run('bundling the page', process.execPath, [vite, 'build', dashboard, '--logLevel', 'warn']);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${error.output}\n\nThe page of apps/dashboard could not be bundled.`);
  }
};

const isPageCurrent = ({ page, install: installed }) =>
  page === pageHash() && installed === installHash() && existsSync(join(pageFolder, 'index.html'));

const isCurrent = () => {
  const stamp = readStamp();
  return stamp.install === installHash() && stamp.build === buildHash() && isBuilt() && areBundlesCurrent() && isPageCurrent(stamp);
};

const ensure = async () => {
  checkNode();
  if (isCurrent()) return;
  mkdirSync(join(root, '.rampart'), { recursive: true });
  await withLock(join(root, '.rampart', 'setup.lock'), say, async () => {
    if (isCurrent()) return; // another one did it while this one waited
    const wanted = installHash();
    if (readStamp().install !== wanted) {
      await install();
      writeStamp({ install: wanted });
    }
    const before = readStamp();
    const built = buildHash();
    if (before.build !== built || !isBuilt()) await build();
    if (!areBundlesCurrent()) await bundleServices();
    const page = pageHash();
    if (!isPageCurrent(before)) await bundlePage();
    writeStamp({ install: wanted, build: built, page });
  });
};

ensure().catch((error) => {
  const known =
    error instanceof Refusal
      ? error.message
      : { ENOSPC: 'The disk is full.', EACCES: `This user may not write in ${root}.`, EROFS: `${root} is read-only.` }[error.code];
  say(known ?? error.stack);
  process.exitCode = 1;
});
