/** What the engine does not do on demand: one insert of several that go together fails at once, another one takes its time. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ClickhouseFeedbackStore } from './clickhouse-feedback-store.js';
import { event, exposure } from './examples/rows.examples.js';

const MEMORY_LIMIT = 241;
const CANNOT_PARSE = 27;
const SLOW_MS = 150;

let server: Server | undefined;
let store: ClickhouseFeedbackStore | undefined;

afterEach(async () => {
  await store?.close();
  server?.close();
  server?.closeAllConnections();
});

/** @param codes  with which it refuses inserts, by table; the others are slow */
const storeThatRefuses = async (codes: Readonly<Record<string, number>>) => {
  const ended: string[] = [];
  server = createServer(async (request, response) => {
    const table = /INSERT INTO (\w+)/.exec(new URL(request.url ?? '/', 'http://any').searchParams.get('query') ?? '')?.[1] ?? '';
    for await (const _ of request);
    const code = codes[table];
    if (code !== undefined) response.writeHead(500, { 'x-clickhouse-exception-code': String(code) });
    else await sleep(SLOW_MS);
    ended.push(table);
    response.end();
  });
  await new Promise<void>((listening) => server?.listen(0, '127.0.0.1', listening));
  store = new ClickhouseFeedbackStore({ url: `http://any:thing@127.0.0.1:${(server.address() as AddressInfo).port}` });
  return { store, ended };
};

const rows = [exposure(1, { at: 1_000 }), event(2, { at: 1_010 })];

describe('inserts that go together', () => {
  it('have all ended when one has failed: nothing may arrive behind what comes next', async () => {
    const { store: failing, ended } = await storeThatRefuses({ feedback: MEMORY_LIMIT });
    await expect(failing.insert(rows, [])).rejects.toMatchObject({ code: MEMORY_LIMIT, retriable: true });
    expect(ended.sort()).toEqual(['arrival', 'exposure', 'feedback', 'scope']);
  });

  it('fail over the row that will never be taken, if one has such', async () => {
    const { store: failing } = await storeThatRefuses({ feedback: MEMORY_LIMIT, exposure: CANNOT_PARSE });
    await expect(failing.insert(rows, [])).rejects.toMatchObject({ code: CANNOT_PARSE, retriable: false });
  });
});
