/** The writing side: one connection of its own, one grouped transaction in flight. */
import type { Appended, AppendStats, OutgoingMessage } from '../event-log.js';
import { LogUnavailableError } from '../log-errors.js';
import { byteLength, bytesArray, int4Array } from './binary-arrays.js';
import { GroupCommit } from './group-commit.js';
import { explained, openSession, type Session } from './postgres-session.js';

interface Append {
  readonly topic: string;
  readonly messages: readonly OutgoingMessage[];
}

type Placed = readonly Appended[];

export interface AppenderOptions {
  readonly url: string;
  readonly maxQueuedBytes: number;
  /** A commit that takes longer counts as an outage, in milliseconds. */
  readonly patienceMs: number;
}

/** Messages of several appends, sorted by partition. */
interface Group {
  readonly topics: string[];
  readonly parts: number[];
  readonly counts: number[];
  /** Per message, in the order of the appends: its partition's index in `topics` (from 0) and its place there. */
  readonly groupOf: number[];
  readonly nth: number[];
}

const statement = {
  name: 'rampart-log-append',
  text: 'select base, known from log.append($1, $2, $3, $4, $5, $6, $7, $8, $9)',
};
/** After a failed connect, appends are refused at once for this long, so that an outage costs no connection attempt per append. */
const restMs = 250;
const bookkeepingBytes = 100;

export class PostgresAppender {
  private session: Promise<Session> | undefined;
  private restUntilMs = 0;
  private counted = { messages: 0, bytes: 0, commits: 0, overflowed: 0, failed: 0 };
  private readonly plain: GroupCommit<Append, Placed>;
  private readonly compacted: GroupCommit<Append, Placed>;

  constructor(private readonly options: AppenderOptions) {
    const commits = (isCompacted: boolean) =>
      new GroupCommit<Append, Placed>({
        commit: (appends) => this.commit(isCompacted, appends),
        isBlameable: (error) => !(error instanceof LogUnavailableError),
        maxQueuedBytes: options.maxQueuedBytes,
        maxGroupBytes: 4 * 2 ** 20,
        maxGroupItems: 5_000,
        mostWaitMs: options.patienceMs / 2,
      });
    this.plain = commits(false);
    this.compacted = commits(true);
  }

  /** The messages must be valid: topic and partitions exist, keys are there where they must be. */
  async append(topic: string, isCompacted: boolean, messages: readonly OutgoingMessage[]): Promise<Placed> {
    let bytes = 0;
    for (const { key, value } of messages) bytes += bookkeepingBytes + byteLength(value) + (key?.length ?? 0);
    const queue = isCompacted ? this.compacted : this.plain;
    const queuedBefore = queue.queuedBytes;
    try {
      const placed = await queue.submit({ topic, messages }, bytes);
      this.counted.messages += messages.length;
      this.counted.bytes += bytes;
      return placed;
    } catch (error) {
      if (queuedBefore + bytes > this.options.maxQueuedBytes) this.counted.overflowed += 1;
      else this.counted.failed += 1;
      throw error;
    }
  }

  stats(): AppendStats {
    return { ...this.counted, queuedBytes: this.plain.queuedBytes + this.compacted.queuedBytes };
  }

  async close(): Promise<void> {
    await Promise.all([this.plain.close(), this.compacted.close()]);
    const session = await this.session?.catch(() => undefined);
    if (session !== undefined) await session.end();
  }

  private async commit(isCompacted: boolean, appends: readonly Append[]): Promise<readonly Placed[]> {
    const { topics, parts, counts, groupOf, nth } = grouped(appends);
    const messages = appends.flatMap((append) => append.messages);
    const values = [
      isCompacted,
      bytesArray('text', topics),
      int4Array(parts),
      int4Array(counts),
      int4Array(groupOf.map((index) => index + 1)),
      int4Array(nth),
      bytesArray(
        'text',
        messages.map(({ key }) => key ?? null),
      ),
      bytesArray(
        'text',
        messages.map(({ headers }) => headersText(headers)),
      ),
      bytesArray(
        'bytea',
        messages.map(({ value }) => value),
      ),
    ];
    const rows = await this.run(values);
    this.counted.commits += 1;
    let at = 0;
    const placeOf = ({ partition }: OutgoingMessage): Appended => {
      const { base, known } = rows[groupOf[at] ?? 0] ?? { base: Number.NaN, known: Number.NaN };
      const place = nth[at] ?? 0;
      at += 1;
      return { partition, offset: Number(base) + place, knownAtUs: Number(known) + place };
    };
    return appends.map((append) => append.messages.map(placeOf));
  }

  private async run(values: readonly unknown[]): Promise<readonly { base: string; known: string }[]> {
    const opening = this.opening();
    const session = await this.opened(opening);
    try {
      const { rows } = await session.query({ ...statement, values: [...values] });
      return rows;
    } catch (error) {
      const reason = explained(error);
      // Whether it was committed is unknown: this connection's next answer could be the old one's.
      if (reason instanceof LogUnavailableError) {
        this.forget(opening);
        session.end().catch(() => undefined);
      }
      throw reason;
    }
  }

  private opening(): Promise<Session> {
    const waitMs = this.restUntilMs - Date.now();
    if (this.session === undefined && waitMs > 0) {
      throw new LogUnavailableError("The log's PostgreSQL can't be reached. Try again in a second.", 1_000);
    }
    this.session ??= this.open();
    return this.session;
  }

  private async opened(opening: Promise<Session>): Promise<Session> {
    try {
      return await opening;
    } catch (error) {
      this.forget(opening);
      this.restUntilMs = Date.now() + restMs;
      throw explained(error);
    }
  }

  private open(): Promise<Session> {
    const { url, patienceMs } = this.options;
    const opening: Promise<Session> = openSession({ url, name: 'append', patienceMs, onLost: () => this.forget(opening) });
    return opening;
  }

  /** Only if it is still the one in use: of several appends that lose a connection, the first may have opened the next already. */
  private forget(opening: Promise<Session>): void {
    if (this.session === opening) this.session = undefined;
  }
}

const headersText = (headers: OutgoingMessage['headers']): string | null =>
  headers === undefined || Object.keys(headers).length === 0 ? null : JSON.stringify(headers);

/** Partitions are locked in sorted order, or two processes could wait for each other. */
const grouped = (appends: readonly Append[]): Group => {
  const seen = new Map<string, { topic: string; partition: number; count: number }>();
  const keysOf: string[] = [];
  const nth: number[] = [];
  for (const { topic, messages } of appends) {
    for (const { partition } of messages) {
      const key = `${topic}/${partition}`;
      const entry = seen.get(key) ?? { topic, partition, count: 0 };
      seen.set(key, entry);
      keysOf.push(key);
      nth.push(entry.count);
      entry.count += 1;
    }
  }
  const sorted = [...seen].sort(([a], [b]) => (a < b ? -1 : 1));
  const indexOf = new Map(sorted.map(([key], index) => [key, index]));
  return {
    topics: sorted.map(([, { topic }]) => topic),
    parts: sorted.map(([, { partition }]) => partition),
    counts: sorted.map(([, { count }]) => count),
    groupOf: keysOf.map((key) => indexOf.get(key) ?? 0),
    nth,
  };
};
