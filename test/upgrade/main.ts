/**
 * `npm run test:upgrade -- COMMIT [--rolling]`: from a platform of that commit, built beside, to the present one: what it has kept is what the present one
 * finds. In place, on one machine; `--rolling`: three brokers, two shards, each service twice, one process after the other, under load. Exit code 1 where
 * anything differs.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { removeScratch } from '../journeys/importer.js';
import { repository } from '../journeys/platform.js';
import { Findings } from './findings.js';
import { upgradedInPlace } from './in-place.js';
import { upgradedRolling } from './rolling.js';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { rolling: { type: 'boolean', default: false } } });
const [commit] = positionals;
const say = (line: string) => process.stderr.write(`${line}\n`);
if (commit === undefined) {
  say('Upgraded from where? npm run test:upgrade -- COMMIT [--rolling]');
  process.exit(2);
}

const checkout = mkdtempSync(join(tmpdir(), 'rampart-earlier-'));
const done = (command: string, ...args: readonly string[]): void => {
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
};
try {
  say(`building ${commit}`);
  done('git', 'clone', '--quiet', repository, checkout);
  done('git', '-C', checkout, 'checkout', '--quiet', commit);
  done('npm', '--prefix', checkout, 'run', 'setup');
  const findings = new Findings(say);
  await (values.rolling ? upgradedRolling : upgradedInPlace)(checkout, findings, say);
  process.exitCode = findings.wrong === 0 ? 0 : 1;
} finally {
  removeScratch();
  rmSync(checkout, { recursive: true, force: true });
}
