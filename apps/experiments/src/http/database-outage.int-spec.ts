import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type OwnPostgres, ownPostgres } from '@rampart/test-engines';
import { aMetric, type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';

let server: OwnPostgres;
let plane: ControlPlane;

beforeAll(async () => {
  server = await ownPostgres();
  plane = await controlPlane(server.url);
}, 90_000);

afterAll(async () => {
  await plane?.close();
  await server?.remove();
});

const reads = ['/v1/projects', '/v1/projects/default', '/v1/metrics?project=default', '/v1/metrics/m?project=default', '/v1/keys'];

describe('the control plane without its database', () => {
  it('says that it is not available, at every door, and comes back by itself', async () => {
    const statuses = new Set<number>();
    let isDone = false;
    let sent = 0;
    const writing = (async () => {
      while (!isDone)
        statuses.add(
          (await plane.call('PUT', '/v1/metrics/m?project=default', { body: aMetric({ key: 'm', name: `m${sent++}` }) })).status,
        );
    })();
    await eventually('something is written', async () => (sent > 20 ? true : undefined));
    await server.stop('kill');
    for (let round = 0; round < 5; round++)
      for (const path of reads) {
        const { status, body } = await plane.call('GET', path);
        expect([path, status, body.code]).toEqual([path, 503, 'unavailable']);
      }
    expect(await plane.call('GET', '/v1/projects', { key: 'rk_unknown' })).toMatchObject({ status: 503 });
    await server.start();
    await eventually('it answers', async () => ((await plane.call('GET', '/v1/projects')).status === 200 ? true : undefined), 20_000);
    isDone = true;
    await writing;
    expect([...statuses].filter((status) => ![200, 201, 503].includes(status))).toEqual([]);
  }, 90_000);
});
