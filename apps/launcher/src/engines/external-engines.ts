/** Engines that somebody else runs: asked once whether they are there and new enough, then left alone. */
import { connect } from 'node:net';
import { Refusal } from '../refusal.js';
import type { Engine } from './engine.js';
import { postgresVersion } from './postgres-probe.js';

const patienceMs = 15_000;
const oldestPostgres = 15;

/** Host and port, without credentials. */
const placeOf = (url: string): string => /^[a-z]+:\/\/(?:[^@/]*@)?([^/?]*)/.exec(url)?.[1] || 'the given address';

const persist = async <T>(setting: string, place: string, ask: () => Promise<T>, withinMs = patienceMs): Promise<T> => {
  const until = Date.now() + withinMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > until) {
        const { message, code } = error as NodeJS.ErrnoException;
        throw new Refusal(
          `${setting}: ${place} did not answer within ${withinMs / 1000} s (${message || code}). Check the address, or leave ${setting} out to use the embedded engine.`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
};

export const externalPostgres = async (url: string): Promise<Engine> => {
  const version = await persist('DATABASE_URL', placeOf(url), () => postgresVersion(url));
  if (Number.parseInt(version, 10) < oldestPostgres) {
    throw new Refusal(`DATABASE_URL: ${placeOf(url)} is PostgreSQL ${version}, Rampart needs ${oldestPostgres} or newer.`);
  }
  return { name: 'postgres', url: () => url, version };
};

const clickhouseVersion = async (url: string): Promise<string> => {
  const { username, password, origin, pathname } = new URL(url);
  const headers: Record<string, string> = {};
  if (username !== '') headers['X-ClickHouse-User'] = decodeURIComponent(username);
  if (password !== '') headers['X-ClickHouse-Key'] = decodeURIComponent(password);
  const query = `${origin}${pathname}?query=${encodeURIComponent('SELECT version()')}`;
  const reply = await fetch(query, { headers, signal: AbortSignal.timeout(3_000) });
  const text = (await reply.text()).trim();
  if (!reply.ok) throw new Error(text.split('\n')[0]);
  return text;
};

/** @param urls  of a cluster one for each shard */
export const externalClickhouse = async (urls: readonly string[]): Promise<Engine> => {
  const [version] = await Promise.all(urls.map((url) => persist('CLICKHOUSE_URL', placeOf(url), () => clickhouseVersion(url))));
  return { name: 'clickhouse', url: () => urls.join(','), version };
};

/** ApiVersions, version 0: what every broker answers to anybody, as far as it speaks Kafka without encryption. */
const apiVersions = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
const produceKey = 0;
/** Of the produce request in Kafka 3.9, the oldest that Rampart is tested with. */
const oldestProduce = 11;

/** @returns the newest version of the produce request that the broker takes */
const askBroker = (broker: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const colon = broker.lastIndexOf(':');
    const socket = connect(Number(broker.slice(colon + 1)), broker.slice(0, colon).replace(/^\[|\]$/g, ''));
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(why));
    };
    let answer = Buffer.alloc(0);
    socket.setTimeout(3_000, () => fail('no answer'));
    socket.once('error', (error) => reject(error));
    socket.once('close', () => reject(new Error('it closed the connection')));
    socket.once('connect', () => socket.write(apiVersions));
    socket.on('data', (part: Buffer) => {
      answer = Buffer.concat([answer, part]);
      // Size, correlation, error and the number of requests; then key, oldest and newest version of each.
      if (answer.length < 4 || answer.length < 4 + answer.readInt32BE(0)) return;
      const count = answer.length < 14 ? 0 : answer.readInt32BE(10);
      for (let at = 14; at + 6 <= answer.length && at < 14 + count * 6; at += 6) {
        if (answer.readInt16BE(at) === produceKey) resolve(answer.readInt16BE(at + 4));
      }
      fail('it does not speak Kafka’s protocol');
    });
  });

export const externalKafka = async (brokers: readonly string[], withinMs = patienceMs): Promise<Engine> => {
  const ask = () => Promise.any(brokers.map(askBroker)).catch(firstReason);
  const newest = await persist('KAFKA_BROKERS', brokers.join(','), ask, withinMs);
  if (newest < oldestProduce) throw new Refusal(`KAFKA_BROKERS: ${brokers.join(',')} is older than Kafka 3.9, which Rampart needs.`);
  return { name: 'kafka', url: () => brokers.join(','), version: undefined };
};

const firstReason = (error: AggregateError): never => {
  throw error.errors[0];
};
