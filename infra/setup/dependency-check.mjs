#!/usr/bin/env node
/**
 * npm run check:dependencies, and a part of npm test: asks the registry for known weaknesses of what is installed for running, and fails on those called high or critical.
 * A registry that does not answer proves nothing: that is said, and is no failure, since tests must pass without a network, too.
 */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = resolve(import.meta.dirname, '..', '..');
const packageManager = 'pnpm@12.21.0';
const longestMs = 120_000;
const grave = new Set(['high', 'critical']);

/**
 * @param {{ code: number | null, output: string }} answer  of `pnpm audit --json`
 * @returns {{ exitCode: 0 | 1, isChecked: boolean, lines: readonly string[] }}  lines: one for each grave weakness, and one that sums up
 */
export const judged = ({ code, output }) => {
  const report = reportIn(output);
  if (report === undefined) {
    const why = /respond\w* with (\d+)/.exec(output)?.[1];
    const reason = why === undefined ? `no answer (exit ${code})` : `it answered ${why}`;
    return {
      exitCode: 0,
      isChecked: false,
      lines: [`Dependencies were NOT checked: the registry has no list of weaknesses for us, ${reason}.`],
    };
  }
  const found = Object.values(report.advisories ?? {});
  const bad = found.filter(({ severity }) => grave.has(severity));
  const lines = bad.map(({ severity, module_name: name, title, url }) => `${severity}: ${name}: ${title} (${url})`);
  const sum = `${bad.length} high or critical, ${found.length - bad.length} lesser weaknesses are known in what runs.`;
  return { exitCode: bad.length > 0 ? 1 : 0, isChecked: true, lines: [...lines, sum] };
};

/** @returns undefined for what is no report: an error, or nothing */
const reportIn = (output) => {
  try {
    const report = JSON.parse(output.slice(output.indexOf('{')));
    return typeof report.advisories === 'object' || typeof report.metadata?.vulnerabilities === 'object' ? report : undefined;
  } catch {
    return undefined;
  }
};

/** @returns as `judged`, of what the registry says now; within two minutes */
export const checkedDependencies = async () => judged(await asked());

const asked = () =>
  new Promise((done) => {
    const child = spawn('npx', ['--yes', packageManager, 'audit', '--prod', '--json'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (part) => {
        output += part;
      });
    }
    const limit = setTimeout(() => child.kill('SIGKILL'), longestMs);
    const end = (code) => {
      clearTimeout(limit);
      done({ code, output });
    };
    child.on('error', () => end(null));
    child.on('close', end);
  });

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { exitCode, lines } = await checkedDependencies();
  for (const line of lines) console.log(line);
  process.exitCode = exitCode;
}
