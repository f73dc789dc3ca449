/** The event store in a PostgreSQL that takes encrypted connections only: `?sslmode=verify-full&sslrootcert=…` in its address. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { refusedClients, type SecuredPostgres, securedPostgres } from '@rampart/test-engines';
import { connectControlDatabase } from './postgres-data-source.js';
import { PostgresEventStore } from './postgres-event-store.js';

let server: SecuredPostgres;

beforeAll(async () => {
  server = await securedPostgres();
}, 90_000);

afterAll(async () => {
  await server?.remove();
});

it('the event store works when its authority is named, and each of its connections is encrypted', async () => {
  const { url } = server;
  const dataSource = await connectControlDatabase({ url });
  const store = new PostgresEventStore(dataSource, url);
  try {
    const handled: string[] = [];
    const told: string[] = [];
    const tail = store.tail(({ stream }) => told.push(stream));
    const subscription = store.subscribe({
      name: 'reader',
      handle: async (events) => void handled.push(...events.map(({ stream }) => stream)),
      reset: async () => undefined,
    });
    await tail.ready;
    await store.append({
      stream: 'secret',
      expectedVersion: 0,
      events: [{ type: 'ProjectCreated', project: 'p', name: 'n', atUs: 0 }],
      origin: { atUs: 0, actor: 'tester', reason: null, requestId: null },
    });
    await subscription.caughtUp();
    for (const deadline = performance.now() + 10_000; told.length === 0 && performance.now() < deadline; ) await sleep(20);
    expect([handled, told]).toEqual([['secret'], ['secret']]);
    const connections: readonly { name: string; ssl: boolean }[] = await dataSource.query(
      'select application_name as name, ssl from pg_stat_ssl join pg_stat_activity using (pid) where client_addr is not null',
    );
    expect([...new Set(connections.map(({ name }) => name))].sort()).toEqual(['rampart control', 'rampart reader', 'rampart tail']);
    expect(connections.filter(({ ssl }) => !ssl)).toEqual([]);
  } finally {
    await store.close();
    await dataSource.destroy();
  }
});

describe('the event store is not there for whoever', () => {
  it.each(refusedClients)('%s', async (client, why) => {
    await expect(connectControlDatabase({ url: server.refused[client] })).rejects.toThrow(why);
  });
});
