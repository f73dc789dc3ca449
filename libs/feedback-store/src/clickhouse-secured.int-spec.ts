/** The store behind TLS: `https://` in its address, an authority of one's own in NODE_EXTRA_CA_CERTS, which a process reads when it starts. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type FreshClickhouse, freshClickhouse, type OwnCertificates, ownCertificates } from '@rampart/test-engines';

let certificates: OwnCertificates;
let clickhouse: FreshClickhouse;
let encrypting: Server;
let url: string;

beforeAll(async () => {
  certificates = ownCertificates();
  clickhouse = await freshClickhouse();
  const inner = new URL(clickhouse.url);
  encrypting = createServer({ key: readFileSync(certificates.key), cert: readFileSync(certificates.cert) }, (client) => {
    const server = connect(Number(inner.port), inner.hostname);
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) socket.on('error', () => undefined);
  });
  encrypting.on('tlsClientError', () => undefined);
  await new Promise<void>((listening) => encrypting.listen(0, '127.0.0.1', listening));
  url = `https://${inner.username === '' ? '' : `${inner.username}:${inner.password}@`}127.0.0.1:${(encrypting.address() as AddressInfo).port}`;
});

afterAll(async () => {
  encrypting?.close();
  await clickhouse?.drop();
  certificates?.remove();
});

/** A process of its own that prepares the store, inserts a row and reads it back. */
const program = `
  const [, url, database, index, examples] = process.argv;
  const { ClickhouseFeedbackStore } = await import(index);
  const { comparison, event, exposure } = await import(examples);
  const store = new ClickhouseFeedbackStore({ url, database });
  await store.prepare();
  await store.insert([exposure(1), event(2)], []);
  const { cells } = await store.sums(comparison([{}]));
  process.stdout.write(String(cells.reduce((units, { metrics }) => units + metrics[0].units, 0)));
  await store.close();
`;

const run = async (env: Record<string, string>): Promise<string> => {
  const files = ['./index.js', './examples/rows.examples.js'].map((file) => new URL(file, import.meta.url).href);
  const args = ['--input-type=module', '-e', program, url, clickhouse.database, ...files];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '', ...env } });
  return stdout;
};

it('is written and read by whoever names its authority', async () => {
  expect(await run({ NODE_EXTRA_CA_CERTS: certificates.ca })).toBe('1');
}, 60_000);

it('is not there for whoever believes only what the system trusts', async () => {
  await expect(run({})).rejects.toThrow(/certificate|CERT/);
}, 60_000);
