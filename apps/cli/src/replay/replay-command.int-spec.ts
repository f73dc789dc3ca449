import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { RecordedDigest, ReplayedRecord } from '@rampart/contracts';

const AT = '2026-01-31T12:00:00.000Z';
const place = { project: 'shop', environment: 'production', experiment: 'button', comparison: 1, stage: null };
const idOf = (number: number) => number.toString(16).padStart(64, '0');
const RECORDS = 3_000;

const replayed = (number: number): ReplayedRecord => ({
  ...place,
  ...({ id: idOf(number), knownUntil: AT, recordedAt: AT, cause: 'daily', status: 'same', code: null, differences: [] } as const),
  ...{ sentence: 'the same rows give the same sums, and the same rules the same verdict', engine: 'rampart/3', digest: idOf(number) },
});
const kept = (number: number): RecordedDigest => ({ ...place, id: idOf(number), recordedAt: AT, digest: idOf(number) });

let server: Server;
let address = '';

/** Answers as a platform with so many records does. */
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const asked = new URL(request.url ?? '', 'http://x');
    const numbers = (from: number, length: number) =>
      Array.from({ length: Math.max(0, Math.min(length, RECORDS - from)) }, (_, index) => from + index);
    const answer = () => {
      if (asked.pathname === '/v1/admin/decisions') {
        const from = Number(asked.searchParams.get('after'));
        const items = numbers(from, 500);
        return { items: items.map(kept), next: items.length === 0 ? null : from + items.length };
      }
      const { after, limit } = JSON.parse(body) as { readonly after?: string; readonly limit: number };
      const items = numbers(after === undefined ? 0 : Number.parseInt(after, 16) + 1, limit).map(replayed);
      const last = items.at(-1)?.id ?? '';
      return { items, next: last === idOf(RECORDS - 1) ? null : last, total: RECORDS, unreadable: 0, engine: 'rampart/3' };
    };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer()));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

it('tells all of many records to a reader that takes its time', async () => {
  const program = join(import.meta.dirname, '..', 'main.js');
  const child = spawn(process.execPath, [program, 'replay', 'decisions', '--json', '--address', address], {
    env: { ...process.env, NODE_OPTIONS: '', RAMPART_ADMIN_KEY: 'an-admin-key-of-enough-length' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  // Longer than the command takes: what a pipe holds is 64 KB.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  let said = '';
  for await (const part of child.stdout) said += part;
  expect(await ended).toBe(0);
  const { counts, records } = JSON.parse(said);
  expect(counts).toEqual({ same: RECORDS, differs: 0, altered: 0, 'not-recountable': 0 });
  expect(records).toHaveLength(RECORDS);
}, 30_000);
