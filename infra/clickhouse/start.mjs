#!/usr/bin/env node
/** node infra/clickhouse/start.mjs [--shards N] [--data DIR]: prints {"url":"http://…,http://…","cluster":"rampart"} when they answer; SIGINT or SIGTERM ends them. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { startShards } from './shards.mjs';

const parentId = process.ppid;
const { values } = parseArgs({ options: { shards: { type: 'string', default: '2' }, data: { type: 'string' } } });
const data = values.data === undefined ? mkdtempSync(join(tmpdir(), 'rampart-clickhouse-')) : resolve(values.data);
mkdirSync(data, { recursive: true });

let isEnding = false;
let starting;
const end = async (code) => {
  if (isEnding) return;
  isEnding = true;
  await (await starting?.catch(() => undefined))?.stop();
  if (values.data === undefined) rmSync(data, { recursive: true, force: true });
  process.exit(code);
};
process.on('SIGINT', () => end(0));
process.on('SIGTERM', () => end(0));
// A parent that was killed sends no signal, but its child gets another one.
setInterval(() => process.ppid !== parentId && void end(1), 500);

starting = startShards({ shards: Number(values.shards), data });
try {
  const { url, cluster } = await starting;
  process.stdout.write(`${JSON.stringify({ url, cluster })}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  await end(1);
}
