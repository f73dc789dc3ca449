/** `npm run test:planted [-- WORD]`: plants known mistakes one after another; each must make a test fail that says what is wrong. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bugs } from './bugs.mjs';

const root = resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'rampart-planted-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const wanted = bugs.filter(({ name }) => process.argv.slice(2).every((word) => name.includes(word)));
if (wanted.length === 0) {
  console.error(`There is no such bug. There are:\n  ${bugs.map(({ name }) => name).join('\n  ')}`);
  process.exit(2);
}

/** @returns the titles of the tests that failed, or what kept the run from meaning anything */
const failuresWith = (bug, report) => {
  const options = ['--config', join(import.meta.dirname, 'jest.config.mjs'), '--runInBand', '--json', `--outputFile=${report}`];
  const ran = spawnSync(process.execPath, [join(root, 'node_modules/jest/bin/jest.js'), ...options, '--testPathPatterns', bug.suite], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '--experimental-vm-modules --no-warnings', RAMPART_PLANTED_BUG: bug.name },
  });
  if (!existsSync(report)) return { gap: `Jest ended without a report: ${ran.stderr.slice(-500)}` };
  const { numTotalTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  if (numTotalTests === 0) return { gap: 'no test ran: a suite could not be loaded, or there is none' };
  return {
    titles: testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName),
    ),
  };
};

const outcomeOf = (bug, at) => {
  if (readFileSync(join(root, bug.file), 'utf8').split(bug.text).length !== 2)
    return { caught: false, said: `"${bug.text}" is not in ${bug.file} once: look for where it went` };
  const { gap, titles = [] } = failuresWith(bug, join(scratch, `${at}.json`));
  if (gap !== undefined) return { caught: false, said: gap };
  const named = titles.find((title) => title.includes(bug.fails));
  if (named !== undefined) return { caught: true, said: `${titles.length} failed, "${named}" among them` };
  return { caught: false, said: `no test with "${bug.fails}" in its name failed; failed: ${titles.join('; ') || 'none'}` };
};

let missed = 0;
for (const [at, bug] of wanted.entries()) {
  const startedAt = Date.now();
  const { caught, said } = outcomeOf(bug, at);
  if (!caught) missed += 1;
  console.log(`${caught ? 'caught' : 'MISSED'}  ${bug.name}  (${((Date.now() - startedAt) / 1000).toFixed(1)} s)\n        ${said}`);
}
console.log(`${wanted.length - missed} of ${wanted.length} planted bugs were caught`);
process.exitCode = missed === 0 ? 0 : 1;
