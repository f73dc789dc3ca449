/** Engines that somebody else runs: asked once whether they are there and new enough, then left alone. */
import { Refusal } from '../refusal.js';
import type { Engine } from './engine.js';
import { postgresVersion } from './postgres-probe.js';

const patienceMs = 15_000;
const oldestPostgres = 15;

/** Host and port, without credentials. */
const placeOf = (url: string): string => /^[a-z]+:\/\/(?:[^@/]*@)?([^/?]*)/.exec(url)?.[1] || 'the given address';

const persist = async <T>(setting: string, url: string, ask: () => Promise<T>): Promise<T> => {
  const until = Date.now() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > until) {
        const { message, code } = error as NodeJS.ErrnoException;
        throw new Refusal(
          `${setting}: ${placeOf(url)} did not answer within ${patienceMs / 1000} s (${message || code}). Check the address, or leave ${setting} out to use the embedded engine.`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
};

export const externalPostgres = async (url: string): Promise<Engine> => {
  const version = await persist('DATABASE_URL', url, () => postgresVersion(url));
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

export const externalClickhouse = async (url: string): Promise<Engine> => {
  const version = await persist('CLICKHOUSE_URL', url, () => clickhouseVersion(url));
  return { name: 'clickhouse', url: () => url, version };
};
