import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

interface Tools {
  readonly missingTools: (ran: readonly string[], isThere?: (asked: readonly string[]) => boolean) => readonly string[];
}
const tools = new URL('../../../infra/setup/packaging-tools.mjs', import.meta.url).href;
const { missingTools }: Tools = await import(tools);

const spec = (name: string) => `/checkout/test/dist/operations/${name}.spec.js`;
const both = [spec('packaging'), spec('observability')];

describe('a machine that lacks tools', () => {
  it('is told each of them, and what was checked by our own rules alone', () => {
    const missing = missingTools(both, () => false);
    expect(missing.map((one) => /^no ([a-z -]+): .+ checked only by our own rules$/.exec(one)?.[1])).toEqual([
      ...['hadolint', 'docker compose', 'helm', 'kubernetes-validate', 'promtool'],
    ]);
    expect(missingTools(both, ([name]) => name !== 'helm')).toEqual([
      'no helm: templates and values of the Helm chart checked only by our own rules',
    ]);
  });

  it('is told nothing of tools that no spec of the run would have asked', () => {
    expect(missingTools([spec('observability')], () => false)).toHaveLength(1);
    expect(missingTools([spec('proxy-rules'), '/checkout/libs/dist/packaging.spec.js'], () => false)).toEqual([]);
  });
});

/** What is missing where just these commands are found. @param commands  exit code of each */
const missingWith = (commands: Readonly<Record<string, number>>): readonly string[] => {
  const folder = mkdtempSync(join(tmpdir(), 'rampart-tools-'));
  try {
    for (const [name, code] of Object.entries(commands)) writeFileSync(join(folder, name), `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
    const program = `import { missingTools } from ${JSON.stringify(tools)}; console.log(JSON.stringify(missingTools(${JSON.stringify(both)})));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', env: { PATH: folder } });
    return (JSON.parse(stdout) as readonly string[]).map((one) => one.split(':')[0] ?? '');
  } finally {
    rmSync(folder, { recursive: true });
  }
};

describe('a tool', () => {
  const all = { hadolint: 0, docker: 0, helm: 0, 'kubernetes-validate': 0, promtool: 0 };

  it('is there where its command answers', () => {
    expect(missingWith(all)).toEqual([]);
  });

  it('is missing where there is no such command, or the command has no such plug-in', () => {
    expect(missingWith({ ...all, docker: 1 })).toEqual(['no docker compose']);
    expect(missingWith({ docker: 0, helm: 0 })).toEqual(['no hadolint', 'no kubernetes-validate', 'no promtool']);
  });
});
