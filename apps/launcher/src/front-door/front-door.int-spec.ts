import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, type RequestListener, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { type FrontDoor, type FrontDoorOptions, openFrontDoor } from './front-door.js';
import { PageFiles } from './page-files.js';
import { SignInCodes } from './sign-in-codes.js';
import type { PlatformStatus } from './status-page.js';

const status: PlatformStatus = {
  isReady: false,
  address: 'http://127.0.0.1:1',
  version: '1.2.3',
  startedAt: '2026-01-01T00:00:00.000Z',
  adminKey: 'in /data/<admin>/key',
  components: [{ name: 'analysis', kind: 'service', state: 'restarting', isReady: false, restarts: 2, pid: 7, version: '1.2.3' }],
};

let door: FrontDoor | undefined;
let service: Server | undefined;
afterEach(async () => {
  await door?.close(100);
  service?.close();
  service?.closeAllConnections();
});

const serve = async (listener: RequestListener): Promise<number> => {
  const server = createServer(listener);
  service = server;
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return (server.address() as AddressInfo).port;
};

const open = async (port: number | undefined): Promise<string> => {
  door = await openFrontDoor({
    host: '127.0.0.1',
    port: 0,
    places: { placeOf: () => (port === undefined ? undefined : { host: '127.0.0.1', port }), processesOf: () => 1 },
    status: async () => status,
  });
  return door.address;
};

describe('the front door', () => {
  it('passes a body on as it comes, and the answer with its status and headers', async () => {
    const port = await serve((request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      request.on('end', () => response.writeHead(202, { etag: '"3"' }).end(`${bytes} ${request.url} ${request.headers['x-request-id']}`));
    });
    const address = await open(port);
    const body = new Uint8Array(3_000_000);
    const answer = await fetch(`${address}/v1/events?project=a`, { method: 'POST', body, headers: { 'x-request-id': 'r-1' } });
    expect([answer.status, answer.headers.get('etag'), answer.headers.get('x-request-id')]).toEqual([202, '"3"', 'r-1']);
    expect(await answer.text()).toBe('3000000 /v1/events?project=a r-1');
  });

  it('says with every answer what a browser must not do with it, where the service does not', async () => {
    const port = await serve((_, response) => response.writeHead(200, { 'cache-control': 'max-age=30' }).end());
    const address = await open(port);
    for (const path of ['/status', '/readyz', '/nowhere', '/v1/metrics', '/docs']) {
      const { headers } = await fetch(address + path, { redirect: 'manual' });
      expect([path, headers.get('x-content-type-options'), headers.get('x-frame-options')]).toEqual([path, 'nosniff', 'DENY']);
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
      expect(headers.get('content-security-policy')).not.toMatch(/script-src[^;]*unsafe-inline/);
      expect(headers.get('cache-control')).toBe(path === '/v1/metrics' ? 'max-age=30' : 'no-store');
    }
    const { headers } = await fetch(`${address}/readyz`, { headers: { 'x-forwarded-proto': 'https' } });
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
  });

  it('hands over the first part of an answer before the last exists', async () => {
    const port = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
    });
    const answer = await fetch(`${await open(port)}/v1/experiments/a`);
    const first = await answer.body?.getReader().read();
    expect(Buffer.from(first?.value ?? []).toString()).toBe('data: 1\n\n');
  });

  it('tells a service that the client has gone', async () => {
    let gone: () => void;
    const noticed = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const port = await serve((_, response) => {
      response.on('close', gone);
    });
    const address = await open(port);
    await expect(fetch(`${address}/v1/experiments`, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
    await noticed;
  });

  it('says 503, when to come back and why, while a service is down', async () => {
    const port = await serve(() => undefined);
    await new Promise((closed) => service?.close(closed));
    const answer = await fetch(`${await open(port)}/v1/experiments`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await answer.json()).toMatchObject({
      code: 'service-unavailable',
      detail: expect.stringContaining('experiments is not running'),
    });
  });

  it.each<[string, RequestListener | undefined, number]>([
    ['a 503 that came', undefined, 503],
    ['a refusal that the service gave', (_, response) => response.writeHead(413).end('{}'), 413],
    [
      'a refusal of a service that reads no further',
      (asked, response) => void response.writeHead(413).end('{}', () => asked.socket.pause()),
      413,
    ],
  ])('goes on with the connection after %s before the end of the body', async (_, listener, status) => {
    const port = await serve(listener ?? (() => undefined));
    if (listener === undefined) await new Promise((closed) => service?.close(closed));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const address = await open(port);
    const post = () =>
      new Promise<number | undefined>((answered, failed) => {
        const sending = request(`${address}/v1/events`, { agent, method: 'POST', timeout: 5_000 }, (answer) =>
          answer.resume().on('end', () => answered(answer.statusCode)),
        );
        sending.on('error', failed).on('timeout', () => sending.destroy(new Error('no answer within 5 s')));
        sending.end(Buffer.alloc(4_000_000));
      });
    expect([await post(), await post(), await post()]).toEqual([status, status, status]);
    agent.destroy();
  });

  it.each([
    ['a query of 20 KB', `GET /v1/metrics?a=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431, 'headers-too-large'],
    ['what is no HTTP', 'hello\r\n\r\n', 400, 'not-http'],
  ])('refuses %s as any other problem', async (_, sent, status, code) => {
    const { port, hostname } = new URL(await open(undefined));
    const answer = await new Promise<string>((answered, failed) => {
      let text = '';
      const socket = connect(Number(port), hostname, () => socket.write(sent));
      socket.on('data', (part) => {
        text += part;
      });
      socket.on('close', () => answered(text)).on('error', failed);
    });
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} .*application/problem\\+json`, 's'));
    expect(JSON.parse(body)).toMatchObject({ status, code });
  });

  it('does not pass half an answer off as a whole one', async () => {
    const port = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      setTimeout(() => response.destroy(), 50);
    });
    const answer = await fetch(`${await open(port)}/v1/experiments`);
    await expect(answer.text()).rejects.toThrow();
  });

  it('shows what is not ready, on a page and as 503', async () => {
    const address = await open(undefined);
    const page = await (await fetch(address)).text();
    expect(page).toContain('<th scope="row">analysis</th><td>service 1.2.3</td><td class="no">restarting</td><td>2</td><td>7</td>');
    expect(page).toContain('Not everything is ready: analysis.');
    expect(page).not.toContain('<admin>');
    const ready = await fetch(`${address}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'not-ready', components: { analysis: 'restarting' } }]);
    expect((await fetch(`${address}/livez`)).status).toBe(200);
    expect((await fetch(`${address}/nothing`)).status).toBe(404);
  });

  it('names the port and the setting when the port is taken', async () => {
    const port = await serve(() => undefined);
    const opening = openFrontDoor({
      host: '127.0.0.1',
      port,
      places: { placeOf: () => undefined, processesOf: () => 1 },
      status: async () => status,
    });
    await expect(opening).rejects.toThrow(new RegExp(`^Port ${port} is in use .* RAMPART_PORT`));
  });
});

describe('the page behind the front door', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rampart-page-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<title>the page</title>');
  writeFileSync(join(folder, 'assets', 'index-1a.js'), 'export {};');
  writeFileSync(join(folder, 'secret.txt'), 'not for the world');

  const openWith = async (more: Partial<FrontDoorOptions>): Promise<string> => {
    door = await openFrontDoor({
      host: '127.0.0.1',
      port: 0,
      places: { placeOf: () => undefined, processesOf: () => 1 },
      status: async () => status,
      ...more,
    });
    return door.address;
  };

  it('is served with a policy that runs its own files and nothing else, and its assets are kept', async () => {
    const address = await openWith({ page: new PageFiles(folder) });
    const page = await fetch(`${address}/`);
    expect(await page.text()).toContain('the page');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const script = await fetch(`${address}/assets/index-1a.js`);
    expect([script.headers.get('content-type'), script.headers.get('cache-control')]).toEqual([
      'text/javascript; charset=utf-8',
      'public, max-age=31536000, immutable',
    ]);
    expect(await (await fetch(`${address}/status`)).text()).toContain('What runs');
  });

  it.each(['/assets/../secret.txt', '/assets/..%2fsecret.txt', '/secret.txt', '/assets/', '/assets/none.js', '/assets/.hidden.js'])(
    'has no %s',
    async (path) => {
      const { port, hostname } = new URL(await openWith({ page: new PageFiles(folder) }));
      // As it stands: fetch would tidy the path up.
      const code = await new Promise((answered, failed) => {
        request({ host: hostname, port, path }, (answer) => answered(answer.resume().statusCode))
          .on('error', failed)
          .end();
      });
      expect(code).toBe(404);
    },
  );

  it('is the status where it was not built', async () => {
    const address = await openWith({ page: new PageFiles(join(folder, 'nothing')) });
    expect(await (await fetch(`${address}/`)).text()).toContain('What runs');
  });

  const post = (address: string, code: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${address}/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ code }),
    });

  it('gives the admin key for the code of its link, once', async () => {
    const codes = new SignInCodes();
    const address = await openWith({ signIn: { codes, adminKey: () => 'rk_admin' } });
    const code = codes.current();
    const first = await post(address, code);
    expect([first.status, first.headers.get('cache-control'), await first.json()]).toEqual([200, 'no-store', { key: 'rk_admin' }]);
    const second = await post(address, code);
    expect([second.status, ((await second.json()) as { code: string }).code]).toEqual([403, 'wrong-code']);
    expect((await post(address, codes.current())).status).toBe(200);
  });

  it('gives it to nobody who comes through a proxy, and refuses what is no sign-in', async () => {
    const codes = new SignInCodes();
    const address = await openWith({ signIn: { codes, adminKey: () => 'rk_admin' } });
    expect((await post(address, codes.current(), { 'x-forwarded-for': '10.0.0.1' })).status).toBe(404);
    expect((await fetch(`${address}/session`, { method: 'POST', body: codes.current() })).status).toBe(400);
    expect((await post(address, 'x'.repeat(10_000))).status).toBe(400);
    expect((await fetch(`${address}/session`)).status).toBe(404);
  });

  it('gives it to nobody where links are not given out', async () => {
    const answer = await post(await openWith({}), '');
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, 'no-sign-in-links']);
  });
});
