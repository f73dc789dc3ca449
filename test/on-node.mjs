/**
 * Runs the tests on another Node: `npm run test:node -- 24 [what test/run.mjs takes, e.g. pure]`, all of them unless told. The npm package `node` brings it,
 * nothing is installed beside. What is built is the same: only what executes it, tests, services and engines alike, differs.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const [version, ...asRun] = process.argv.slice(2);
if (version === undefined || !/^\d+(\.\d+){0,2}$/.test(version)) {
  console.error('Which Node? npm run test:node -- 24');
  process.exit(2);
}

/** Found by npx in its own cache, or fetched. */
const asked = spawnSync('npx', ['--yes', '--package', `node@${version}`, '--', 'node', '-p', 'process.version + " " + process.execPath'], {
  cwd: root,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [found = '', program = ''] = asked.stdout?.trim().split('\n').at(-1)?.split(' ') ?? [];
// Else the tests would pass on the Node that is here, and say nothing about the other one.
if (asked.status !== 0 || !found.startsWith(`v${version}`) || program === '') {
  console.error(`npm brought no Node ${version}: ${asked.error?.message ?? `got "${found}"`}`);
  process.exit(1);
}
console.error(`On Node ${found}`);
// By itself, not under npx, which would tell every npx that a test runs to look there; first in the path, for what is started by name.
const ran = spawnSync(program, [join(root, 'test/run.mjs'), ...asRun], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(program)}${delimiter}${process.env.PATH ?? ''}` },
});
console.log(`${ran.status === 0 ? 'Passed' : 'Failed'} on Node ${found}`);
process.exitCode = ran.status ?? 1;
