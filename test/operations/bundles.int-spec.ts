import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isBundleCurrent } from '@rampart/service-kit/start';
import { repository } from './metric-catalogue.js';

/** With no setting at all: each service says what it lacks, after all of its modules were loaded. */
const refusalOf = (program: string) => {
  const { status, stderr } = spawnSync(process.execPath, [program], { env: { PATH: process.env.PATH }, encoding: 'utf8' });
  return { status, stderr };
};

describe.each(['analysis', 'assignment', 'experiments', 'ingestion'])('the bundle of %s', (service) => {
  const dist = join(repository, 'apps', service, 'dist');

  it('is what starts, and says what its modules say', () => {
    expect(isBundleCurrent(dist)).toBe(true);
    const refusal = refusalOf(join(dist, 'bundle', 'serve.js'));
    expect(refusal).toEqual({ status: 1, stderr: expect.stringContaining(`${service}: The configuration has`) });
    expect(refusalOf(join(dist, 'serve.js'))).toEqual(refusal);
    expect(refusalOf(join(dist, 'main.js'))).toEqual(refusal);
  }, 60_000);
});
