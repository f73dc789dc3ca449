import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Results } from '@rampart/contracts';
import { freePort } from '@rampart/test-engines';
import {
  checkoutButton,
  enlarged,
  type Imported,
  importFile,
  rampart,
  removeScratch,
  scratchFile,
  shuffled,
  startImport,
} from './importer.js';

import { eventually, type Platform, startPlatform, temporaryData } from './platform.js';

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
}, 120_000);

afterAll(async () => {
  await platform?.stop();
  platform?.remove();
  removeScratch();
});

const evidence = ({ evidenceDigest, sufficientStatistics, population }: Results) => ({
  evidenceDigest,
  sufficientStatistics,
  rows: population.rows,
  stored: population.duplicates.stored,
});

describe('the simulated set', () => {
  const { plan, data, expected } = checkoutButton;
  let first: Imported;

  beforeAll(async () => {
    first = await importFile(platform, { plan, data, expect: expected });
  }, 60_000);

  it('gives the verdict and every figure of its reference answers', () => {
    expect(first.stdout).toMatch(/Verdict: GO with new .*\d/);
    expect(first.stdout).toMatch(/Reference answers: [1-9]\d+ figures compared/);
    expect(first.results).toMatchObject({ status: 'complete', population: { units: 8000, counted: 8000 } });
  });

  it('counts once when it comes again, in another order, and says how often it came', async () => {
    const again = await importFile(platform, { plan, data: shuffled(data) });
    expect(evidence(again.results)).toEqual(evidence(first.results));
    const { accepted, stored, duplicates } = again.results.population.duplicates;
    // The one event more is the completion, which is no row of a unit in either count.
    expect([accepted, duplicates]).toEqual([2 * stored, stored]);
  }, 60_000);

  it('has the same sums in another project and in another order', async () => {
    const other = await importFile(platform, { plan, data: shuffled(data), project: 'elsewhere' });
    expect(other.results.sufficientStatistics).toEqual(first.results.sufficientStatistics);
    expect(other.results.population.duplicates).toMatchObject({ duplicates: 0 });
  }, 60_000);

  it('without the events that the platform rejects, each told with line and column, and exit code 1', async () => {
    const [header, one, two, ...others] = readFileSync(data, 'utf8').split('\n');
    const rows = [one?.replace(/^\w+/, 'u'.repeat(501)), two?.replace('2024', '2099'), ...others];
    const file = scratchFile('rejected.csv', [header, ...rows].join('\n'));
    const { code, stderr, stdout } = await startImport(platform, { plan, data: file, project: 'rejected' }).ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining('events were rejected by the platform')]);
    expect(stderr).toMatch(/rejected\.csv:2: column "button": too-long/);
    expect(stderr).toMatch(/rejected\.csv:3: column "button": in-the-future/);
    expect(stdout).toContain('Population: 7,998 units, 7,998 counted');
  }, 60_000);

  it('is refused under the same key with another definition', async () => {
    const arms = { column: 'button', cells: [{ variant: 'old' }, { variant: 'new' }, { variant: 'newest' }] };
    const changed = scratchFile('plan.json', JSON.stringify({ ...JSON.parse(readFileSync(plan, 'utf8')), arms }));
    const { code, stderr } = await startImport(platform, { plan: changed, data }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/imported before with another definition.*"key"/s);
  }, 60_000);
});

describe('an import that is disturbed', () => {
  const { plan } = checkoutButton;
  let data: string;
  let calm: ReturnType<typeof evidence>;

  beforeAll(async () => {
    data = enlarged(checkoutButton.data, 6);
    calm = evidence((await importFile(platform, { plan, data, project: 'calm' })).results);
  }, 120_000);

  const eventsOf = async (project: string): Promise<number> => {
    const answer = await platform.call('GET', `/v1/experiments/checkout_button/results?project=${project}&environment=checkout_button`);
    return answer.status === 200 ? answer.body.population.units : 0;
  };
  const isUnderWay = (project: string) =>
    eventually('some units have arrived', async () => ((await eventsOf(project)) > 0 ? true : undefined), 60_000);

  it('by kill -9 of the importer goes on where it is started again', async () => {
    const killed = startImport(platform, { plan, data, project: 'killed' });
    await isUnderWay('killed');
    killed.child.kill('SIGKILL');
    expect((await killed.ended).signal).toBe('SIGKILL');
    expect(await eventsOf('killed')).toBeLessThan(48_000);
    expect(evidence((await importFile(platform, { plan, data, project: 'killed' })).results)).toEqual(calm);
  }, 120_000);

  it('by Ctrl-C says how to go on', async () => {
    const stopped = startImport(platform, { plan, data, project: 'stopped' });
    await isUnderWay('stopped');
    stopped.child.kill('SIGINT');
    const { code, stderr } = await stopped.ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/Interrupted after [\d,]+ rows\. Run the same command again/);
  }, 120_000);

  it('by kill -9 of every service in turn ends with the same sums', async () => {
    const running = startImport(platform, { plan, data, project: 'shaken' });
    await isUnderWay('shaken');
    for (const name of ['ingestion', 'analysis', 'experiments']) {
      process.kill(platform.processes()[name] ?? -1, 'SIGKILL');
      await sleep(300);
    }
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    expect(evidence((await importFile(platform, { plan, data, project: 'shaken' })).results)).toEqual(calm);
  }, 180_000);
});

describe('the other commands', () => {
  const run = (...args: readonly string[]) => rampart(args, { RAMPART_DATA: platform.data }).ended;

  it('keys are made, listed and revoked', async () => {
    const made = await run('keys', 'create', '--project', 'imports', '--name', 'reader', '--role', 'analyst');
    const [key, id] = [/^rk_\S+/.exec(made.stdout)?.[0] ?? '', /\(id (\S+),/.exec(made.stdout)?.[1] ?? ''];
    const read = () => platform.call('GET', '/v1/metrics', undefined, { key });
    await eventually('the key works', async () => ((await read()).status === 200 ? true : undefined));
    expect((await run('keys', 'list', '--project', 'imports')).stdout).toMatch(new RegExp(`${id}\\s+reader\\s+analyst`));
    expect(await run('keys', 'revoke', id, '--project', 'imports')).toMatchObject({ code: 0 });
    await eventually('the key is refused', async () => ((await read()).status === 401 ? true : undefined));
  }, 60_000);

  it('a rebuilt store has the same sums', async () => {
    const path = '/v1/experiments/checkout_button/results?project=imports&environment=checkout_button';
    const before = evidence((await platform.call('GET', path)).body);
    expect(await run('rebuild', 'store')).toMatchObject({ code: 0 });
    const after = await eventually(
      'the log is read again',
      async () => {
        const { status, body } = await platform.call('GET', path);
        return status === 200 && body.status === 'complete' && body.population.duplicates.stored === before.stored
          ? evidence(body)
          : undefined;
      },
      120_000,
    );
    expect(after).toEqual(before);
    expect(await run('rebuild', 'read-models')).toMatchObject({ code: 0 });
  }, 180_000);

  it('the admin key is shown, and replaced without a restart', async () => {
    expect((await run('keys', 'admin')).stdout).toContain(platform.adminKey);
    const fresh = /^rk_\S+/.exec((await run('keys', 'rotate-admin')).stdout)?.[0] ?? '';
    expect(fresh).not.toBe(platform.adminKey);
    const status = async (key: string) => (await platform.call('GET', '/v1/projects', undefined, { key })).status;
    await eventually('the new key works', async () => ((await status(fresh)) === 200 ? true : undefined));
    expect(await status(platform.adminKey)).toBe(401);
    expect(await run('import', '--plan', checkoutButton.plan, '--data', checkoutButton.data)).toMatchObject({ code: 0 });
  }, 180_000);
});

describe('without a platform', () => {
  it('starts one for the import, and leaves nothing behind', async () => {
    const data = temporaryData();
    try {
      const env = { RAMPART_DATA: data, RAMPART_PORT: String(await freePort()) };
      const { plan, data: file, expected } = checkoutButton;
      const { code, stdout, stderr } = await rampart(['import', '--plan', plan, '--data', file, '--expect', expected], env).ended;
      expect([code, stderr]).toEqual([0, expect.stringContaining('starting one')]);
      expect(stdout).toContain('Verdict: GO');
      expect(existsSync(join(data, 'run.json'))).toBe(false);
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  }, 180_000);
});
