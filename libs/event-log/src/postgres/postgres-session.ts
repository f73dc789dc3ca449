/** One connection to PostgreSQL, and what its failures mean. */
import pg from 'pg';
import { LogError, LogUnavailableError } from '../log-errors.js';
import { copyOut } from './postgres-copy.js';

export interface SessionOptions {
  readonly url: string;
  /** What pg_stat_activity shows. */
  readonly name: string;
  /** An answer that takes longer counts as an outage, in milliseconds. */
  readonly patienceMs: number;
  onNotice?(channel: string, payload: string): void;
  /** Called once when the connection ends, however it does. */
  onLost?(error: Error): void;
}

export class Session {
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly client: pg.Client) {}

  /** One statement after the other, whoever asks. */
  query(statement: string | pg.QueryConfig, values?: unknown[]): Promise<pg.QueryResult> {
    return this.next(() => this.client.query(statement, values));
  }

  copy(select: string): Promise<readonly Buffer[]> {
    return this.next(() => copyOut(this.client, select));
  }

  private next<T>(act: () => Promise<T>): Promise<T> {
    const answer = this.last.then(act);
    this.last = answer.catch(() => undefined);
    return answer;
  }

  /** Ends it even while an answer is outstanding that may never come. */
  async end(): Promise<void> {
    const ended = this.client.end().catch(() => undefined);
    const patience = new Promise<void>((resolve) => setTimeout(resolve, 1_000).unref());
    await Promise.race([ended, patience]);
  }
}

export const openSession = async ({ url, name, patienceMs, onNotice, onLost }: SessionOptions): Promise<Session> => {
  const client = new pg.Client({
    connectionString: url,
    application_name: `rampart log: ${name}`.slice(0, 63),
    connectionTimeoutMillis: 5_000,
    query_timeout: patienceMs,
    keepAlive: true,
  });
  let isLost = false;
  const lose = (error: Error) => {
    if (isLost) return;
    isLost = true;
    onLost?.(error);
  };
  client.on('error', lose);
  client.on('end', () => lose(new Error('The connection to PostgreSQL ended.')));
  client.on('notification', ({ channel, payload }) => onNotice?.(channel, payload ?? ''));
  await client.connect();
  return new Session(client);
};

// Connection, resources, operator intervention, rollback by conflict, read only after a failover.
const passing = /^(08|53|57|40|25006)/;

/** What a caller should know: not now (LogUnavailableError), or the error as it is. */
export const explained = (error: unknown): unknown => {
  if (error instanceof LogError || error instanceof LogUnavailableError || error instanceof TypeError || error instanceof RangeError)
    return error;
  if (error instanceof pg.DatabaseError && error.code !== undefined && !passing.test(error.code)) return error;
  return new LogUnavailableError(`The log's PostgreSQL can't be reached: ${reasonOf(error)}. Try again in a second.`, 1_000, {
    cause: error,
  });
};

/** A refused connection to several addresses has a code and no message. */
const reasonOf = (error: unknown): string => {
  const { message = '', code } = error as { message?: string; code?: string };
  return message || code || String(error);
};
