import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { WebhookDelivery } from '@rampart/contracts';
import { freshDatabase } from '@rampart/test-engines';
import { DataSource } from 'typeorm';
import { type ControlPlane, controlPlane, eventually } from '../control-plane.examples.js';
import { analysisOf, defineRollout, GO, HARM, reaches, startRollout } from '../rollout/rollouts.examples.js';

let url: string;
let plane: ControlPlane;
let drop: (() => Promise<void>) | undefined;
const listeners: Server[] = [];

beforeAll(async () => {
  const database = await freshDatabase();
  url = database.url;
  drop = database.drop;
  plane = await controlPlane(url, undefined, { RAMPART_WEBHOOK_ALLOW_PRIVATE: 'true' });
}, 60_000);
afterEach(() => {
  for (const server of listeners.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});
afterAll(async () => {
  await plane?.close();
  await drop?.();
}, 60_000);

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver that answers as told, in turn; the last answer stays. `hang`: never; `endless`: yes, in a body without end; `nul`: no, in a text with U+0000; `switch`: no answer, another protocol. */
const receiver = async (...answers: readonly (number | 'hang' | 'endless' | 'nul' | 'switch')[]) => {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      const answer = answers[Math.min(received.length, answers.length - 1)] ?? 200;
      received.push({ headers: request.headers, body });
      if (answer === 'endless') response.writeHead(200).write('on and on');
      else if (answer === 'nul') response.writeHead(500).end('as\0told');
      else if (answer === 'switch') request.socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n');
      else if (answer !== 'hang') response.writeHead(answer, answer === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end('as told');
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  listeners.push(server);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/hook`, received };
};

const ask = (method: 'GET' | 'POST' | 'PUT', path: string, body?: object) =>
  plane.call(method, `${path}?project=default`, body === undefined ? {} : { body });
const made = async (key: string, target: string, more: object = {}): Promise<string> => {
  const answer = await ask('POST', '/v1/webhooks', { key, url: target, ...more });
  expect(answer.status).toBe(201);
  return answer.body.secret;
};
const deliveriesOf = async (key: string): Promise<readonly WebhookDelivery[]> =>
  (await ask('GET', `/v1/webhooks/${key}/deliveries`)).body.items;
const delivered = (key: string, count: number) =>
  eventually(
    `${count} deliveries of ${key}`,
    async () => {
      const done = (await deliveriesOf(key)).filter(({ status }) => status === 'delivered');
      return done.length === count ? done : undefined;
    },
    30_000,
  );
const removed = async (key: string) => expect((await ask('POST', `/v1/webhooks/${key}/remove`, { reason: 'tested' })).status).toBe(200);

let features = 0;
/** A feature of its own, killed: two events, of which one is told. */
const kill = async (): Promise<string> => {
  features += 1;
  const key = `feature-${features}`;
  const feature = { key, name: key, valueType: 'boolean', variants: [{ key: 'off', value: false }], defaultVariant: 'off' };
  expect((await ask('POST', '/v1/features', feature)).status).toBe(201);
  expect((await ask('POST', `/v1/features/${key}/kill`, { reason: 'it burns' })).status).toBe(200);
  return key;
};

describe('a webhook', () => {
  it('gets what happens from now on, signed, with what was before and after', async () => {
    await kill();
    const { url: target, received } = await receiver(200);
    const secret = await made('signed', target);
    const key = await kill();
    const [delivery] = await delivered('signed', 1);
    expect(received).toHaveLength(1);
    const [{ headers, body }] = received as [Received];
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = headers;
    const bytes = Buffer.from(secret.replace('whsec_', ''), 'base64');
    expect(signature).toBe(`v1,${createHmac('sha256', bytes).update(`${id}.${at}.${body}`).digest('base64')}`);
    expect(id).toBe(delivery?.id);
    expect(JSON.parse(body)).toMatchObject({
      ...{ specversion: '1.0', type: 'feature.killed', id, subject: `feature/${key}` },
      data: { before: { isKilled: false }, after: { isKilled: true }, reason: 'it burns', actor: 'admin', environment: 'production' },
    });
    const shown = JSON.stringify([(await ask('GET', '/v1/webhooks/signed')).body, (await ask('GET', '/v1/webhooks/signed/history')).body]);
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain('ealedSecret');
    await removed('signed');
  });

  it('is tried again until it is taken, in order, under the same ids', async () => {
    const { url: target, received } = await receiver(500, 302, 200);
    await made('failing', target);
    const keys = [await kill(), await kill()];
    await delivered('failing', 2);
    const subjects = received.map(({ body }) => JSON.parse(body).subject);
    expect(subjects).toEqual([keys[0], keys[0], keys[0], keys[1]].map((key) => `feature/${key}`));
    expect(new Set(received.slice(0, 3).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    await removed('failing');
  }, 60_000);

  it('that hangs or is dead keeps no other one waiting, and says what is wrong', async () => {
    const hanging = await receiver('hang');
    const working = await receiver(200);
    await made('hanging', hanging.url);
    await made('dead', 'http://127.0.0.1:9/hook');
    await made('working', working.url);
    await kill();
    await delivered('working', 1);
    const dead = await eventually('its failure is shown', async () =>
      (await deliveriesOf('dead')).find(({ lastAnswer }) => lastAnswer !== null),
    );
    expect(dead).toMatchObject({ status: 'waiting', lastAnswer: expect.stringMatching(/ECONNREFUSED|bad port/) });
    expect(dead.nextTryAt).not.toBeNull();
    for (const key of ['hanging', 'dead', 'working']) await removed(key);
  }, 60_000);

  it('goes on in the next process', async () => {
    const { url: target, received } = await receiver(500, 200);
    await made('resumed', target);
    await kill();
    await eventually('it was tried', async () => (received.length > 0 ? true : undefined));
    await plane.close();
    plane = await controlPlane(url, undefined, { RAMPART_WEBHOOK_ALLOW_PRIVATE: 'true' });
    await delivered('resumed', 1);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    await removed('resumed');
  }, 90_000);

  it('is forgotten with what it was sent 30 days ago, though nothing else is ever sent to it', async () => {
    const source = () => plane.app.get(DataSource, { strict: false });
    for (const days of [29, 31])
      await source().query(
        `insert into control.webhook_delivery (webhook, id, position, type, body, happened_at_us, status, next_try_at)
         values ('webhook/default/gone', $1, 1, 'webhook.test', '{}', 1, 'delivered', now() - make_interval(days => $2::int))`,
        [`msg_${days}`, days],
      );
    await plane.close();
    plane = await controlPlane(url, undefined, { RAMPART_WEBHOOK_ALLOW_PRIVATE: 'true' });
    const kept = await eventually('the old one is gone', async () => {
      const rows: { id: string }[] = await source().query(
        `select id from control.webhook_delivery where webhook = 'webhook/default/gone' order by id`,
      );
      return rows.length < 2 ? rows : undefined;
    });
    expect(kept).toEqual([{ id: 'msg_29' }]);
  }, 60_000);

  it('can be tested, and has a new secret when it is rotated', async () => {
    const { url: target, received } = await receiver(200);
    const secret = await made('tried', target);
    const rotated = await ask('POST', '/v1/webhooks/tried/rotate', { reason: 'leaked' });
    expect(rotated.body.secret).toMatch(/^whsec_/);
    expect(rotated.body.secret).not.toBe(secret);
    expect((await ask('POST', '/v1/webhooks/tried/test')).status).toBe(202);
    await delivered('tried', 1);
    expect(JSON.parse(received[0]?.body ?? '{}').type).toBe('webhook.test');
    const { 'webhook-signature': signature } = received[0]?.headers ?? {};
    expect(String(signature).split(' ')).toHaveLength(2);
    await removed('tried');
  });

  it('is told of each phase of a rollout, in order, with its stages, sentences and records', async () => {
    const { url: target, received } = await receiver(200);
    await made('phases', target, { kinds: ['rollout'] });
    await defineRollout(plane);
    await startRollout(plane);
    const analysis = analysisOf(plane);
    const { id: go } = await analysis.says(GO);
    await reaches(plane, 'the second stage', ({ stage }, { ramp }) => stage?.name === 'half' && ramp?.stage === 'half');
    await ask('POST', '/v1/rollouts/greener/hold', { reason: 'wait for Monday' });
    const { id: harm } = await analysis.says(HARM);
    await reaches(plane, 'its end', ({ status }) => status === 'rolled-back');
    await delivered('phases', 5);
    const messages = received.map(({ body }) => JSON.parse(body));
    expect(messages.map(({ type, data }) => [type, data.after.status, data.after.stage ?? null, data.record])).toEqual([
      ['feature.rampSchedule.created', 'draft', null, null],
      ['feature.rampSchedule.actions.started', 'running', 'canary', null],
      ['feature.rampSchedule.actions.step.advanced', 'running', 'half', go],
      ['rollout.held', 'held', 'half', null],
      ['feature.rampSchedule.actions.rolledBack', 'rolled-back', 'half', harm],
    ]);
    expect(messages[2].data).toMatchObject({ before: { stage: 'canary', coverage: 0.05 }, after: { coverage: 0.5 } });
    expect(messages[3].data).toMatchObject({ actor: 'admin', reason: 'wait for Monday' });
    expect(messages[4].data.sentence).toContain('14 crashes against 0');
    await removed('phases');
  }, 120_000);

  it('is told of what it asked for alone', async () => {
    const elsewhere = await receiver(200);
    const rollouts = await receiver(200);
    const features = await receiver(200);
    await ask('POST', '/v1/environments', { key: 'staging', kind: 'live' });
    await made('staging', elsewhere.url, { environment: 'staging' });
    await made('rollouts', rollouts.url, { kinds: ['rollout'] });
    await made('features', features.url, { kinds: ['feature', 'experiment'] });
    await kill();
    await delivered('features', 1);
    expect([elsewhere.received, rollouts.received]).toEqual([[], []]);
    for (const key of ['staging', 'rollouts', 'features']) await removed(key);
  });

  it('that is made anew under an old key gets nothing that was meant for the address before', async () => {
    const before = await receiver(500);
    const after = await receiver(200);
    await made('moved', before.url);
    await kill();
    await eventually('it was tried', async () => (before.received.length > 0 ? true : undefined));
    await removed('moved');
    await made('moved', after.url);
    const key = await kill();
    await delivered('moved', 1);
    expect(after.received.map(({ body }) => JSON.parse(body).subject)).toEqual([`feature/${key}`]);
    expect((await deliveriesOf('moved')).find(({ status }) => status === 'given-up')?.lastAnswer).toMatch(/not sent/);
    await removed('moved');
  }, 60_000);

  it('takes a yes at its first line, however long its body is', async () => {
    const { url: target } = await receiver('endless');
    await made('endless', target);
    await kill();
    const [delivery] = await delivered('endless', 1);
    expect(delivery).toMatchObject({ attempts: 1, lastAnswer: '200' });
    await removed('endless');
  });

  it('notes what a receiver says instead of an answer, whatever that is', async () => {
    const odd = await receiver('nul');
    const switching = await receiver('switch');
    await made('odd-text', odd.url);
    await made('switching', switching.url);
    await kill();
    for (const [webhook, said] of [
      ['odd-text', '500 as\uFFFDtold'],
      ['switching', '101 it changes the protocol instead of answering'],
    ] as const) {
      await eventually('its failure is noted', async () => (await deliveriesOf(webhook)).find(({ lastAnswer }) => lastAnswer === said));
      await removed(webhook);
    }
  });

  it('is no way into this machine or its network, unless that is allowed', async () => {
    const strict = await controlPlane(url);
    for (const target of [
      'http://127.0.0.1:9/',
      'http://localhost:9/',
      'http://[::1]:9/',
      'http://2130706433/',
      'http://169.254.169.254/latest',
    ]) {
      const { status, body } = await strict.call('POST', '/v1/webhooks?project=default', { body: { key: 'inner', url: target } });
      expect([target, status, body.code]).toEqual([target, 422, 'webhook-address-inner']);
    }
    await strict.close();
    const named = await ask('POST', '/v1/webhooks', { key: 'odd', url: 'https://me:secret@hooks.example/' });
    expect([named.status, named.body.errors[0].path]).toEqual([400, '/url']);
    const bad = await ask('POST', '/v1/webhooks', { key: 'odd', url: 'file:///etc/passwd' });
    expect([bad.status, bad.body.errors[0].path]).toEqual([400, '/url']);
  });
});
