import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Refusal } from '../refusal.js';
import { type FrontDoor, openFrontDoor } from './front-door.js';
import { frontDoorSettingsFrom } from './front-door-settings.js';
import { Upstreams } from './upstreams.js';

interface Behind {
  readonly server: Server;
  readonly port: number;
  isReady: boolean;
  answersAfterMs: number;
}

const behind: Behind[] = [];
let door: FrontDoor | undefined;
let upstreams: Upstreams | undefined;

afterEach(async () => {
  upstreams?.close();
  await door?.close(0);
  for (const { server } of behind.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

const serve = async (name: string): Promise<Behind> => {
  const server = createServer((request, response) => {
    if (request.url === '/readyz') response.writeHead(one.isReady ? 200 : 503);
    let bytes = 0;
    request.on('data', (part: Buffer) => (bytes += part.length));
    request.on('end', () => setTimeout(() => response.end(`${name} ${bytes}`), one.answersAfterMs));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const one = { server, port: (server.address() as AddressInfo).port, isReady: true, answersAfterMs: 0 };
  behind.push(one);
  return one;
};

const open = async (all: readonly Behind[]): Promise<string> => {
  upstreams = new Upstreams({ experiments: all.map(({ port }) => ({ host: '127.0.0.1', port })) });
  await upstreams.start();
  const status = { isReady: true, address: '', version: '', startedAt: '', adminKey: '', components: [] };
  door = await openFrontDoor({ host: '127.0.0.1', port: 0, places: upstreams, status: async () => status });
  return door.address;
};

const asked = async (address: string, times = 4): Promise<string> => {
  const answers: string[] = [];
  for (let time = 0; time < times; time++) answers.push(await (await fetch(`${address}/v1/projects`)).text());
  return [...new Set(answers)].sort().join(' ');
};

describe('several processes behind a front door', () => {
  it('say each of itself what it is asked for by its number, ready or not', async () => {
    const [one, two] = [await serve('one'), await serve('two')];
    two.isReady = false;
    const address = await open([one, two]);
    const said = async (process: string) => {
      const answer = await fetch(`${address}/diagnostics/experiments${process}`);
      return `${answer.status} ${answer.status === 200 ? await answer.text() : ''}`;
    };
    expect(await Promise.all(['-1', '-2', '-2', '-3', ''].map(said))).toEqual(['200 one 0', '200 two 0', '200 two 0', '404 ', '200 one 0']);
    const counted = await (await fetch(`${address}/diagnostics`)).json();
    expect(counted).toEqual({ processes: { experiments: 2, assignment: 0, ingestion: 0, analysis: 0 } });
    two.server.close();
    two.server.closeAllConnections();
    expect(await said('-2')).toBe('503 ');
  });

  it('are asked in turns, as long as they are ready', async () => {
    const [one, two] = [await serve('one'), await serve('two')];
    const address = await open([one, two]);
    expect(await asked(address)).toBe('one 0 two 0');
    two.isReady = false;
    await sleep(1_500);
    expect(await asked(address)).toBe('one 0');
    two.isReady = true;
    await sleep(1_500);
    expect(await asked(address)).toBe('one 0 two 0');
  });

  it('are asked all the same where none is ready: each says itself why', async () => {
    const [one, two] = [await serve('one'), await serve('two')];
    one.isReady = false;
    two.isReady = false;
    expect(await asked(await open([one, two]))).toBe('one 0 two 0');
  });

  const gone = ({ server }: Behind): void => {
    server.close();
    server.closeAllConnections();
  };

  it('that are gone cost nobody an answer: another one is asked, with all of the body', async () => {
    const [one, two, three] = [await serve('one'), await serve('two'), await serve('three')];
    const address = await open([one, two, three]);
    gone(two);
    gone(three);
    const body = 'x'.repeat(1_000_000);
    const sent = async (): Promise<string> => (await fetch(`${address}/v1/projects`, { method: 'POST', body })).text();
    expect([await sent(), await asked(address), await sent()]).toEqual(['one 1000000', 'one 0', 'one 1000000']);
  });

  it('that are gone cost nobody an answer either where none says that it is ready, however many ask at once', async () => {
    const [one, two, three] = [await serve('one'), await serve('two'), await serve('three')];
    one.isReady = false;
    const address = await open([one, two, three]);
    gone(two);
    gone(three);
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => (await fetch(`${address}/v1/projects`, { method: 'POST', body: 'x' })).text()),
    );
    expect([...new Set(answers)]).toEqual(['one 1']);
  });

  it('finish what they are asked when the door closes, which waits for no kept connection after that', async () => {
    const one = await serve('one');
    one.answersAfterMs = 500;
    const address = await open([one]);
    const answer = fetch(`${address}/v1/projects`);
    await sleep(100);
    const begun = performance.now();
    await Promise.all([door?.close(20_000), answer.then(async (found) => expect(await found.text()).toBe('one 0'))]);
    // The client's own patience with a kept connection is four seconds.
    expect(performance.now() - begun).toBeLessThan(3_000);
  });

  it('that are all gone are told with 503 and when to try again, and as soon as one is back it answers', async () => {
    const [one, two] = [await serve('one'), await serve('two')];
    const address = await open([one, two]);
    gone(one);
    gone(two);
    for (const method of ['GET', 'POST']) {
      const answer = await fetch(`${address}/v1/projects`, method === 'GET' ? { method } : { method, body: 'x'.repeat(1_000_000) });
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    }
    await new Promise<void>((listening) => one.server.listen(one.port, '127.0.0.1', listening));
    expect(await asked(address)).toBe('one 0');
  });
});

describe('the settings of a front door of its own', () => {
  it('name the processes of each service', () => {
    const settings = frontDoorSettingsFrom({ RAMPART_PORT: '0', RAMPART_UPSTREAM_ANALYSIS: 'http://a:1, http://[::1]:2' });
    expect(settings).toEqual({
      host: '127.0.0.1',
      port: 0,
      drainMs: 0,
      upstreams: {
        analysis: [
          { host: 'a', port: 1 },
          { host: '::1', port: 2 },
        ],
      },
    });
  });

  it.each([
    {},
    { RAMPART_UPSTREAM_ANALYSIS: 'http://a', RAMPART_DRAIN_MS: 'soon' },
    { RAMPART_UPSTREAM_ANALYSIS: 'analysis:80' },
    { RAMPART_UPSTREAM_ANALYSIS: 'http://a/path' },
  ])('refuse %j', (environment) => {
    expect(() => frontDoorSettingsFrom(environment)).toThrow(Refusal);
  });
});
