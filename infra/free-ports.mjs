/** Ports for servers that must keep theirs over restarts: engines started by hand, and those of tests. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const first = 15_000;
const end = 32_000;

const isFree = (port) =>
  new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen({ host: '127.0.0.1', port, exclusive: true }, () => probe.close(() => resolve(true)));
  });

/**
 * So many that differ, on 127.0.0.1. Below the range from which systems take ports for outgoing connections: otherwise some connection gets one of them while its
 * server restarts, and the server never comes back.
 */
export const freePorts = async (count) => {
  const found = new Set();
  for (let attempt = 0; attempt < 100 + 10 * count && found.size < count; attempt++) {
    const port = randomInt(first, end);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  if (found.size < count) throw new Error(`no ${count} free ports between ${first} and ${end} on 127.0.0.1`);
  return [...found];
};
