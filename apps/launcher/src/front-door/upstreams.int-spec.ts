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
    response.end(name);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const one = { server, port: (server.address() as AddressInfo).port, isReady: true };
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
    expect(await Promise.all(['-1', '-2', '-2', '-3', ''].map(said))).toEqual(['200 one', '200 two', '200 two', '404 ', '200 one']);
    const counted = await (await fetch(`${address}/diagnostics`)).json();
    expect(counted).toEqual({ processes: { experiments: 2, assignment: 0, ingestion: 0, analysis: 0 } });
    two.server.close();
    two.server.closeAllConnections();
    expect(await said('-2')).toBe('503 ');
  });

  it('are asked in turns, as long as they are ready', async () => {
    const [one, two] = [await serve('one'), await serve('two')];
    const address = await open([one, two]);
    expect(await asked(address)).toBe('one two');
    two.isReady = false;
    await sleep(1_500);
    expect(await asked(address)).toBe('one');
    two.isReady = true;
    await sleep(1_500);
    expect(await asked(address)).toBe('one two');
  });

  it('are asked all the same where none is ready: each says itself why', async () => {
    const [one, two] = [await serve('one'), await serve('two')];
    one.isReady = false;
    two.isReady = false;
    expect(await asked(await open([one, two]))).toBe('one two');
  });

  it('that are gone cost one answer, which says 503 and when to try again', async () => {
    const [one, two] = [await serve('one'), await serve('two')];
    const address = await open([one, two]);
    two.server.close();
    two.server.closeAllConnections();
    const answers = [await fetch(`${address}/v1/projects`), await fetch(`${address}/v1/projects`)];
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.map(({ headers }) => headers.get('retry-after'))).toEqual(['1']);
    expect(await asked(address)).toBe('one');
  });
});

describe('the settings of a front door of its own', () => {
  it('name the processes of each service', () => {
    const settings = frontDoorSettingsFrom({ RAMPART_PORT: '0', RAMPART_UPSTREAM_ANALYSIS: 'http://a:1, http://[::1]:2' });
    expect(settings).toEqual({
      host: '127.0.0.1',
      port: 0,
      upstreams: {
        analysis: [
          { host: 'a', port: 1 },
          { host: '::1', port: 2 },
        ],
      },
    });
  });

  it.each([{}, { RAMPART_UPSTREAM_ANALYSIS: 'analysis:80' }, { RAMPART_UPSTREAM_ANALYSIS: 'http://a/path' }])(
    'refuse %j',
    (environment) => {
      expect(() => frontDoorSettingsFrom(environment)).toThrow(Refusal);
    },
  );
});
