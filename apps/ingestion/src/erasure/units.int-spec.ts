import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AUDIT,
  type AuditEntry,
  DEAD_LETTERS,
  type DeadLetter,
  ERASURES,
  type ErasureMessage,
  type ErasureProgress,
  type ErasureRequest,
  type ErasureStep,
  erasureKey,
  FEEDBACK,
  type FeedbackRow,
  RAW_FEEDBACK,
} from '@rampart/contracts';
import { partitionOf, projectSecret, pseudonymsWith, unitSeal } from '@rampart/contracts/pseudonyms';
import { purchase } from '../intake/event.examples.js';
import { ADMIN_KEY, isReady, key, PARTITIONS, type StartedIngestion, startIngestion } from '../running/started-ingestion.examples.js';

const SECRET = 'the secret of this spec';
const pseudonymOf = pseudonymsWith(projectSecret(SECRET, 'shop'));

let ingestion: StartedIngestion;

beforeAll(async () => {
  ingestion = await startIngestion();
  await isReady(ingestion);
}, 60_000);

afterAll(async () => {
  await ingestion?.stop();
  await ingestion?.drop();
});

const at = '?project=shop&environment=production';
const erase = (type: string, id: string, by = ADMIN_KEY, where = at) =>
  ingestion.call('DELETE', `/v1/units/${type}/${encodeURIComponent(id)}${where}`, { key: by });
const requestOf = async (id: string): Promise<ErasureRequest | undefined> =>
  (await ingestion.contents<ErasureMessage>(ERASURES)).findLast((one): one is ErasureRequest => one.kind === 'request' && one.id === id);
const progressOf = async (id: string): Promise<ErasureProgress> =>
  (await ingestion.call('GET', `/v1/erasures/${id}?project=shop`, { key: ADMIN_KEY })).body;
const eventually = async <Value>(what: string, ask: () => Promise<Value | undefined>): Promise<Value> => {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what}: not within ten seconds`);
};
const isDone = (id: string, store: string) =>
  eventually(`${store} is done`, async () => {
    const found = (await progressOf(id)).stores.find((one) => one.store === store);
    return found?.state === 'done' ? found : undefined;
  });
const rejected = (id: string) =>
  purchase({ id: `bad-${id}`, time: new Date().toISOString() }, { unit: { type: 'user', id }, value: 'none' });

describe('DELETE /v1/units/{type}/{id}', () => {
  it('puts the unit’s erasure into its partition before it answers, by pseudonym, whatever signs the id has', async () => {
    for (const id of ['ann.forget-me@example.org', 'a/b?c=d&e%20 ünï"\\', '7', '€'.repeat(500)]) {
      const { status, body } = await erase('user', id);
      expect([status, body.state, body.project, body.environment, body.unitType]).toEqual([202, 'running', 'shop', 'production', 'user']);
      if (id.length > 7) expect(JSON.stringify(body)).not.toContain(JSON.stringify(id).slice(1, -1));
      const pseudonym = pseudonymOf('user', id);
      const request = await requestOf(body.id);
      expect(request).toMatchObject({ unit: pseudonym, unitType: 'user', partition: partitionOf(pseudonym, PARTITIONS), by: 'admin' });
      const { partition = 0, offset = 0 } = request ?? {};
      const [message] = await ingestion.log.read({ topic: FEEDBACK, partition, offset, limit: 1 });
      const [row] = JSON.parse(Buffer.from(message?.value ?? []).toString('utf8')) as FeedbackRow[];
      expect(row).toMatchObject({
        kind: 'erasure',
        project: 'shop',
        environment: 'production',
        unitType: 'user',
        unit: pseudonym,
        id: body.id,
      });
      expect(unitSeal(SECRET).opened(request?.sealed ?? '')).toBe(id);
    }
  });

  it('is in the audit log with who and when, and without the unit', async () => {
    const { body } = await erase('user', 'ann.forget-me@example.org');
    const line = (await ingestion.contents<AuditEntry>(AUDIT)).find(({ target }) => (target as { erasure?: string }).erasure === body.id);
    expect(line).toMatchObject({
      actor: 'admin',
      outcome: 'done',
      action: 'DELETE /v1/units/:unitType/:unitId',
      project: 'shop',
      status: 202,
    });
    expect(JSON.stringify(line)).not.toContain('ann.forget-me');
  });

  it('is refused to every key but an admin’s, where nothing of the name exists, and for ids that no unit has', async () => {
    const ends = async () => (await ingestion.log.offsets(ERASURES))[0]?.end;
    const before = await ends();
    for (const id of ['emits', 'manages', 'reads']) expect((await erase('user', 'u1', key(id))).status).toBe(403);
    expect((await ingestion.call('DELETE', `/v1/units/user/u1${at}`)).status).toBe(401);
    expect((await erase('user', 'u1', ADMIN_KEY, '?project=shop&environment=nowhere')).body.code).toBe('environment-not-found');
    expect((await erase('user', 'u1', ADMIN_KEY, '?project=nowhere&environment=production')).status).toBe(404);
    for (const [type, id] of [
      ['user', 'u'.repeat(501)],
      ['t'.repeat(500), 'u1'],
      ['user', 'a\0b'],
    ] as const)
      expect([id.slice(0, 9), (await erase(type, id)).status]).toEqual([id.slice(0, 9), 400]);
    expect(await ends()).toBe(before);
  });

  it('takes letters that name the unit, leaves those of others, and drops what the raw topic had', async () => {
    await ingestion.send([rejected('eve.forget-me@example.org'), rejected('somebody-else')]);
    const letters = async () => (await ingestion.contents<DeadLetter>(DEAD_LETTERS)).map(({ eventId }) => eventId);
    await eventually('both are letters', async () => ((await letters()).length >= 2 ? true : undefined));
    const raw = JSON.stringify({ ...purchase({ id: 'raw' }), writekey: key('emits') });
    await ingestion.log.append(RAW_FEEDBACK, [{ partition: 0, value: raw, headers: { 'content-type': 'application/cloudevents+json' } }]);
    const { body } = await erase('user', 'eve.forget-me@example.org');
    await isDone(body.id, 'raw-events');
    const [{ earliest, end } = { earliest: 0, end: 1 }] = await ingestion.log.offsets(RAW_FEEDBACK);
    expect(earliest).toBe(end);
    await eventually('her letter is gone', async () => ((await letters()).some((id) => id?.includes('eve')) ? undefined : true));
    expect(await letters()).toEqual([expect.stringContaining('somebody-else')]);
    // The view is another service's: until it says so, letters are not done.
    expect((await progressOf(body.id)).stores.find(({ store }) => store === 'dead-letters')).toMatchObject({
      state: 'waiting',
      parts: ['log'],
    });
  });

  it('forgets the raw id when every store is done, and is told newest first, to its project alone', async () => {
    const { body } = await erase('user', 'ben.forget-me@example.org');
    const step = (store: ErasureStep['store'], part: string): ErasureStep => ({
      ...{ kind: 'step', id: body.id, store, part, doneAtUs: Date.now() * 1_000, removed: 2 },
    });
    const steps = [
      step('feedback-store', 'rows'),
      step('dead-letters', 'store'),
      step('control-plane', 'texts'),
      step('spools', 'assignment-1'),
    ];
    await ingestion.log.append(
      ERASURES,
      steps.map((one) => ({ partition: 0, key: erasureKey(one), value: JSON.stringify(one) })),
    );
    const done = await eventually('it is done', async () => {
      const found = await progressOf(body.id);
      return found.state === 'done' ? found : undefined;
    });
    expect(done.stores.find(({ store }) => store === 'control-plane')).toMatchObject({ state: 'done', removed: 2 });
    await eventually('the id is not kept, not even sealed', async () => ((await requestOf(body.id))?.sealed === null ? true : undefined));
    const { body: all } = await ingestion.call('GET', '/v1/erasures?project=shop', { key: ADMIN_KEY });
    expect(all.items[0].id).toBe(body.id);
    expect(all.items.length).toBeGreaterThanOrEqual(5);
    expect((await ingestion.call('GET', `/v1/erasures/${body.id}?project=other`, { key: ADMIN_KEY })).status).toBe(404);
    expect((await ingestion.call('GET', '/v1/erasures/none?project=shop', { key: ADMIN_KEY })).body.code).toBe('erasure-not-found');
  });
});
