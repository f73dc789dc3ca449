import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { LogFile } from './log-file.js';
import { deathsInARow, restartDelayMs, Supervised } from './supervisor.js';

describe('the pause before a restart', () => {
  it('doubles from 0.2 s with every death in a row', () => {
    expect([1, 2, 3, 4].map(restartDelayMs)).toEqual([200, 400, 800, 1600]);
  });

  it('never exceeds 5 s', () => {
    expect(restartDelayMs(40)).toBe(5_000);
  });

  it('starts over after a life of 30 s', () => {
    expect(deathsInARow(7, 29_999)).toBe(8);
    expect(deathsInARow(7, 30_000)).toBe(1);
  });
});

describe('a child', () => {
  it('whose lines somebody fails to note runs on, and its log says why', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rampart-supervisor-'));
    const log = new LogFile(join(folder, 'child.log'));
    const supervised = new Supervised({
      ...{ name: 'child', log, probe: async () => log.tail(1).includes('no room') },
      prepare: async () => ({
        command: process.execPath,
        args: ['-e', 'console.log("hello"); setInterval(() => 0, 1e3)'],
        env: process.env,
      }),
      onLine: () => {
        throw new Error('no room');
      },
    });
    try {
      supervised.start();
      await supervised.whenReady(10_000);
      expect(readFileSync(log.path, 'utf8')).toBe('hello\nlauncher: no room\n');
      expect(supervised.restarts).toBe(0);
    } finally {
      await supervised.stop(1_000);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
