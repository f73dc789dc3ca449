import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FreshDatabase, freshDatabase } from '@rampart/test-engines';
import { eventually } from '../control-plane.examples.js';

const main = join(import.meta.dirname, '..', 'main.js');
const ADMIN = 'an-admin-key-for-specs';
/** Longer than a delivery stays with a process that died in its try. */
const PATIENCE_MS = 60_000;

let database: FreshDatabase;
let child: ChildProcess | undefined;

beforeAll(async () => {
  database = await freshDatabase();
}, 60_000);
afterAll(async () => {
  child?.kill('SIGKILL');
  await database?.drop();
}, 60_000);

const start = async (): Promise<string> => {
  const env = {
    ...{ PATH: process.env.PATH, RAMPART_DATABASE_URL: database.url, RAMPART_SECRET: 'a-platform-secret-for-specs' },
    ...{ RAMPART_ADMIN_KEY: ADMIN, RAMPART_PARENT_PIPE: '1', RAMPART_WEBHOOK_ALLOW_PRIVATE: 'true' },
  };
  const started = spawn(process.execPath, [main], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  child = started;
  let said = '';
  started.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const port = await eventually('it listens', async () => /"listening","port":(\d+)/.exec(said)?.[1], 30_000);
  return `http://127.0.0.1:${port}`;
};

const post = async (address: string, path: string, body: object): Promise<void> => {
  const answer = await fetch(`${address}${path}?project=default`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([path, answer.ok]).toEqual([path, true]);
};

describe('a control plane that is killed in the middle of a delivery', () => {
  it('sends it again after its next start, and everything behind it, in order', async () => {
    const received: { readonly id: string; readonly type: string }[] = [];
    let isHanging = true;
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        received.push({ id: String(request.headers['webhook-id']), type: JSON.parse(body).type });
        if (!isHanging) response.writeHead(204).end();
      });
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const address = await start();
    await post(address, '/v1/webhooks', { key: 'deploys', url: `http://127.0.0.1:${port}/` });
    const variants = [{ key: 'off', value: false }];
    await post(address, '/v1/features', { key: 'f', name: 'F', valueType: 'boolean', variants, defaultVariant: 'off' });
    await post(address, '/v1/features/f/kill', { reason: 'it burns' });
    await post(address, '/v1/features/f/restore', { reason: 'it does not' });
    await eventually('it is in a try', async () => (received.length > 0 ? true : undefined));
    child?.kill('SIGKILL');
    if (child !== undefined) await once(child, 'exit');
    isHanging = false;
    await start();
    await eventually('both are sent', async () => (received.length >= 3 ? true : undefined), PATIENCE_MS);
    expect(received.map(({ type }) => type)).toEqual(['feature.killed', 'feature.killed', 'feature.restored']);
    expect(received[0]?.id).toBe(received[1]?.id);
    server.close();
    server.closeAllConnections();
  }, 150_000);
});
