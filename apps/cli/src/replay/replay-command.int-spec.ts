import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RecordedDigest, ReplayedRecord } from '@rampart/contracts';

const AT = '2026-01-31T12:00:00.000Z';
const place = { project: 'shop', environment: 'production', experiment: 'button', comparison: 1, stage: null };
const idOf = (number: number) => number.toString(16).padStart(64, '0');
const RECORDS = 3_000;
const every = Array.from({ length: RECORDS }, (_, number) => number);

const replayed = (number: number): ReplayedRecord => ({
  ...place,
  ...({ id: idOf(number), knownUntil: AT, recordedAt: AT, cause: 'daily', status: 'same', code: null, differences: [] } as const),
  ...{ sentence: 'the same rows give the same sums, and the same rules the same verdict', engine: 'rampart/3', digest: idOf(number) },
});
const kept = ({ id, experiment, digest }: ReplayedRecord): RecordedDigest => ({ ...place, id, experiment, recordedAt: AT, digest });

let records: readonly ReplayedRecord[] = every.map(replayed);
let history: readonly RecordedDigest[] = records.map(kept);
/** So many records the log does not have yet when it is asked first. */
let late = 0;

let server: Server;
let address = '';

/** Answers as a platform with so many records does. */
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const asked = new URL(request.url ?? '', 'http://x');
    if (asked.pathname.endsWith('/rows')) return void response.end('{"rows":[],"hasMore":false,"judgedSince":null}\n');
    const answer = () => {
      if (asked.pathname === '/v1/admin/decisions') {
        const from = Number(asked.searchParams.get('after'));
        const items = history.slice(from, from + 500);
        return { items, next: items.length === 0 ? null : from + items.length };
      }
      const { after, limit } = JSON.parse(body) as { readonly after?: string; readonly limit: number };
      const from = after === undefined ? 0 : Number.parseInt(after, 16) + 1;
      const told = records.length - late;
      const items = records.slice(from, Math.min(told, from + limit));
      const next = from + limit < told ? items.at(-1)?.id : null;
      if (next === null) late = 0;
      return { items, next, total: records.length, unreadable: 0, engine: 'rampart/3' };
    };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer()));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const startReplay = (...more: readonly string[]) => {
  const program = join(import.meta.dirname, '..', 'main.js');
  return spawn(process.execPath, [program, 'replay', 'decisions', ...more, '--address', address], {
    env: { ...process.env, NODE_OPTIONS: '', RAMPART_ADMIN_KEY: 'an-admin-key-of-enough-length' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
};

it('tells all of many records to a reader that takes its time', async () => {
  const child = startReplay('--json');
  const ended = new Promise((resolve) => child.once('close', resolve));
  // Longer than the command takes: what a pipe holds is 64 KB.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  let said = '';
  for await (const part of child.stdout) said += part;
  expect(await ended).toBe(0);
  const told = JSON.parse(said);
  expect(told.counts).toEqual({ same: RECORDS, differs: 0, altered: 0, 'not-recountable': 0 });
  expect(told.records).toHaveLength(RECORDS);
}, 30_000);

it('waits a moment for a record that the history has and the log is still to be told of', async () => {
  [records, history, late] = [every.slice(0, 3).map(replayed), every.slice(0, 3).map(replayed).map(kept), 1];
  const child = startReplay('--json');
  const ended = new Promise((resolve) => child.once('close', resolve));
  let said = '';
  for await (const part of child.stdout) said += part;
  expect([await ended, JSON.parse(said).counts]).toEqual([0, { same: 3, differs: 0, altered: 0, 'not-recountable': 0 }]);
}, 30_000);

describe('records whose rows are gone', () => {
  const gone = (number: number, code: string): ReplayedRecord => ({
    ...replayed(number),
    ...{ status: 'not-recountable', code, sentence: 'gone', experiment: `button-${number}` },
  });
  const ran = async (...more: readonly string[]) => {
    const child = startReplay(...more);
    const ended = new Promise((resolve) => child.once('close', resolve));
    let said = '';
    for await (const part of child.stdout) said += part;
    return { code: await ended, said };
  };

  it('as they should be are no fault, and whose rows were not looked at is told', async () => {
    records = every.slice(0, 7).map((number) => gone(number, 'units-erased'));
    history = records.map(kept);
    const { code, said } = await ran();
    expect(code).toBe(0);
    expect(said).toContain('The rows of 2 comparisons were not held against the log');
    expect(said).toContain('--project shop --environment production --experiment button-6');
    const { rows, rowsLeftOut } = JSON.parse((await ran('--json')).said);
    expect(rows).toHaveLength(5);
    expect(rowsLeftOut.map(({ experiment }: { experiment: string }) => experiment)).toEqual(['button-5', 'button-6']);
  }, 30_000);

  it('are a fault where the history has others', async () => {
    records = [gone(0, 'rows-expired')];
    history = records.map((record) => ({ ...kept(record), digest: 'another' }));
    const { code, said } = await ran();
    expect(code).toBe(1);
    expect(said).toContain('altered: shop/production/button-0');
  }, 30_000);
});
