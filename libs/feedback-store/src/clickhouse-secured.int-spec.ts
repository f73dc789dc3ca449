/** The store behind TLS: `https://` in each of its addresses, an authority of one's own in NODE_EXTRA_CA_CERTS, which a process reads when it starts. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freshClickhouse, type OwnCertificates, ownCertificates, ownClickhouse } from '@rampart/test-engines';

interface Clickhouse {
  /** One address for each server, separated by commas. */
  readonly url: string;
  readonly cluster?: string;
  readonly database: string;
  end(): Promise<void>;
}

const kinds: readonly (readonly [string, () => Promise<Clickhouse>])[] = [
  [
    'one server',
    async () => {
      const { drop, ...fresh } = await freshClickhouse();
      return { ...fresh, end: drop };
    },
  ],
  [
    'two shards',
    async () => {
      const { url, cluster, stop } = await ownClickhouse();
      return { url, cluster, database: 'secured', end: stop };
    },
  ],
];

const listening = async (address: string, { key, cert }: OwnCertificates): Promise<readonly [Server, string]> => {
  const inner = new URL(address);
  const encrypting = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (client) => {
    const server = connect(Number(inner.port), inner.hostname);
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) socket.on('error', () => undefined);
  });
  encrypting.on('tlsClientError', () => undefined);
  await new Promise<void>((listens) => encrypting.listen(0, '127.0.0.1', listens));
  const credentials = inner.username === '' ? '' : `${inner.username}:${inner.password}@`;
  return [encrypting, `https://${credentials}127.0.0.1:${(encrypting.address() as AddressInfo).port}`];
};

/** A process of its own that prepares the store, inserts a row and reads it back. */
const program = `
  const [, url, cluster, database, index, examples] = process.argv;
  const { ClickhouseFeedbackStore } = await import(index);
  const { comparison, event, exposure } = await import(examples);
  const store = new ClickhouseFeedbackStore({ url, database, ...(cluster === '' ? {} : { cluster }) });
  await store.prepare();
  const units = Array.from({ length: 20 }, (_, place) => place + 1);
  await store.insert(units.flatMap((unit) => [exposure(2 * unit, { unit }), event(2 * unit + 1, { unit })]), []);
  const { cells } = await store.sums(comparison([{}]));
  process.stdout.write(String(cells.reduce((units, { metrics }) => units + metrics[0].units, 0)));
  await store.close();
`;

describe.each(kinds)('%s', (_, start) => {
  let certificates: OwnCertificates;
  let clickhouse: Clickhouse;
  let encrypting: readonly (readonly [Server, string])[];

  beforeAll(async () => {
    certificates = ownCertificates();
    clickhouse = await start();
    encrypting = await Promise.all(clickhouse.url.split(',').map((address) => listening(address, certificates)));
  }, 90_000);

  afterAll(async () => {
    for (const [server] of encrypting ?? []) server.close();
    await clickhouse?.end();
    certificates?.remove();
  });

  const run = async (env: Record<string, string>): Promise<string> => {
    const files = ['./index.js', './examples/rows.examples.js'].map((file) => new URL(file, import.meta.url).href);
    const url = encrypting.map(([, address]) => address).join();
    const args = ['--input-type=module', '-e', program, url, clickhouse.cluster ?? '', clickhouse.database, ...files];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: '', ...env } });
    return stdout;
  };

  it('is written and read by whoever names its authority', async () => {
    expect(await run({ NODE_EXTRA_CA_CERTS: certificates.ca })).toBe('20');
  }, 60_000);

  it('is not there for whoever believes only what the system trusts', async () => {
    await expect(run({})).rejects.toThrow(/certificate|CERT/);
  }, 60_000);
});
