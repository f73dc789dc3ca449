import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AdminKey } from './admin-key.js';
import { hashOfKey } from './api-keys.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rampart-admin-key-'));
  file = join(folder, 'admin-key');
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (key: string) => writeFileSync(file, `${key}\n`);

describe('the admin key', () => {
  it('in a file is read again when a key is presented, at most once a second', () => {
    let nowMs = 0;
    write('first');
    const admin = new AdminKey({ file }, () => nowMs);
    expect(admin.matches(hashOfKey('first'))).toBe(true);
    write('second');
    expect(admin.matches(hashOfKey('second'))).toBe(false);
    nowMs = 1_000;
    expect(admin.matches(hashOfKey('second'))).toBe(true);
    expect(admin.matches(hashOfKey('first'))).toBe(false);
  });

  it('that was replaced stops to work within a second, though nobody has used the new one yet', () => {
    let nowMs = 0;
    write('stolen');
    const admin = new AdminKey({ file }, () => nowMs);
    write('new');
    expect(admin.matches(hashOfKey('stolen'))).toBe(true);
    nowMs = 1_000;
    expect(admin.matches(hashOfKey('stolen'))).toBe(false);
  });

  it('stops to work with its file, and matches nothing when it is empty', () => {
    let nowMs = 0;
    write('first');
    const admin = new AdminKey({ file }, () => nowMs);
    rmSync(file);
    nowMs = 1_000;
    expect(admin.matches(hashOfKey('other'))).toBe(false);
    expect(admin.matches(hashOfKey('first'))).toBe(false);
    write('');
    nowMs = 2_000;
    expect(admin.matches(hashOfKey(''))).toBe(false);
  });

  it('from the environment wins over the file', () => {
    write('in the file');
    const admin = new AdminKey({ key: 'from the environment', file }, () => 1e9);
    expect(admin.matches(hashOfKey('from the environment'))).toBe(true);
    expect(admin.matches(hashOfKey('in the file'))).toBe(false);
  });
});
