/**
 * Runs the tests on another Node: `npm run test:node -- 24 [what test/run.mjs takes, e.g. pure]`, all of them unless told. The npm package `node` brings it,
 * nothing is installed beside. What is built is the same: only what executes it, tests, services and engines alike, differs.
 */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const [version, ...asRun] = process.argv.slice(2);
if (version === undefined || !/^\d+(\.\d+){0,2}$/.test(version)) {
  console.error('Which Node? npm run test:node -- 24');
  process.exit(2);
}

/** Runs `node …` of that version, found by npx in its own cache or fetched. */
const onNode = (args, options) =>
  spawnSync('npx', ['--yes', '--package', `node@${version}`, '--', 'node', ...args], { cwd: root, encoding: 'utf8', ...options });

const asked = onNode(['-p', 'process.version'], { stdio: ['ignore', 'pipe', 'inherit'] });
const found = asked.stdout?.trim().split('\n').at(-1) ?? '';
// Else the tests would pass on the Node that is here, and say nothing about the other one.
if (asked.status !== 0 || !found.startsWith(`v${version}`)) {
  console.error(`npm brought no Node ${version}: ${asked.error?.message ?? `got "${found}"`}`);
  process.exit(1);
}
console.error(`On Node ${found}`);
const ran = onNode([join(root, 'test/run.mjs'), ...asRun], { stdio: 'inherit' });
console.log(`${ran.status === 0 ? 'Passed' : 'Failed'} on Node ${found}`);
process.exitCode = ran.status ?? 1;
