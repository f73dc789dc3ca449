import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Line } from './line.js';

let engine: Server;
let line: Line;
const clients: Socket[] = [];
let atEngine: Socket | undefined;

/** Says everything back. */
beforeEach(async () => {
  engine = createServer((socket) => {
    atEngine = socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((listening) => engine.listen(0, '127.0.0.1', listening));
  line = await Line.before('127.0.0.1', (engine.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await line.close();
  engine.close();
});

const connected = async () => {
  const client = connect(line.port, '127.0.0.1').on('error', () => undefined);
  clients.push(client);
  let heard = '';
  client.on('data', (part: Buffer) => {
    heard += part.toString();
  });
  await new Promise((resolve) => client.once('connect', resolve).once('close', resolve));
  const hears = async (text: string, withinMs = 5_000) => {
    for (const until = Date.now() + withinMs; heard !== text && Date.now() < until; ) await sleep(10);
    return heard;
  };
  return { client, hears };
};

describe('a line between a service and an engine', () => {
  it('passes everything on, in order, while it is clear', async () => {
    const { client, hears } = await connected();
    for (const part of ['a', 'b', 'c']) client.write(part);
    expect(await hears('abc')).toBe('abc');
  });

  it('is silent without ending anything, and brings what was sent meanwhile when it is clear again', async () => {
    const { client, hears } = await connected();
    await line.become('silent');
    client.write('x');
    expect(await hears('x', 300)).toBe('');
    expect(client.destroyed).toBe(false);
    await line.become('clear');
    expect(await hears('x')).toBe('x');
  });

  it('ends what there is and refuses what is new, at the same port again when it is clear', async () => {
    const { client } = await connected();
    const { port } = line;
    await line.become('refused');
    await sleep(100);
    expect(client.destroyed).toBe(true);
    expect((await connected()).client.connecting).toBe(false);
    expect(clients.at(-1)?.destroyed).toBe(true);
    await line.become('clear');
    expect(line.port).toBe(port);
    const { client: again, hears } = await connected();
    again.write('y');
    expect(await hears('y')).toBe('y');
  });

  it('takes its time while it is slow', async () => {
    const { client, hears } = await connected();
    await line.become('slow');
    const sinceMs = performance.now();
    client.write('z');
    expect(await hears('z')).toBe('z');
    expect(performance.now() - sinceMs).toBeGreaterThan(400);
  });

  it('brings answers at once where only requests are slow', async () => {
    const { client, hears } = await connected();
    client.write('a');
    expect(await hears('a')).toBe('a');
    line.slowMs = 600_000;
    line.slows = 'requests';
    await line.become('slow');
    atEngine?.write('b');
    expect(await hears('ab')).toBe('ab');
  });
});
