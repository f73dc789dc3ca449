import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { BUNDLE, isBundleCurrent } from '@rampart/service-kit/start';
import { repository } from './metric-catalogue.js';

const node = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env: { PATH: process.env.PATH }, encoding: 'utf8' });
  return { status, stdout, stderr };
};
const evaluated = (program: string) => node('--input-type=module', '-e', program);

/** With no setting at all: each service says what it lacks, after all of its modules were loaded. */
const refusalOf = (program: string) =>
  evaluated(`const { serve } = await import(${JSON.stringify(pathToFileURL(program))}); await serve();`);

const start = pathToFileURL(join(repository, 'libs', 'service-kit', 'dist', 'running', 'start.js'));
const startedFrom = (bundle: string, meanwhile = '') =>
  evaluated(`${meanwhile}
const { loadBundle } = await import(${JSON.stringify(start)});
const { script, program } = loadBundle(${JSON.stringify(bundle)});
process.stdout.write(String(script.cachedDataRejected));
await program.serve();`);

describe.each(['analysis', 'assignment', 'experiments', 'ingestion'])('the bundle of %s', (service) => {
  const dist = join(repository, 'apps', service, 'dist');
  const bundle = join(dist, 'bundle', BUNDLE);
  // Beside the bundle, from where it finds its packages.
  let copies: string | undefined;
  afterAll(() => {
    if (copies !== undefined) rmSync(copies, { recursive: true, force: true });
  });

  it('is what starts, as it was compiled ahead, and says what its modules say', () => {
    expect(isBundleCurrent(dist)).toBe(true);
    const refusal = { status: 1, stdout: '', stderr: expect.stringContaining(`${service}: The configuration has`) };
    expect(node(join(dist, 'main.js'))).toEqual(refusal);
    expect(refusalOf(join(dist, 'serve.js'))).toEqual(refusal);
    expect(startedFrom(bundle)).toEqual({ ...refusal, stdout: 'false' });
  }, 60_000);

  it('names its places in stack traces by itself, not by the folder in which it was compiled ahead', () => {
    const { stdout } = startedFrom(bundle, 'process.stderr.write = () => process.stdout.write(new Error("here").stack);');
    const places = stdout.match(/\(\S*serve\.cjs/g) ?? [];
    expect(new Set(places)).toEqual(new Set([`(${service}/serve.cjs`]));
  }, 60_000);

  it('starts as well where nothing was compiled ahead, or by another engine', () => {
    copies = mkdtempSync(join(dist, '..', 'bundle-copy-'));
    mkdirSync(join(copies, 'bundle'));
    const copy = join(copies, 'bundle', BUNDLE);
    copyFileSync(bundle, copy);
    const refusal = { status: 1, stderr: expect.stringContaining(`${service}: The configuration has`) };
    expect(startedFrom(copy)).toEqual({ ...refusal, stdout: 'undefined' });
    writeFileSync(`${copy}.compiled`, 'of another engine');
    expect(startedFrom(copy)).toEqual({ ...refusal, stdout: 'true' });
  }, 60_000);
});
