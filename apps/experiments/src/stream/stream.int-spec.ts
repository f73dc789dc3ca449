import { get, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { comparisonKey, type StreamNotice } from '@rampart/contracts';
import { freshDatabase } from '@rampart/test-engines';
import { aMetric, type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';
import { aLook, logOf, tellLook } from '../evidence/records.examples.js';
import { LiveStream, MOST_WAITING } from './live-stream.js';

const ADMIN = 'an-admin-key-for-specs';
let plane: ControlPlane;
let address: string;
let close: (() => Promise<void>) | undefined;

beforeAll(async () => {
  const database = await freshDatabase();
  plane = await controlPlane(database.url);
  address = await plane.app.getUrl();
  close = async () => {
    await plane.close();
    await database.drop();
  };
}, 30_000);
afterAll(() => close?.(), 30_000);

const watch = async (query = '', key = ADMIN) => {
  const answer = await new Promise<IncomingMessage>((answered, failed) => {
    get(`${address}/v1/stream?project=default${query}`, { headers: { authorization: `Bearer ${key}` } }, answered).on('error', failed);
  });
  watchers.push(answer);
  let text = '';
  let isEnded = false;
  answer.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  answer
    .on('error', () => undefined)
    .on('close', () => {
      isEnded = true;
    });
  const notices = (): readonly StreamNotice[] => [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
  return { answer, notices, text: () => text, isEnded: () => isEnded, leave: () => answer.destroy() };
};

const live = () => plane.app.get(LiveStream, { strict: false });

/** One that failed leaves nobody behind for the others to count. */
const watchers: IncomingMessage[] = [];
afterEach(async () => {
  for (const watcher of watchers.splice(0)) watcher.destroy();
  await eventually('all have left', async () => (live().size === 0 ? true : undefined));
});

describe('the live stream', () => {
  it('tells of changes and looks within a moment, to those who watch the project', async () => {
    const before = await watch();
    await plane.call('POST', '/v1/environments?project=default', { body: { key: 'staging', kind: 'live' } });
    await eventually('the environment is told', async () => before.notices().at(0));
    before.leave();
    const watching = await watch();
    const elsewhere = await watch('&environment=staging');
    expect(watching.answer.headers['content-type']).toMatch('text/event-stream');
    await plane.call('POST', '/v1/metrics?project=default', { body: aMetric() });
    await eventually('the change is told', async () => watching.notices().at(0));
    expect(watching.notices()).toEqual([{ kind: 'changed', resource: 'metric', key: 'converted', revision: 1 }]);
    const look = aLook();
    await tellLook(logOf(plane), comparisonKey(look), look);
    const told = await eventually('the look is told', async () => watching.notices().find(({ kind }) => kind === 'look'));
    expect(told).toMatchObject({ environment: look.environment, experiment: look.experiment, verdict: look.verdict });
    expect(elsewhere.notices().map(({ kind }) => kind)).toEqual(['changed']);
    expect(watching.text()).toMatch(/^retry: 2000\n/);
    watching.leave();
    elsewhere.leave();
  });

  it('is refused for an environment or a project that is not there: nothing would ever come', async () => {
    for (const query of ['?project=default&environment=stagin', '?project=defualt']) {
      const { status, body } = await plane.call('GET', `/v1/stream${query}`);
      expect([query, status, body.code]).toEqual([query, 404, query.includes('stagin') ? 'environment-not-found' : 'project-not-found']);
    }
  });

  it('ends for a key that was revoked', async () => {
    const { body } = await plane.call('POST', '/v1/keys?project=default', { body: { name: 'a page', role: 'analyst' } });
    const watching = await watch('', body.key);
    await plane.call('POST', `/v1/keys/${body.id}/revoke?project=default`);
    await eventually('it ends', async () => (watching.isEnded() ? true : undefined));
  });

  it('tells nothing more to a key that expired', async () => {
    const expiresAt = new Date(Date.now() + 1_500).toISOString();
    const { body } = await plane.call('POST', '/v1/keys?project=default', { body: { name: 'a page', role: 'analyst', expiresAt } });
    const watching = await watch('', body.key);
    await new Promise((resolve) => setTimeout(resolve, Date.parse(expiresAt) - Date.now() + 10));
    const told = watching.notices().length;
    live().tell({ project: 'default', environment: null, notice: { kind: 'changed', resource: 'metric', key: 'k', revision: 1 } });
    await eventually('it ends', async () => (watching.isEnded() ? true : undefined));
    expect(watching.notices()).toHaveLength(told);
  });

  it('drops who does not read, and keeps telling the others', async () => {
    const slow = await watch();
    const quick = await watch();
    slow.answer.pause();
    const notice = { kind: 'changed', resource: 'metric', key: 'k'.repeat(1_000), revision: 1 } as const;
    // What the kernel takes on the way is not ours to count.
    for (let sent = 0; sent < 20 * MOST_WAITING && live().size === 2; sent += 1_000) {
      live().tell({ project: 'default', environment: null, notice });
      if (sent % 50_000 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(live().size).toBe(1);
    const before = quick.notices().length;
    live().tell({ project: 'default', environment: null, notice });
    await eventually('the other one is told', async () => (quick.notices().length > before ? true : undefined));
  });

  it('refuses who may not read', async () => {
    const { status, body } = await plane.call('GET', '/v1/stream?project=default', { key: 'nobody' });
    expect([status, body.code]).toEqual([401, 'key-unknown']);
  });
});
