/** A PostgreSQL that dies right after it let somebody in: its welcome and its last word arrive together. */

import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

export interface DyingPostgres {
  readonly url: string;
  close(): Promise<void>;
}

const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const lastWords = Buffer.concat([
  message('R', Buffer.alloc(4)), // authenticated
  message('Z', Buffer.from('I')), // ready for a query
  message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection due to unexpected postmaster exit\0\0')),
]);

export const dyingPostgres = async (): Promise<DyingPostgres> => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(lastWords));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const close = () => new Promise<void>((closed) => server.close(() => closed()));
  return { url: `postgres://rampart:any@127.0.0.1:${port}/rampart`, close };
};
