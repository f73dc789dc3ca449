import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { serviceNames } from '../configuration/reference.js';
import { repository } from './metric-catalogue.js';

const dockerfile = readFileSync(join(repository, 'infra', 'Dockerfile'), 'utf8');
const image = mkdtempSync(join(tmpdir(), 'rampart-image-'));
afterAll(() => rmSync(image, { recursive: true }));

const node = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: image, env: { PATH: process.env.PATH }, encoding: 'utf8' });
  return { status, stdout, stderr };
};

/** Of each place in the image that has packages. */
const rooms = ['apps', 'libs'].flatMap((top) => readdirSync(join(repository, top)).map((name) => join(top, name)));

/** Links as pnpm makes them lead to packages of the image, as long as they are relative; what is not ours lies once, at the root. */
const install = (): void => {
  symlinkSync(join(repository, 'node_modules'), join(image, 'node_modules'));
  for (const room of rooms) {
    const packages = join(repository, room, 'node_modules');
    if (existsSync(packages)) cpSync(packages, join(image, room, 'node_modules'), { recursive: true, verbatimSymlinks: true });
  }
};

beforeAll(() => {
  // What the Dockerfile does, by its own words.
  const copied = [...dockerfile.matchAll(/ node infra\/setup\/copy-manifests\.mjs \/from \/rampart( --built)?/g)].map(([, mode = '']) =>
    node(join(repository, 'infra', 'setup', 'copy-manifests.mjs'), repository, image, ...mode.split(' ').filter((word) => word !== '')),
  );
  expect(copied).toEqual([...Array(2)].map(() => ({ status: 0, stdout: '', stderr: '' })));
  cpSync(join(repository, 'infra', 'start-service.mjs'), join(image, 'infra', 'start-service.mjs'));
  install();
}, 60_000);

const everyFile = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    return entry.isDirectory() ? everyFile(join(folder, entry.name)) : [join(folder, entry.name)];
  });

describe('what goes into the image', () => {
  it('has no compiler’s notes, types, maps, specs or sources', () => {
    const files = [...everyFile(join(image, 'apps')), ...everyFile(join(image, 'libs'))];
    expect(files.length).toBeGreaterThan(500);
    expect(files.filter((file) => /\.tsbuildinfo$|\.ts$|\.map$|[.-]spec\.js$|\/src\//.test(file))).toEqual([]);
  });
});

describe.each(serviceNames)('%s in the image', (service) => {
  const dist = join(image, 'apps', service, 'dist');

  it('has its bundle, as it was compiled ahead', () => {
    expect(readdirSync(join(dist, 'bundle')).sort()).toEqual(['note.json', 'serve.cjs', 'serve.cjs.compiled']);
  });

  it('starts from it, and says what it lacks', () => {
    // Without this file there is nothing else that it could start from.
    rmSync(join(dist, 'serve.js'));
    const refusal = { status: 1, stdout: '', stderr: expect.stringContaining(`${service}: The configuration has`) };
    expect(node(join('infra', 'start-service.mjs'), service)).toEqual(refusal);
  }, 60_000);
});
