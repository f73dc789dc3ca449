/** Engines that somebody else runs: asked once whether they are there and new enough, then left alone. */
import { readFileSync } from 'node:fs';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
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

/** Who signed the brokers' certificates, and our own where they ask for one: PEM. */
interface KafkaTls {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** ApiVersions, version 0: what every broker answers to anybody, before it asks for a password. */
const apiVersions = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
const produceKey = 0;
/** Of the produce request in Kafka 3.9, the oldest that Rampart is tested with. */
const oldestProduce = 11;

/** @returns the newest version of the produce request that the broker takes */
const askBroker = (broker: string, tls: KafkaTls | undefined): Promise<number> =>
  new Promise((resolve, reject) => {
    const colon = broker.lastIndexOf(':');
    const place = { port: Number(broker.slice(colon + 1)), host: broker.slice(0, colon).replace(/^\[|\]$/g, '') };
    const socket =
      tls === undefined ? connect(place) : connectTls({ ...place, ...(isIP(place.host) === 0 ? { servername: place.host } : {}), ...tls });
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(why));
    };
    let answer = Buffer.alloc(0);
    socket.setTimeout(3_000, () => fail('no answer'));
    socket.once('error', (error) => reject(error));
    socket.once('close', () => reject(new Error('it closed the connection')));
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => socket.write(apiVersions));
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

export const externalKafka = async (brokers: readonly string[], withinMs = patienceMs, tls?: KafkaTls): Promise<Engine> => {
  const ask = () => Promise.any(brokers.map((broker) => askBroker(broker, tls))).catch(firstReason);
  const newest = await persist('KAFKA_BROKERS', brokers.join(','), ask, withinMs);
  if (newest < oldestProduce) throw new Refusal(`KAFKA_BROKERS: ${brokers.join(',')} is older than Kafka 3.9, which Rampart needs.`);
  return { name: 'kafka', url: () => brokers.join(','), version: undefined };
};

/** As the services read it; what does not fit together they say themselves. @throws Refusal for a file that can't be read */
export const kafkaTlsOf = (environment: NodeJS.ProcessEnv): KafkaTls | undefined => {
  if (environment.KAFKA_TLS !== '1') return undefined;
  const part = (name: keyof KafkaTls, setting: string) => {
    const file = environment[setting];
    if (file === undefined || file === '') return {};
    try {
      return { [name]: readFileSync(file) };
    } catch (error) {
      throw new Refusal(`${setting}: ${file} can't be read (${(error as Error).message}).`);
    }
  };
  return { ...part('ca', 'KAFKA_TLS_CA_FILE'), ...part('cert', 'KAFKA_TLS_CERT_FILE'), ...part('key', 'KAFKA_TLS_KEY_FILE') };
};

const firstReason = (error: AggregateError): never => {
  throw error.errors[0];
};
