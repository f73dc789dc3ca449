import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DEFINITIONS, definitionKnownAtUs } from '@rampart/contracts';
import { EventStore, type PostgresEventStore } from '@rampart/event-store';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { DataSource } from 'typeorm';
import { type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';
import { aRecord, logOf } from '../evidence/records.examples.js';
import { decisionStream } from '../streams.js';
import { eraseTexts } from './erased-texts.store.js';

/** What SQL patterns, JSON and quotes have signs of their own for. */
const ANN = `ann_100%"o'neill"\\ünï@example.org`;
const SHORT = 'ann7';
const unit = { project: 'shop', unitType: 'user', unitId: ANN };

let database: FreshDatabase;
let plane: ControlPlane;
let source: DataSource;
let receiver: Server;
let isRefused = true;
let secret: string;
const received: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];

const query = (text: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> =>
  source.query(text, [...values]);
/** Tables of the control plane in which a text is, as JSON writes it. */
const tablesWith = async (text: string): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const [table, what] of Object.entries({
    event: "data::text || coalesce(reason, '')",
    catalogue_entry: 'document::text',
    audit_entry: 'entry::text',
    webhook_delivery: "body || coalesce(last_answer, '')",
  })) {
    const rows = await query(`select ${what} as text from control.${table}`);
    if (rows.some((row) => [text, JSON.stringify(text).slice(1, -1)].some((form) => String(row.text).includes(form)))) found.push(table);
  }
  return found;
};
const send = async (method: 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => {
  const { status, body: answer } = await plane.call(method, path, body === undefined ? {} : { body });
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
};
const feature = (forWhom: string) => ({
  ...{ key: 'colour', name: `Colour for ${forWhom}`, valueType: 'json', defaultVariant: 'off' },
  variants: [
    { key: 'off', value: {} },
    { key: 'on', value: { allow: [forWhom] } },
  ],
});
/** Refuses as long as it is told to, in words that name her, and waits in between: what is to be sent stays. */
const listens = async (): Promise<string> => {
  receiver = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(isRefused ? 500 : 204).end(isRefused ? `nothing of ${ANN} here` : '');
    });
  });
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
};
const override = (units: readonly string[]) => ({ key: 'testers', feature: 'colour', variant: 'on', units });

/** Of every definition in `definitions.v1`, by key. */
const knownTimes = async (): Promise<ReadonlyMap<string, number>> => {
  const found = new Map<string, number>();
  for await (const message of logOf(plane).readAll(DEFINITIONS))
    if (message.key !== null) found.set(message.key, definitionKnownAtUs(message));
  return found;
};

beforeAll(async () => {
  database = await freshDatabase();
  plane = await controlPlane(database.url, undefined, { RAMPART_WEBHOOK_ALLOW_PRIVATE: 'true' });
  source = plane.app.get(DataSource, { strict: false });
  for (const [project, forWhom] of [
    ['shop', ANN],
    ['other', 'everybody'],
  ] as const) {
    await send('POST', '/v1/projects', { key: project, name: `For ${forWhom}` });
    await send('POST', `/v1/environments?project=${project}`, { key: 'production', kind: 'live' });
    await send('POST', `/v1/features?project=${project}`, feature(forWhom));
    await send('PUT', `/v1/overrides/testers?project=${project}&environment=production`, override([ANN, 'bob', SHORT]));
  }
  secret = (await send('POST', '/v1/webhooks?project=shop', { key: 'deploys', url: await listens() })).secret;
  await send('POST', '/v1/features/colour/kill?project=shop&environment=production', { reason: `asked for by ${ANN}, twice` });
  const key = await send('POST', '/v1/keys?project=shop', { name: 'writes', role: 'analyst' });
  await send('POST', `/v1/keys/${key.id}/revoke?project=shop`, { reason: `leaked by ${ANN}` });
  // A record of a decision stays as it is, whatever it names.
  const record = aRecord({ project: 'shop', seenEvents: [ANN] });
  const store = plane.app.get<PostgresEventStore>(EventStore, { strict: false });
  const origin = { atUs: 1, actor: 'a', reason: null, requestId: null };
  await store.append({
    stream: decisionStream(record),
    expectedVersion: 0,
    events: [{ type: 'DecisionRecorded', record, atUs: 7 }],
    origin,
  });
  await eventually('it is told', async () => (JSON.stringify([...(await plane.published())]).includes('testers') ? true : undefined));
  // Refused, and not in the middle of a try, which would be longer out of reach: the next one is when a spec says so.
  await eventually('the webhook waits', async () => {
    await query(`update control.webhook_delivery set next_try_at = 'infinity'
      where last_answer is not null and next_try_at between now() and now() + interval '5 seconds'`);
    const [row] = await query(`select count(*)::int as waiting from control.webhook_delivery where next_try_at = 'infinity'`);
    return row?.waiting === 1 ? true : undefined;
  });
}, 60_000);

afterAll(async () => {
  await plane?.close();
  receiver?.close();
  receiver?.closeAllConnections();
  await database?.drop();
}, 60_000);

describe('the texts of the control plane', () => {
  it('name a unit no longer, in history, lists, audit log and what is published; those of others and of other projects are as they were', async () => {
    const before = await query(`select * from control.event where stream like '%/other/%' or stream like 'decision/%' order by position`);
    const [{ total } = { total: '0' }] = await query('select count(*)::text as total from control.event');
    expect(await tablesWith(ANN)).toEqual(['event', 'catalogue_entry', 'audit_entry', 'webhook_delivery']);
    const knownBefore = await knownTimes();
    expect(await eraseTexts(source, logOf(plane), unit)).toBeGreaterThanOrEqual(4);
    expect(await query(`select * from control.event where stream like '%/other/%' or stream like 'decision/%' order by position`)).toEqual(
      before,
    );
    expect(await query('select count(*)::text as total from control.event')).toEqual([{ total }]);
    const left = await query(
      `select stream from control.event where strpos(data::text, 'ann_100') > 0 or strpos(reason, 'ann_100') > 0 order by stream`,
    );
    expect(left.map(({ stream }) => String(stream).split('/').slice(0, 2).join('/'))).toEqual(['decision/shop', 'override/other']);
    expect(await query(`select stream from control.catalogue_entry where strpos(document::text, 'ann_100') > 0`)).toEqual([
      { stream: expect.stringContaining('override/other/') },
    ]);
    expect(await query(`select entry from control.audit_entry where strpos(entry::text, 'ann_100') > 0`)).toEqual([]);
    const { body } = await plane.call('GET', '/v1/overrides/testers?project=shop&environment=production');
    expect(body.units).toEqual(['(erased)', 'bob', SHORT]);
    const { body: kept } = await plane.call('GET', '/v1/overrides/testers?project=other&environment=production');
    expect(kept.units).toEqual([ANN, 'bob', SHORT]);
    const reasons = await query(`select reason from control.event where reason is not null order by position`);
    expect(reasons.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['asked for by (erased), twice', 'leaked by (erased)']));
    const { body: colour } = await plane.call('GET', '/v1/features/colour?project=shop');
    expect(colour.definition).toMatchObject({ name: 'Colour for (erased)', variants: [{}, { value: { allow: ['(erased)'] } }] });
    const published = [...(await plane.published())].filter(([, value]) => JSON.stringify(value).includes('ann_100')).map(([key]) => key);
    expect(published.length).toBeGreaterThan(0);
    for (const key of published) expect(key.split('/')[1]).toBe('other');
    // What was said again stays as old as it was: a revision that followed it still does.
    const knownAfter = await knownTimes();
    expect([...knownAfter].filter(([key]) => knownBefore.has(key))).toEqual(
      expect.arrayContaining([...knownBefore].filter(([key]) => !key.startsWith('head/'))),
    );
    expect([...knownBefore.keys()]).toContain('v/shop/feature/colour/1');
  });

  it('are sent to webhooks without it, signed as they are then, under the id of before', async () => {
    expect(await query('select last_answer, body::json->>$1 as kind from control.webhook_delivery', ['type'])).toEqual([
      { last_answer: '500 nothing of (erased) here', kind: 'feature.killed' },
    ]);
    expect(received.every(({ body }) => JSON.parse(body).data.reason === `asked for by ${ANN}, twice`)).toBe(true);
    isRefused = false;
    await query('update control.webhook_delivery set next_try_at = now()');
    await eventually('it is delivered', async () => {
      const [delivery] = await query('select status from control.webhook_delivery');
      return delivery?.status === 'delivered' ? true : undefined;
    });
    const [first, last] = [received[0], received.at(-1)];
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = last?.headers ?? {};
    expect(last?.body).toBe(first?.body.replace(JSON.stringify(ANN).slice(1, -1), '(erased)'));
    expect(id).toBe(first?.headers['webhook-id']);
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    expect(signature).toBe(`v1,${createHmac('sha256', key).update(`${id}.${at}.${last?.body}`).digest('base64')}`);
  });

  it('name a unit no longer either where somebody was just writing down what he had read before', async () => {
    const ben = 'ben.in-flight@example.org';
    let erasing: Promise<number> = Promise.resolve(0);
    await source.transaction(async (transaction) => {
      // As every subscription does.
      await transaction.query(`select position from control.checkpoint where name = 'audit' for update`);
      erasing = eraseTexts(source, logOf(plane), { ...unit, unitId: ben });
      await Promise.race([erasing, sleep(500)]);
      const entry = { reason: `asked for by ${ben}` };
      await transaction.query(
        `insert into control.audit_entry (id, project, outcome, entry) values ('of-ben', 'shop', 'done', $1::jsonb)`,
        [JSON.stringify(entry)],
      );
    });
    expect(await erasing).toBe(1);
    expect(await query(`select entry->>'reason' as reason from control.audit_entry where id = 'of-ben'`)).toEqual([
      { reason: 'asked for by (erased)' },
    ]);
  });

  it('are left alone by a second time, by a unit of another type, and by one that nobody knows', async () => {
    const all = () => query('select * from control.event order by position');
    const before = await all();
    for (const other of [{}, { unitType: 'device', project: 'other' }, { unitId: 'nobody@example.org' }])
      expect([other, await eraseTexts(source, logOf(plane), { ...unit, ...other })]).toEqual([other, 0]);
    expect(await all()).toEqual(before);
  });

  it('lose a short id where people name units, and nowhere else', async () => {
    await send('POST', '/v1/features/colour/restore?project=shop&environment=production', { reason: `after ${SHORT} days` });
    await eraseTexts(source, logOf(plane), { ...unit, unitId: SHORT });
    const { body } = await plane.call('GET', '/v1/overrides/testers?project=shop&environment=production');
    expect(body.units).toEqual(['(erased)', 'bob', '(erased)']);
    expect(await query('select reason from control.event where reason like $1', [`after ${SHORT}%`])).toHaveLength(1);
  });
});
