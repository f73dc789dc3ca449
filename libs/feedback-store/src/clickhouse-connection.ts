/** One way to talk to ClickHouse: queries through its client, inserts as RowBinary over HTTP; every failure leaves as a `StoreError`. */
import type { Readable } from 'node:stream';
import { toUSVString } from 'node:util';
import { ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { StoreError } from './store-error.js';

export interface ConnectionOptions {
  readonly database?: string;
  /** Of one query; beyond it the query fails and the server lives. Default 1.5 GB. */
  readonly maxMemoryBytes?: number;
  readonly timeoutMs?: number;
}

interface ServerOptions extends ConnectionOptions {
  /** `http://user:password@host:port`. */
  readonly url: string;
  /** Of every query, beside those that exactness needs. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export interface CommandOptions {
  /** False for what creates the database. */
  readonly inDatabase?: boolean;
  readonly parameters?: QueryParameters;
}

export type QueryParameters = Readonly<Record<string, string | number | bigint | boolean | readonly (string | number | bigint)[]>>;

const DATABASE = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** The engine's compiled expressions give wrong Int128 results without a word: they are off in every query, whatever the server's default. */
export const exactArithmetic = { compile_expressions: 0 } as const;

// Codes that say "this row": everything else (memory, disk, too many parts, a missing table) may be better later and must not cost a row.
const rowRefusals = new Set([6, 25, 26, 27, 33, 38, 41, 53, 69, 72, 117, 131, 190, 321, 349, 469, 691]);
// A table that is being loaded anew, because a part of it was damaged: see clickhouse-damage.ts.
const whileMended = [60, 246];
const retriableQueries = new Set([
  ...whileMended,
  32,
  159,
  160,
  164,
  173,
  201,
  202,
  203,
  209,
  210,
  236,
  241,
  242,
  243,
  252,
  279,
  319,
  394,
  425,
  439,
  473,
  999,
]);

export class ClickhouseConnection {
  readonly database: string;
  private readonly client: ReturnType<typeof createClient>;
  private readonly insertUrl: URL;
  private readonly headers: Record<string, string>;
  private readonly timeoutMs: number;

  constructor(options: ServerOptions) {
    this.database = options.database ?? 'rampart';
    if (!DATABASE.test(this.database)) throw new RangeError(`database must match ${DATABASE}, got "${this.database}"`);
    this.timeoutMs = options.timeoutMs ?? 120_000;
    const url = new URL(options.url);
    const maxMemory = options.maxMemoryBytes ?? 1_500_000_000;
    this.headers = {
      'X-ClickHouse-User': decodeURIComponent(url.username) || 'default',
      'X-ClickHouse-Key': decodeURIComponent(url.password),
      'X-ClickHouse-Database': this.database,
    };
    url.username = '';
    url.password = '';
    this.insertUrl = url;
    this.client = createClient({
      url,
      username: this.headers['X-ClickHouse-User'],
      password: this.headers['X-ClickHouse-Key'],
      request_timeout: this.timeoutMs,
      // Refusals quote rows, and rows are personal data.
      log: { level: ClickHouseLogLevel.OFF },
      clickhouse_settings: {
        ...options.settings,
        ...exactArithmetic,
        wait_end_of_query: 1,
        max_memory_usage: String(maxMemory),
        max_bytes_before_external_group_by: String(Math.floor(maxMemory / 2)),
        output_format_json_quote_64bit_integers: 1,
        optimize_move_to_prewhere_if_final: 0,
        // It walks the long conditions of our statements again and again: half of the time they take to plan.
        optimize_and_compare_chain: 0,
      },
    });
  }

  /** @param sql  our own text; whatever a person wrote travels in `parameters` */
  async rows<T>(sql: string, parameters: QueryParameters = {}): Promise<readonly T[]> {
    return this.guarded(async () => {
      const result = await this.client.query({
        query: sql,
        query_params: parameters,
        format: 'JSONEachRow',
        http_headers: { 'X-ClickHouse-Database': this.database },
      });
      return result.json<T>();
    });
  }

  async command(sql: string, { inDatabase = true, parameters = {} }: CommandOptions = {}): Promise<void> {
    await this.guarded(() =>
      this.client.command({
        query: sql,
        query_params: parameters,
        http_headers: inDatabase ? { 'X-ClickHouse-Database': this.database } : {},
      }),
    );
  }

  /** Durable when it resolves. @param columns  of the table, in the order of the bytes */
  async insert(table: string, columns: readonly string[], bytes: Uint8Array): Promise<void> {
    const url = new URL(this.insertUrl);
    url.searchParams.set('query', `INSERT INTO ${table} (${columns.join(', ')}) FORMAT RowBinary`);
    for (const [setting, value] of Object.entries(insertSettings)) url.searchParams.set(setting, value);
    const response = await fetch(url, {
      method: 'POST',
      // As a stream it is sent from where it is; bytes would be copied first.
      body: wholeAsStream(bytes),
      duplex: 'half',
      headers: this.headers,
      signal: AbortSignal.timeout(this.timeoutMs),
    }).catch((error: unknown) => {
      throw new StoreError(`ClickHouse did not take an insert into ${table}: ${causeOf(error)}`, { retriable: true });
    });
    // Read to its end, so that the connection can be used again; never shown, since refusals quote rows.
    await response.arrayBuffer();
    if (response.ok) return;
    const code = Number(response.headers.get('x-clickhouse-exception-code') ?? 0);
    throw new StoreError(`ClickHouse refused an insert into ${table} with code ${code}`, { retriable: !rowRefusals.has(code), code });
  }

  /** Rows as the engine writes them in its own format, whole. @param sql  without FORMAT */
  async native(sql: string, parameters: QueryParameters = {}): Promise<Buffer> {
    return this.guarded(async () => {
      const { stream } = await this.client.exec({
        query: `${sql} FORMAT Native`,
        query_params: parameters,
        http_headers: { 'X-ClickHouse-Database': this.database },
      });
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    });
  }

  /** The other way. Durable when it resolves. */
  async insertNative(table: string, columns: readonly string[], rows: Readable): Promise<void> {
    await this.guarded(async () => {
      // As a statement: `insert` of the client knows formats of text and objects only.
      const { stream } = await this.client.exec({
        query: `INSERT INTO ${table} (${columns.join(', ')}) FORMAT Native`,
        values: rows,
        clickhouse_settings: { async_insert: 0, distributed_foreground_insert: 1 },
        http_headers: { 'X-ClickHouse-Database': this.database },
      });
      for await (const _ of stream);
    });
  }

  /** For small tables: rows as objects of plain fields. */
  async insertObjects(table: string, rows: readonly object[]): Promise<void> {
    if (rows.length === 0) return;
    await this.guarded(
      () =>
        this.client.insert({
          table,
          values: rows.map(wellFormed),
          format: 'JSONEachRow',
          clickhouse_settings: { async_insert: 0, distributed_foreground_insert: 1 },
          http_headers: { 'X-ClickHouse-Database': this.database },
        }),
      (code) => !rowRefusals.has(code),
    );
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  private async guarded<T>(ask: () => Promise<T>, isRetriable = (code: number) => retriableQueries.has(code)): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ClickHouseError)) throw new StoreError(`ClickHouse does not answer: ${causeOf(error)}`, { retriable: true });
      const code = Number(error.code);
      throw new StoreError(`ClickHouse refused a query with code ${code} (${error.type ?? 'no type'})${placesIn(error.message)}`, {
        retriable: isRetriable(code),
        code,
      });
    }
  }
}

/** The files and parts that a refusal names: of a damaged one somebody has to know which. Nothing else of it, for it may quote rows. */
const placesIn = (message: string): string => {
  const places = message.match(/(?:\/[\w.-]+){2,}\/?|\b(?:all|\d{6,8})_\d+_\d+_\d+(?:_\d+)?\b/g) ?? [];
  return places.length === 0 ? '' : `: ${[...new Set(places)].slice(0, 3).join(', ')}`;
};

/** ClickHouse reads no JSON with half of a surrogate pair, which anybody may send as a name: it becomes U+FFFD, as in UTF-8. */
const wellFormed = (row: object): object =>
  Object.fromEntries(Object.entries(row).map(([field, value]) => [field, typeof value === 'string' ? toUSVString(value) : value]));

const insertSettings: Readonly<Record<string, string>> = {
  async_insert: '0',
  distributed_foreground_insert: '1',
  wait_end_of_query: '1',
  compile_expressions: '0',
};

const wholeAsStream = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      controller.enqueue(bytes);
      controller.close();
    },
  });

const causeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? cause.message : error.message;
};
