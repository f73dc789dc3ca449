import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Judge {
  judged(answer: { code: number | null; output: string }): { exitCode: number; lines: readonly string[] };
}

const { judged }: Judge = await import(new URL('../../../infra/setup/dependency-check.mjs', import.meta.url).href);
const advisory = (severity: string) => ({ severity, module_name: 'left', title: 'falls over', url: 'https://example.org/1' });
const report = (...severities: string[]) => ({
  code: severities.length > 0 ? 1 : 0,
  output: JSON.stringify({ advisories: Object.fromEntries(severities.map((severity, id) => [id, advisory(severity)])), metadata: {} }),
});

describe('the check of dependencies', () => {
  it('holds when nothing grave is known', () => {
    expect(judged(report())).toMatchObject({ exitCode: 0 });
    expect(judged(report('low', 'moderate')).lines).toEqual(['0 high or critical, 2 lesser weaknesses are known in what runs.']);
  });

  it.each(['high', 'critical'])('fails on what is called %s, and names it', (severity) => {
    const { exitCode, lines } = judged(report('low', severity));
    expect([exitCode, lines[0]]).toEqual([1, `${severity}: left: falls over (https://example.org/1)`]);
  });

  it.each([
    ['a registry without such a list', 1, 'Error: The audit endpoint responded with 405:'],
    ['no network', 1, 'ERR_PNPM_META_FETCH_FAIL getaddrinfo ENOTFOUND'],
    ['an error in JSON', 1, '{"error":{"code":"ERR_PNPM_AUDIT_BAD_RESPONSE","message":"responded with 503"}}'],
    ['nothing at all', null, ''],
  ])('does not fail on %s, and says that nothing was checked', (_, code, output) => {
    const { exitCode, lines } = judged({ code, output });
    expect(exitCode).toBe(0);
    expect(lines[0]).toMatch(/NOT checked/);
  });
});

/** `npm test` with a package manager that gives this answer. */
const testedWith = ({ code, output }: { code: number; output: string }) => {
  const folder = mkdtempSync(join(tmpdir(), 'rampart-npx-'));
  try {
    writeFileSync(join(folder, 'answer'), output);
    writeFileSync(join(folder, 'npx'), `#!/bin/sh\ncat '${join(folder, 'answer')}'\nexit ${code}\n`);
    chmodSync(join(folder, 'npx'), 0o755);
    const run = resolve(import.meta.dirname, '..', '..', 'run.mjs');
    const env = { ...process.env, CI: 'true', PATH: `${folder}:${process.env.PATH}` };
    const { status, stdout } = spawnSync(process.execPath, [run, 'dependencies'], { encoding: 'utf8', env });
    return { status, stdout };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

describe('npm test', () => {
  it('checks the dependencies as a part of its own', () => {
    const run = resolve(import.meta.dirname, '..', '..', 'run.mjs');
    // All is every tier that there is.
    expect(spawnSync(process.execPath, [run, 'nothing'], { encoding: 'utf8' }).stderr).toMatch(/Which tests\? all \|.* dependencies/);
  }, 30_000);

  it('fails on a grave weakness, and names it', () => {
    const { status, stdout } = testedWith(report('low', 'critical'));
    expect([status, stdout]).toEqual([1, expect.stringMatching(/Failed:\n {2}dependencies: critical: left: falls over/)]);
    expect(stdout).toContain('Dependencies: 1 high or critical, 1 lesser');
  }, 30_000);

  it('says what was found where nothing grave was', () => {
    const { status, stdout } = testedWith(report('low'));
    expect([status, stdout]).toEqual([0, expect.stringContaining('Dependencies: 0 high or critical, 1 lesser')]);
  }, 30_000);

  it('says loudly that nothing was checked without a network, and does not fail for it, in CI neither', () => {
    const { status, stdout } = testedWith({ code: 1, output: 'ERR_PNPM_META_FETCH_FAIL getaddrinfo ENOTFOUND' });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/!! Dependencies were NOT checked: .*no answer/)]);
    expect(stdout).not.toContain('Nothing was left out');
  }, 30_000);
});
