import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BUNDLE, isBundleCurrent } from './start.js';

let root: string;
let dist: string;
const compiled = ['apps/shop/dist/.tsbuildinfo', 'libs/domain/dist/.tsbuildinfo', 'pnpm-lock.yaml'];
const markOf = (path: string) => {
  const { size, mtimeMs } = statSync(join(root, path));
  return `${size} ${mtimeMs}`;
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rampart-start-'));
  dist = join(root, 'apps', 'shop', 'dist');
  mkdirSync(join(dist, 'bundle'), { recursive: true });
  mkdirSync(join(root, 'libs', 'domain', 'dist'), { recursive: true });
  for (const path of compiled) writeFileSync(join(root, path), 'as compiled');
  writeFileSync(join(dist, 'bundle', BUNDLE), '');
  const inputs = Object.fromEntries(compiled.map((path) => [path, markOf(path)]));
  writeFileSync(join(dist, 'bundle', 'note.json'), JSON.stringify({ inputs }));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a bundle', () => {
  it('stands for what was compiled when it was made', () => {
    expect(isBundleCurrent(dist)).toBe(true);
  });

  it.each(compiled)('is left alone once %s is another', (path) => {
    utimesSync(join(root, path), 1, 1);
    expect(isBundleCurrent(dist)).toBe(false);
    rmSync(join(root, path));
    // Without its own compiler's notes it is an image's, which nobody compiles again.
    expect(isBundleCurrent(dist)).toBe(path.startsWith('apps/shop'));
  });

  it.each([BUNDLE, 'note.json'])('is none without its %s', (file) => {
    rmSync(join(dist, 'bundle', file));
    expect(isBundleCurrent(dist)).toBe(false);
  });
});
