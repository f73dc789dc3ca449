import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { freePort } from '@rampart/test-engines';
import { completed, defineExperiment, finalResults, history } from './experiment.js';
import { eventually, isAlive, killPart, type Platform, processIds, repository, startPlatform, temporaryData } from './platform.js';

const launcher = join(repository, 'apps', 'launcher', 'dist', 'main.js');
const launch = (env: Record<string, string>) =>
  spawnSync(process.execPath, [launcher], { encoding: 'utf8', timeout: 30_000, env: { ...process.env, NODE_OPTIONS: '', ...env } });

/** Every process that has this data folder in its command line or environment. */
const processesOf = (data: string): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return (
          isAlive(pid) &&
          (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(data) || readFileSync(`/proc/${pid}/environ`, 'utf8').includes(data))
        );
      } catch {
        return false;
      }
    });

const nothingLeft = (data: string, ids: readonly number[]) =>
  eventually(
    'no process is left',
    async () => (processesOf(data).length === 0 && ids.every((id) => !isAlive(id)) ? true : undefined),
    10_000,
  );

describe('starting and stopping', () => {
  const running: Platform[] = [];
  afterEach(async () => {
    for (const platform of running.splice(0)) {
      await platform.stop('SIGKILL');
      platform.remove();
    }
  });

  it('goes on with its data after Ctrl-C and after kill -9, and leaves no process', async () => {
    const data = temporaryData();
    const port = await freePort();
    const first = await startPlatform({ data, port });
    running.push(first);
    const setting = await defineExperiment(first, 'past', 'historical');
    await first.call('POST', '/v1/events', [...history(300), completed], { key: setting.key });
    const before = await finalResults(first, setting);
    // What ends by itself is started again, and the terminal says so.
    await killPart(first, 'assignment');
    await eventually('it is ready again', async () => (first.output().includes('assignment: ready again') ? true : undefined));
    expect(first.output()).toMatch(/assignment ended by itself \(SIGKILL\) and is started again; its log: \S*assignment.log/);
    const ids = Object.values(processIds(data));
    expect(ids.length).toBeGreaterThanOrEqual(5);
    await first.stop('SIGINT');
    await nothingLeft(data, ids);

    const second = await startPlatform({ data, port });
    running.push(second);
    expect((await finalResults(second, setting)).evidenceDigest).toBe(before.evidenceDigest);
    const secondIds = Object.values(processIds(data));
    await second.stop('SIGKILL');
    await nothingLeft(data, secondIds);

    const third = await startPlatform({ data, port });
    running.push(third);
    expect((await finalResults(third, setting)).evidenceDigest).toBe(before.evidenceDigest);
    await third.stop('SIGINT');
  }, 180_000);

  it('says in one sentence that it already runs, that a port is busy, that a folder is not writable', async () => {
    const platform = await startPlatform();
    running.push(platform);
    const again = launch({ RAMPART_DATA: platform.data, RAMPART_PORT: String(await freePort()) });
    expect(again.status).toBe(1);
    expect(again.stderr + again.stdout).toContain(`already running at ${platform.address}`);

    const busy = createServer();
    const port = await freePort();
    await new Promise<void>((listening) => busy.listen(port, '127.0.0.1', listening));
    const refused = launch({ RAMPART_DATA: temporaryData(), RAMPART_PORT: String(port) });
    busy.close();
    expect(refused.status).toBe(1);
    expect(refused.stderr + refused.stdout).toMatch(new RegExp(`${port}.*RAMPART_PORT|RAMPART_PORT.*${port}`));

    const nowhere = launch({ RAMPART_DATA: '/proc/rampart', RAMPART_PORT: String(await freePort()) });
    expect(nowhere.status).toBe(1);
    expect(nowhere.stderr + nowhere.stdout).toMatch(/\/proc\/rampart.*RAMPART_DATA|RAMPART_DATA.*\/proc\/rampart/);
  }, 120_000);
});
